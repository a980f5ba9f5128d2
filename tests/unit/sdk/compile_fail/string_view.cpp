#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a string_view owns nothing: use std::string
struct Message {
  std::string_view name;
};

std::string text(const Message& message) { return troupe::to_json(message); }
