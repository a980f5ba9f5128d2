#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a plain struct has no base class: make it a field
struct Base {
  int one = 0;
  int two = 0;
};
struct Message : Base {
  int three = 0;
};

std::string text(const Message& message) { return troupe::to_json(message); }
