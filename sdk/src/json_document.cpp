#include <bit>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "sdk/src/json_path.h"
#include <troupe/json.h>
#include <troupe/json_reader.h>

namespace troupe {

// The library's parser with a copy of the text, which must have room after it.
struct JsonDocument::Parser {
  simdjson::dom::parser parser;
  std::vector<char> text;
};

// Parsers at rest, one set per thread. More than one is in use where a read_json() of the user
// calls from_json().
struct JsonDocument::Parsers {
  static constexpr std::size_t kIdleMax = 2;
  static constexpr std::size_t kKeptBytesMax = 256 << 10;  // a larger one gives its memory back

  static std::vector<std::unique_ptr<Parser>>& idle() {
    thread_local std::vector<std::unique_ptr<Parser>> parsers;
    return parsers;
  }
  static std::unique_ptr<Parser> take() {
    if (idle().empty()) return std::make_unique<Parser>();
    std::unique_ptr<Parser> parser = std::move(idle().back());
    idle().pop_back();
    return parser;
  }
  static void give_back(std::unique_ptr<Parser> parser) {
    if (parser->text.size() <= kKeptBytesMax && idle().size() < kIdleMax) {
      idle().push_back(std::move(parser));
    }
  }
};

JsonDocument::JsonDocument(std::string_view text) : parser_(Parsers::take()) {
  if (text.size() > kJsonBytesMax) {
    failure_.why = "longer than " + std::to_string(kJsonBytesMax) + " bytes";
    return;
  }
  const std::size_t room = text.size() + simdjson::SIMDJSON_PADDING;
  if (parser_->text.size() < room) {
    // Twice as much, so that slowly growing texts do not allocate each time.
    parser_->text.resize(2 * room);
    // One more, since the library's limit is what it refuses.
    if (parser_->parser.allocate(2 * room, kJsonDepthMax + 1) != simdjson::SUCCESS) {
      failure_.why = "no memory to read it";
      return;
    }
  }
  text.copy(parser_->text.data(), text.size());
  simdjson::dom::element root;
  const simdjson::error_code error =
      parser_->parser.parse(parser_->text.data(), text.size(), false).get(root);
  if (error == simdjson::SUCCESS) {
    root_ = std::bit_cast<detail::JsonElement>(root);
    parsed_ = true;
  } else if (error == simdjson::DEPTH_ERROR) {
    failure_.why = "nests deeper than " + std::to_string(kJsonDepthMax);
  } else {
    failure_.why = std::string("is not JSON: ") + simdjson::error_message(error);
  }
}

JsonDocument::~JsonDocument() { Parsers::give_back(std::move(parser_)); }

JsonReader JsonDocument::root() { return parsed_ ? JsonReader(root_, &failure_) : JsonReader(); }

Failure JsonDocument::failure() const {
  return fail(Code::kInvalid, detail::at_path(failure_.path, failure_.why));
}

Result<Json> Json::parse(std::string_view text) { return from_json<Json>(text); }

}  // namespace troupe
