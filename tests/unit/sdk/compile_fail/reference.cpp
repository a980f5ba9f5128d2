#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a field cannot be left out: it is a reference, or needs an argument
struct Message {
  int& number;
};

std::string text(const Message& message) { return troupe::to_json(message); }
