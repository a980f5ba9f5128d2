#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/json.h>

// expect: troupe: this type cannot be saved as JSON: use a plain struct, or write
class Message {
 public:
  Message() = default;

 private:
  [[maybe_unused]] int number_ = 0;
};

std::string text(const Message& message) { return troupe::to_json(message); }
