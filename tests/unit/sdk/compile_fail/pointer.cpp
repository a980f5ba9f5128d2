#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a pointer cannot be saved: use a value, or unique_ptr
struct Message {
  std::string name;
  int* number = nullptr;
};

std::string text(const Message& message) { return troupe::to_json(message); }
