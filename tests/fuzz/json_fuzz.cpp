#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include <troupe/message.h>

namespace {

enum class Color : std::uint8_t { kRed, kGreen };
struct Tree {
  std::unique_ptr<Tree> left;
  std::vector<Tree> others;
};
struct Everything {
  bool b = false;
  std::int8_t i8 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f = 0;
  double d = 0;
  std::string s;
  Color c{};
  std::optional<int> o;
  std::vector<double> v;
  std::array<int, 2> a{};
  std::tuple<int, std::string> t;
  std::map<std::string, Color> m;
  std::map<int, int> n;
  std::chrono::milliseconds wait{};
  troupe::WallTime at;
  troupe::Bytes y;
  troupe::Json j;
  Tree r;
};

// What is read can be written, unless it nests one level too deep, and reads back the same.
template <class T>
void round_trip(std::string_view text) {
  const troupe::Result<T> value = troupe::from_json<T>(text);
  if (!value) return;
  const troupe::Result<std::string> written = troupe::try_to_json(*value);
  if (!written) {
    troupe::check(written.error().message.find("nests deeper") != std::string::npos,
                  "what was read can be written");
    return;
  }
  const troupe::Result<T> again = troupe::from_json<T>(*written);
  troupe::check(again.has_value(), "what was written can be read");
  troupe::check(troupe::to_json(*again) == *written, "equal values give equal bytes");
}

}  // namespace

// Input: a JSON text, or anything else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  round_trip<Everything>(text);
  round_trip<troupe::Json>(text);
  round_trip<double>(text);
  round_trip<float>(text);
  round_trip<std::chrono::nanoseconds>("\"" + text + "\"");
  round_trip<troupe::WallTime>("\"" + text + "\"");
  round_trip<troupe::Bytes>("\"" + text + "\"");
  static_cast<void>(troupe::decode_state<Everything>(text));

  const troupe::Result<std::string> string = troupe::try_to_json(text);
  if (string) {
    troupe::check(troupe::from_json<std::string>(*string).value() == text, "a string survives");
  }
  const std::string bytes = troupe::to_json(troupe::Bytes{text});
  troupe::check(troupe::from_json<troupe::Bytes>(bytes).value().data == text, "bytes survive");
  return 0;
}
