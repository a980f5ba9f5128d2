#include "runtime/api/trace.h"

#include "runtime/base/trace.h"

namespace troupe::api {

bool valid_traceparent(std::string_view text) {
  return !text.empty() && parse_traceparent(text).has_value();
}

std::string Traces::continued(std::string_view incoming) {
  if (valid_traceparent(incoming)) return std::string(incoming);
  return traceparent(random_.with([](Random& random) { return begin_trace(random, false); }));
}

}  // namespace troupe::api
