#include "runtime/net/http_parser.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "runtime/base/check.h"

namespace troupe::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

struct Refusal {
  int status = 0;
  std::string message;
};

// Bytes read and not yet parsed: one piece of memory, the next byte always at its front, since the
// parser wants heads and chunk sizes in one piece.
class Intake {
 public:
  static constexpr std::size_t kIdleSize = 4 * 1024;

  explicit Intake(std::size_t size_max) : size_max_(size_max) {}

  std::span<char> prepare(bool idle, bool in_body) {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      if (idle && size_ > kIdleSize) allocate(kIdleSize);
    }
    if (begin_ > 0 && size_ - end_ < kIdleSize / 2) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (in_body && size_ < size_max_) {
      allocate(size_max_);
    } else if (end_ == size_ && size_ < size_max_) {
      allocate(std::min(std::max(size_ * 2, kIdleSize), size_max_));
    }
    return {bytes_.get() + end_, size_ - end_};
  }

  void commit(std::size_t size) {
    check(size <= size_ - end_, "no more is committed than was prepared");
    end_ += size;
  }
  void consume(std::size_t size) { begin_ += size; }
  std::string_view bytes() const { return {bytes_.get() + begin_, end_ - begin_}; }
  /// What waits can never be parsed: no more fits.
  bool full() const { return end_ - begin_ >= size_max_; }

 private:
  void allocate(std::size_t size) {
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (begin_ != end_) std::memcpy(larger.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    bytes_ = std::move(larger);
    size_ = size;
  }

  const std::size_t size_max_;
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Beast's parser, putting what it finds straight into our words.
template <bool kRequest>
class MessageParser final : public http::basic_parser<kRequest> {
 public:
  explicit MessageParser(HttpLimits limits) : header_size_max_(limits.header_size_max) {
    this->header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(limits.header_size_max, std::uint32_t{0xffff'ffff})));
    this->body_limit(limits.body_size_max);
  }

  std::string method;
  std::string target;
  int status = 0;
  bool http_1_0 = false;
  HttpHeaders headers;
  std::string body;
  std::optional<Refusal> refusal;  // ours, where Beast itself sees nothing wrong

 private:
  void refuse(int refusal_status, std::string message, error_code& error) {
    refusal = Refusal{.status = refusal_status, .message = std::move(message)};
    error = http::error::bad_value;
  }

  // Beast's own limit begins anew with every piece it is given.
  void count(std::size_t size, error_code& error) {
    header_size_ += size;
    if (header_size_ > header_size_max_) error = http::error::header_limit;
  }

  void on_request_impl(http::verb, beast::string_view the_method, beast::string_view the_target,
                       int version, error_code& error) override {
    method = view(the_method);
    target = view(the_target);
    http_1_0 = version == 10;
    count(method.size() + target.size() + 12, error);
  }

  void on_response_impl(int the_status, beast::string_view reason, int version,
                        error_code& error) override {
    status = the_status;
    http_1_0 = version == 10;
    count(reason.size() + 15, error);
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    count(name.size() + value.size() + 4, error);
    // Trailers come too late to be headers: they could smuggle past whoever checked those.
    if (error || in_body_) return;
    headers.add(view(name), view(value));
    if (field == http::field::transfer_encoding) {
      transfer_encodings_ += 1;
      plainly_chunked_ = same_without_case(view(value), "chunked");
    } else if (field == http::field::host) {
      hosts_ += 1;
    }
  }

  void on_header_impl(error_code& error) override {
    in_body_ = true;
    // Bodies of other encodings, or of unclear extent, would be read as another message by others.
    if (transfer_encodings_ > 0 && (transfer_encodings_ > 1 || !plainly_chunked_)) {
      return refuse(501, "transfer encodings other than chunked are not implemented", error);
    }
    if (transfer_encodings_ > 0 && http_1_0) {
      return refuse(400, "HTTP/1.0 has no transfer encodings", error);
    }
    if constexpr (kRequest) {
      if (hosts_ > 1 || (hosts_ == 0 && !http_1_0)) {
        refuse(400, hosts_ > 1 ? "more than one Host header" : "no Host header", error);
      }
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    // At most the body limit, which has been checked. More than a little only as it really comes.
    if (length)
      body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 256 * 1024)));
  }
  std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

  const std::size_t header_size_max_;
  std::size_t header_size_ = 0;
  int transfer_encodings_ = 0;
  int hosts_ = 0;
  bool plainly_chunked_ = false;
  bool in_body_ = false;
};

Refusal explain(const error_code& error, const HttpLimits& limits) {
  if (error == http::error::header_limit) {
    return {431, "header fields larger than " + std::to_string(limits.header_size_max) + " bytes"};
  }
  if (error == http::error::body_limit) {
    return {413, "body larger than " + std::to_string(limits.body_size_max) + " bytes"};
  }
  return {400, "malformed HTTP message: " + error.message()};
}

// What requests and answers have in common: a series of messages out of one stream of bytes.
template <bool kRequest>
class Messages {
 public:
  explicit Messages(HttpLimits the_limits)
      : limits(the_limits),
        intake(std::max<std::size_t>(64 * 1024, 2 * the_limits.header_size_max)) {}

  enum class Outcome : std::uint8_t { kNeedMore, kHead, kMessage, kError };

  // Goes on to the end of the message; first, of one with a body, to the end of its head.
  Outcome advance() {
    if (refusal) return Outcome::kError;
    if (!parser) begin();
    if (parser->is_done()) return Outcome::kMessage;
    if (!skip_empty_lines()) return Outcome::kNeedMore;
    while (!intake.bytes().empty()) {
      const bool in_head = !parser->is_header_done();
      error_code error;
      const std::string_view bytes = intake.bytes();
      const std::size_t used = parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      intake.consume(used);
      if (error == http::error::need_more) return need_more();
      if (error) return refuse(parser->refusal ? *parser->refusal : explain(error, limits));
      if (parser->is_done()) return Outcome::kMessage;
      if (in_head && parser->is_header_done()) {
        parser->eager(true);
        return Outcome::kHead;
      }
    }
    return Outcome::kNeedMore;
  }

  void begin() {
    parser.emplace(limits);
    parser->eager(false);
  }

  std::span<char> prepare() {
    const bool in_body = parser && parser->is_header_done() && !parser->is_done();
    return intake.prepare(idle(), in_body && parser->body.size() >= Intake::kIdleSize);
  }

  bool idle() const { return intake.bytes().empty() && (!parser || !parser->got_some()); }

  Outcome refuse(Refusal why) {
    refusal = std::move(why);
    return Outcome::kError;
  }

  const HttpLimits limits;
  Intake intake;
  std::optional<MessageParser<kRequest>> parser;
  std::optional<Refusal> refusal;

 private:
  Outcome need_more() {
    if (!intake.full()) return Outcome::kNeedMore;
    if (!parser->is_header_done()) return refuse(explain(http::error::header_limit, limits));
    return refuse({400, "malformed HTTP message: a chunk's header is too long"});
  }

  // RFC 9112, 2.2: empty lines before a request are passed over. False if that cannot be told yet.
  bool skip_empty_lines() {
    if (parser->got_some()) return true;
    while (intake.bytes().starts_with("\r\n")) intake.consume(2);
    return intake.bytes() != "\r";
  }
};

}  // namespace

struct HttpRequestParser::State : Messages<true> {
  using Messages::Messages;
  bool keep_alive = false;
  bool http_1_0 = false;
};

HttpRequestParser::HttpRequestParser(HttpLimits limits) : state_(std::make_unique<State>(limits)) {}
HttpRequestParser::~HttpRequestParser() = default;

std::span<char> HttpRequestParser::prepare() { return state_->prepare(); }
void HttpRequestParser::commit(std::size_t size) { state_->intake.commit(size); }

HttpRequestParser::Step HttpRequestParser::next() {
  using Outcome = State::Outcome;
  Outcome outcome = state_->advance();
  if (outcome == Outcome::kHead) {
    const auto& parser = *state_->parser;
    const bool waits = state_->intake.bytes().empty() && !parser.http_1_0 &&
                       parser.headers.lists("Expect", "100-continue");
    if (waits) return Step::kContinue;
    outcome = state_->advance();
  }
  if (outcome == Outcome::kError) return Step::kError;
  if (outcome != Outcome::kMessage) return Step::kNeedMore;
  state_->keep_alive = state_->parser->keep_alive();
  state_->http_1_0 = state_->parser->http_1_0;
  return Step::kMessage;
}

HttpRequest HttpRequestParser::take() {
  auto& parser = *state_->parser;
  HttpRequest request{.method = std::move(parser.method),
                      .target = std::move(parser.target),
                      .headers = std::move(parser.headers),
                      .body = Payload(std::move(parser.body)),
                      .peer = {}};
  state_->parser.reset();
  return request;
}

bool HttpRequestParser::keep_alive() const { return state_->keep_alive; }
bool HttpRequestParser::is_http_1_0() const { return state_->http_1_0; }
int HttpRequestParser::error_status() const { return state_->refusal->status; }
const std::string& HttpRequestParser::error_message() const { return state_->refusal->message; }
bool HttpRequestParser::idle() const { return state_->idle(); }

struct HttpResponseParser::State : Messages<false> {
  using Messages::Messages;
  bool to_head = false;
  bool keep_alive = false;
  bool ended = false;
};

HttpResponseParser::HttpResponseParser(HttpLimits limits)
    : state_(std::make_unique<State>(limits)) {}
HttpResponseParser::~HttpResponseParser() = default;

void HttpResponseParser::expect(bool to_head) {
  state_->to_head = to_head;
  state_->begin();
  state_->parser->skip(to_head);
}

std::span<char> HttpResponseParser::prepare() { return state_->prepare(); }
void HttpResponseParser::commit(std::size_t size) { state_->intake.commit(size); }
void HttpResponseParser::commit_end() { state_->ended = true; }

HttpResponseParser::Step HttpResponseParser::next() {
  using Outcome = State::Outcome;
  for (;;) {
    Outcome outcome = state_->advance();
    if (outcome == Outcome::kHead) outcome = state_->advance();
    if (outcome == Outcome::kError) return Step::kError;
    auto& parser = *state_->parser;
    if (outcome == Outcome::kNeedMore) {
      if (!state_->ended) return Step::kNeedMore;
      error_code error = http::error::partial_message;
      if (parser.got_some()) parser.put_eof(error);
      if (error) {
        state_->refuse({0, "the connection was closed before the end of the answer"});
        return Step::kError;
      }
    }
    if (parser.status == 101 || parser.status / 100 != 1) {
      state_->keep_alive = parser.keep_alive() && parser.status != 101 && !state_->ended;
      return Step::kMessage;
    }
    expect(state_->to_head);  // passes over an interim answer
  }
}

HttpResponse HttpResponseParser::take() {
  auto& parser = *state_->parser;
  HttpResponse response{.status = parser.status,
                        .headers = std::move(parser.headers),
                        .content_type = {},
                        .body = Payload(std::move(parser.body))};
  response.content_type = response.headers.find("Content-Type").value_or("");
  state_->parser.reset();
  return response;
}

bool HttpResponseParser::keep_alive() const { return state_->keep_alive; }
const std::string& HttpResponseParser::error_message() const { return state_->refusal->message; }
bool HttpResponseParser::idle() const { return state_->idle(); }

}  // namespace troupe::net
