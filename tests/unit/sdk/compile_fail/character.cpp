#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: char is ambiguous: use std::string or std::int8_t
struct Message {
  char letter = 'a';
};

std::string text(const Message& message) { return troupe::to_json(message); }
