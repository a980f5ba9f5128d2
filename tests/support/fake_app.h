#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "runtime/app/app_channel.h"

namespace troupe::testing {

/// An app whose every answer the test says. What it is asked lies in `asked` until then.
class FakeApp final : public app::AppChannel {
 public:
  struct Asked {
    net::HttpRequest request;
    Time deadline;
    Done<net::HttpResponse> done;
  };

  void ask(net::HttpRequest request, Time deadline, Done<net::HttpResponse> done) override {
    seen.push_back(request.method + " " + request.target);
    asked.push_back({std::move(request), deadline, std::move(done)});
  }
  void check(const std::string& path, Time deadline, Done<net::HttpResponse> done) override {
    seen.push_back("CHECK " + path);
    checked.push_back({{}, deadline, std::move(done)});
  }
  void probe(Time /*deadline*/, Done<void> done) override {
    ++probes;
    done(listens);
  }

  /// Answers the oldest.
  void answer(int status, std::string body = {}, net::HttpHeaders headers = {}) {
    net::HttpResponse response{.status = status, .headers = std::move(headers)};
    response.body = Payload(std::move(body));
    end(std::move(response));
  }
  /// The oldest fails.
  void fail(Code code) { end(troupe::fail(code, "the app's connection")); }
  void say_health(int status) {
    Asked first = std::move(checked.front());
    checked.pop_front();
    first.done(net::HttpResponse{.status = status});
  }
  const net::HttpRequest& first() const { return asked.front().request; }

  std::deque<Asked> asked;
  std::deque<Asked> checked;
  std::vector<std::string> seen;  // all, in order
  Result<void> listens;
  int probes = 0;

 private:
  void end(Result<net::HttpResponse> answer) {
    Asked first = std::move(asked.front());
    asked.pop_front();
    first.done(std::move(answer));
  }
};

}  // namespace troupe::testing
