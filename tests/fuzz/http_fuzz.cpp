#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/net/http_format.h"
#include "runtime/net/http_parser.h"
#include "runtime/net/socket_address.h"
#include "runtime/net/url.h"

namespace troupe::net {
namespace {

constexpr HttpLimits kLimits{.header_size_max = 1024, .body_size_max = 4096};

template <class Parser>
void feed(Parser& parser, std::string_view& bytes, std::size_t piece) {
  const auto room = parser.prepare();
  check(!room.empty(), "a parser that needs more has room for it");
  const std::size_t size = std::min({bytes.size(), room.size(), piece});
  bytes.copy(room.data(), size);
  bytes.remove_prefix(size);
  parser.commit(size);
}

// Everything a handler looks at.
void look(const HttpRequest& request) {
  check(request.body.size() <= kLimits.body_size_max, "bodies have a limit");
  std::size_t size = request.method.size() + request.target.size();
  for (const HttpHeaders::Field field : request.headers)
    size += field.name.size() + field.value.size();
  check(size <= kLimits.header_size_max, "heads have a limit");
  if (const auto segments = request.path_segments()) {
    std::string path;
    for (const std::string& segment : *segments) path += "/" + encode_path_segment(segment);
    check(decode_path(path).value() == *segments, "decoding undoes encoding");
  }
  const Query query = request.query();
  for (const auto& [name, value] : query.all()) check(query.contains(name), "all can be found");
  (void)request.headers.lists("Connection", "close");
  // What was parsed can be sent on, and is then parsed as one and the same.
  std::string head;
  if (!append_head(head, request, "host")) return;
  HttpRequestParser parser({.header_size_max = 4096, .body_size_max = 4096});
  std::string_view rest = head;
  while (!rest.empty()) feed(parser, rest, head.size());
  using Step = HttpRequestParser::Step;
  const Step step = parser.next();
  if (step == Step::kMessage) check(parser.take().target == request.target, "targets stay");
}

void parse_requests(std::string_view bytes, std::size_t piece) {
  using Step = HttpRequestParser::Step;
  HttpRequestParser parser(kLimits);
  for (;;) {
    const Step step = parser.next();
    if (step == Step::kError) {
      check(parser.error_status() >= 400 && !parser.error_message().empty(), "errors say why");
      return;
    }
    if (step == Step::kMessage) look(parser.take());
    if (step == Step::kNeedMore) {
      if (bytes.empty()) return;
      feed(parser, bytes, piece);
    }
  }
}

void parse_responses(std::string_view bytes, std::size_t piece, bool to_head) {
  using Step = HttpResponseParser::Step;
  HttpResponseParser parser(kLimits);
  parser.expect(to_head);
  for (bool ended = false;;) {
    const Step step = parser.next();
    if (step == Step::kError) return;
    if (step == Step::kMessage) {
      const HttpResponse response = parser.take();
      check(response.body.size() <= kLimits.body_size_max, "bodies have a limit");
      std::string head;
      append_head(head, response, {});
      check(head.find("\r\n\r\n") == head.size() - 4, "a head ends once");
      parser.expect(to_head);
      if (ended) return;
    } else if (!bytes.empty()) {
      feed(parser, bytes, piece);
    } else {
      check(!ended, "the end of the connection is the end");
      ended = true;
      parser.commit_end();
    }
  }
}

}  // namespace
}  // namespace troupe::net

// Input: how large the pieces are, what it is, and then the bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::net;
  if (size < 2) return 0;
  const std::size_t piece = data[0] == 0 ? 100'000 : data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[1] % 4) {
    case 0:
      parse_requests(bytes, piece);
      break;
    case 1:
    case 2:
      parse_responses(bytes, piece, data[1] % 4 == 1);
      break;
    default:
      if (const auto where = parse_host_port(bytes)) {
        troupe::check(parse_host_port(to_string(*where)).value() == *where, "read as printed");
      }
      if (const auto url = parse_url(bytes)) troupe::check(!url->host.empty(), "a URL has a host");
      if (const auto address = parse_numeric_host(bytes, 1)) (void)to_string(*address);
  }
  return 0;
}
