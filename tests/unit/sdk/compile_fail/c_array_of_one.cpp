#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a field is a C array: use std::array or std::vector
struct Message {
  char name[1] = {};
};

std::string text(const Message& message) { return troupe::to_json(message); }
