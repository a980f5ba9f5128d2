#include "tools/troupe/command_line.h"

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include "runtime/base/log.h"
#include "runtime/net/http_server.h"
#include "runtime/net/io_threads.h"
#include "tests/support/temporary_directory.h"

namespace troupe::tools {
namespace {

// A node that answers what the test says, and keeps what it was asked.
class FakeNode final : public net::HttpHandler {
 public:
  FakeNode() { EXPECT_TRUE(server_.start()); }
  ~FakeNode() override { server_.stop(std::chrono::seconds(1)); }

  void handle(net::HttpRequest request, net::HttpResponder respond) override {
    asked_.with([&](auto& asked) {
      asked.push_back(request.method + " " + request.target + " " +
                      std::string(request.body.view()) +
                      std::string(request.headers.find("dapr-api-token").value_or("")));
    });
    respond(answer_.with([](const net::HttpResponse& response) { return response; }));
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  void answers(int status, std::string body) {
    answer_.with([&](net::HttpResponse& response) {
      response = {.status = status, .body = std::move(body)};
    });
  }
  std::vector<std::string> take_asked() {
    return asked_.with([](auto& asked) { return std::exchange(asked, {}); });
  }

 private:
  Guarded<net::HttpResponse> answer_;
  Guarded<std::vector<std::string>> asked_;
  SystemClock clock_;
  net::IoThreads threads_{clock_, {.threads = 1}};
  net::HttpServer server_{threads_, Log(silent_log(), "test"), {}, *this};
};

class CommandLineTest : public ::testing::Test {
 protected:
  int run(const std::vector<std::string>& arguments) {
    out_.str("");
    errors_.str("");
    Terminal terminal{.out = out_,
                      .errors = errors_,
                      .colours = false,
                      .variable =
                          [this](const std::string& name) {
                            const auto found = variables_.find(name);
                            return found == variables_.end() ? std::nullopt
                                                             : std::optional(found->second);
                          },
                      .read_input = [this] { return input_; }};
    return run_command(arguments, terminal);
  }
  std::string out() const { return out_.str(); }
  std::string errors() const { return errors_.str(); }

  std::map<std::string, std::string> variables_;
  std::string input_;

 private:
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(CommandLineTest, UnknownCommandsAndFlagsNameTheNearest) {
  EXPECT_EQ(run({"statsu"}), kMisused);
  EXPECT_EQ(errors(),
            "troupe: unknown command 'statsu'; did you mean 'status'?\n"
            "`troupe --help` shows what there is\n");
  EXPECT_EQ(run({"status", "--jsn"}), kMisused);
  EXPECT_EQ(errors(),
            "troupe: unknown flag '--jsn'; did you mean '--json'?\n"
            "`troupe status --help` shows what there is\n");
  EXPECT_EQ(run({"status", "--adress=x"}), kMisused);
  EXPECT_NE(errors().find("unknown flag '--adress'; did you mean '--address'?"), std::string::npos);
}

TEST_F(CommandLineTest, WrongNumbersOfArgumentsAreMisuse) {
  EXPECT_EQ(run({}), kMisused);
  EXPECT_NE(errors().find("status"), std::string::npos);
  EXPECT_EQ(run({"state", "Cart"}), kMisused);
  EXPECT_NE(errors().find("ID"), std::string::npos) << errors();
  EXPECT_EQ(run({"state", "Cart", "a", "b"}), kMisused);
  EXPECT_NE(errors().find("'b' is one argument too many"), std::string::npos) << errors();
  EXPECT_EQ(run({"dev", "--nodes", "0"}), kMisused);
  EXPECT_EQ(run({"status", "--address", "host:port:x"}), kMisused);
}

TEST_F(CommandLineTest, HelpAndVersionArePrinted) {
  EXPECT_EQ(run({"--help"}), kSucceeded);
  for (const std::string command : {"node", "dev", "status", "nodes", "shards", "actors", "state",
                                    "reminders", "call", "drain", "version", "completion"}) {
    EXPECT_NE(out().find("\n  " + command + " "), std::string::npos) << command << out();
  }
  EXPECT_EQ(run({"call", "--help"}), kSucceeded);
  EXPECT_NE(out().find("METHOD"), std::string::npos);
  EXPECT_EQ(run({"help"}), kSucceeded);
  EXPECT_NE(out().find("\n  call "), std::string::npos);
  EXPECT_EQ(run({"help", "call"}), kSucceeded);
  EXPECT_NE(out().find("METHOD"), std::string::npos);
  EXPECT_EQ(run({"version"}), kSucceeded);
  EXPECT_TRUE(out().starts_with("troupe 0.")) << out();
  EXPECT_EQ(run({"completion", "bash"}), kSucceeded);
  EXPECT_NE(out().find("reminders) words='"), std::string::npos);
  EXPECT_EQ(run({"completion", "csh"}), kMisused);
}

TEST_F(CommandLineTest, EachCommandAsksItsEndpoint) {
  FakeNode node;
  node.answers(200, "{}");
  variables_["TROUPE_ADDRESS"] = node.address();
  const std::vector<std::pair<std::vector<std::string>, std::string>> expected = {
      {{"status"}, "GET /troupe/v1/status "},
      {{"nodes"}, "GET /troupe/v1/nodes "},
      {{"shards"}, "GET /troupe/v1/shards "},
      {{"actors"}, "GET /troupe/v1/actors?all=true "},
      {{"actors", "Cart", "--limit", "5", "--after", "a b"},
       "GET /troupe/v1/actors/Cart/ids?limit=5&after=a%20b "},
      {{"state", "Cart", "a/b"}, "GET /troupe/v1/state/Cart/a%2Fb "},
      {{"reminders", "Cart"}, "GET /troupe/v1/reminders/Cart "},
      {{"reminders", "Cart", "a"}, "GET /troupe/v1/reminders/Cart/a "},
      {{"drain", "3f2a"}, "POST /troupe/v1/drain/3f2a "},
      {{"drain", "3f2a", "--undo"}, "DELETE /troupe/v1/drain/3f2a "},
      {{"call", "Cart", "a", "total"}, "POST /v1.0/actors/Cart/a/method/total "},
      {{"call", "Cart", "a", "add", R"({"name":"tea"})"},
       R"(POST /v1.0/actors/Cart/a/method/add {"name":"tea"})"},
  };
  for (const auto& [arguments, request] : expected) {
    EXPECT_EQ(run(arguments), kSucceeded) << request << errors();
    EXPECT_EQ(node.take_asked(), std::vector{request});
  }
}

TEST_F(CommandLineTest, TheFlagForTheAddressIsStrongerThanTheEnvironment) {
  FakeNode node;
  node.answers(200, "[]");
  variables_["TROUPE_ADDRESS"] = "127.0.0.1:1";
  EXPECT_EQ(run({"nodes", "--address", node.address()}), kSucceeded) << errors();
  EXPECT_EQ(out(), "no nodes\n");
}

TEST_F(CommandLineTest, AnswersAreTablesAndWithJsonAsTheyCame) {
  FakeNode node;
  node.answers(200, R"([{"address":"127.0.0.1:7400","id":"a","zone":"x"}])");
  EXPECT_EQ(run({"nodes", "--address", node.address()}), kSucceeded);
  EXPECT_EQ(out(), "ID  ADDRESS         ZONE\na   127.0.0.1:7400  x\n");
  EXPECT_EQ(run({"nodes", "--json", "--address", node.address()}), kSucceeded);
  EXPECT_EQ(out(), R"([{"address":"127.0.0.1:7400","id":"a","zone":"x"}])"
                   "\n");
}

TEST_F(CommandLineTest, ACallPrintsTheAnswerAndMayReadItsMessageFromInput) {
  FakeNode node;
  node.answers(200, "3");
  input_ = R"({"name":"tea"})";
  EXPECT_EQ(run({"call", "Cart", "a", "add", "-", "--address", node.address()}), kSucceeded);
  EXPECT_EQ(out(), "3\n");
  EXPECT_EQ(node.take_asked(),
            std::vector<std::string>{R"(POST /v1.0/actors/Cart/a/method/add {"name":"tea"})"});
}

TEST_F(CommandLineTest, AMessageThatIsNotJsonIsNotSent) {
  FakeNode node;
  EXPECT_EQ(run({"call", "Cart", "a", "add", "tea", "--address", node.address()}), kFailed);
  EXPECT_NE(errors().find("the message is not JSON"), std::string::npos) << errors();
  EXPECT_TRUE(node.take_asked().empty());
}

TEST_F(CommandLineTest, TheTokenOfTheApiIsShown) {
  FakeNode node;
  node.answers(200, "{}");
  variables_["DAPR_API_TOKEN"] = "secret";
  EXPECT_EQ(run({"status", "--address", node.address()}), kSucceeded);
  EXPECT_EQ(node.take_asked(), std::vector<std::string>{"GET /troupe/v1/status secret"});
}

TEST_F(CommandLineTest, WhereNobodyAnswersItSaysWhatToDo) {
  std::string address;
  {
    const FakeNode gone;
    address = gone.address();
  }
  EXPECT_EQ(run({"status", "--address", address}), kFailed);
  EXPECT_EQ(errors(), "troupe: no node answers at " + address +
                          "; start one with `troupe dev`, or name another with --address "
                          "host:port\n");
}

TEST_F(CommandLineTest, RefusalsAreTheNodesOwnWords) {
  FakeNode node;
  node.answers(500, R"({"errorCode":"ERR_ACTOR_INVOKE_METHOD","message":"not enough money"})");
  EXPECT_EQ(run({"call", "Wallet", "a", "charge", "5", "--address", node.address()}), kFailed);
  EXPECT_EQ(errors(), "troupe: not enough money (HTTP 500)\n");
  EXPECT_EQ(out(), "");
  node.answers(503, "plain words");
  EXPECT_EQ(run({"status", "--address", node.address()}), kFailed);
  EXPECT_EQ(errors(), "troupe: plain words (HTTP 503)\n");
  node.answers(404, "");
  EXPECT_EQ(run({"status", "--address", node.address()}), kFailed);
  EXPECT_NE(errors().find("does not know /troupe/v1/status"), std::string::npos) << errors();
  node.answers(200, "<html>");
  EXPECT_EQ(run({"status", "--address", node.address()}), kFailed);
  EXPECT_NE(errors().find("the answer is not JSON"), std::string::npos) << errors();
}

TEST_F(CommandLineTest, InvokeAsksTheNodeForTheMethodOfAnApp) {
  const TemporaryDirectory directory;
  variables_["XDG_RUNTIME_DIR"] = directory.path();
  FakeNode node;
  node.answers(200, "done");
  variables_["TROUPE_ADDRESS"] = node.address();
  EXPECT_EQ(run({"invoke", "--app-id", "orders", "--method", "a/b?c=d", "--data", "{}"}),
            kSucceeded);
  EXPECT_EQ(out(), "done\n");
  EXPECT_EQ(run({"invoke", "-a", "orders", "-m", "a", "--verb", "GET"}), kSucceeded);
  EXPECT_EQ(node.take_asked(),
            (std::vector<std::string>{"POST /v1.0/invoke/orders/method/a/b?c=d {}",
                                      "GET /v1.0/invoke/orders/method/a "}));
  node.answers(500, R"({"errorCode":"ERR_DIRECT_INVOKE","message":"no such app"})");
  EXPECT_EQ(run({"invoke", "-a", "orders", "-m", "a"}), kFailed);
  EXPECT_EQ(errors(), "troupe: invoking a of orders: no such app (HTTP 500)\n");
}

TEST_F(CommandLineTest, NothingRunsWhereNothingWasStarted) {
  const TemporaryDirectory directory;
  variables_["XDG_RUNTIME_DIR"] = directory.path();
  EXPECT_EQ(run({"list"}), kSucceeded);
  EXPECT_EQ(out(), "no app runs; start one with `troupe run`\n");
  EXPECT_EQ(run({"list", "--json"}), kSucceeded);
  EXPECT_EQ(out(), "[]\n");
  EXPECT_EQ(run({"stop", "orders"}), kFailed);
  EXPECT_EQ(errors(), "troupe: no app 'orders' runs here; `troupe list` shows what does\n");
  EXPECT_EQ(run({"stop"}), kMisused);
}

TEST_F(CommandLineTest, RunSaysWhatIsWrongBeforeItStartsAnything) {
  const TemporaryDirectory directory;
  variables_["XDG_RUNTIME_DIR"] = directory.path();
  EXPECT_EQ(run({"run", "--app-id", "a.b", "--", "true"}), kMisused);
  EXPECT_NE(errors().find("'a.b' is no app id"), std::string::npos) << errors();
  EXPECT_EQ(run({"run", "--app-prt", "3000"}), kMisused);
  EXPECT_NE(errors().find("did you mean '--app-port'?"), std::string::npos) << errors();
  EXPECT_EQ(run({"run", "--app-port", "many"}), kMisused);
  EXPECT_EQ(errors(), "troupe: --app-port: 'many' is no port: 1 to 65535\n");
  EXPECT_EQ(run({"run", "--resources-path", "/no/such/folder"}), kFailed);
  EXPECT_EQ(errors(), "troupe: --resources-path: there is no /no/such/folder\n");
  EXPECT_EQ(run({"run", "-f", "/no/such/dapr.yaml"}), kFailed);
  EXPECT_NE(errors().find("/no/such/dapr.yaml"), std::string::npos) << errors();
  input_ = "version: 1\napps: 3\n";
  EXPECT_EQ(run({"run", "-f", "-"}), kMisused);
  EXPECT_EQ(errors(), "troupe: standard input: line 2: 'apps' must be a list of apps\n");
}

}  // namespace
}  // namespace troupe::tools
