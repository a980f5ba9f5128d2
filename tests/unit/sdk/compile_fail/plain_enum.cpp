#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: give the enum a type
enum Color { red, green };
struct Message {
  Color color = red;
};

std::string text(const Message& message) { return troupe::to_json(message); }
