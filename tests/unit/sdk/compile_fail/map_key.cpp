#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: a map's key must be a string, an integer or an enum
struct Message {
  std::map<double, int> prices;
};

std::string text(const Message& message) { return troupe::to_json(message); }
