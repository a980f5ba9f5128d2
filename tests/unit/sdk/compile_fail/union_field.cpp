#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a union does not say what it holds: use std::optional
union Either {
  int one;
  float other;
};
struct Message {
  Either either{};
};

std::string text(const Message& message) { return troupe::to_json(message); }
