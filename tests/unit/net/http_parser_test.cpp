#include "runtime/net/http_parser.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/net/http_format.h"

namespace troupe::net {
namespace {

using Step = HttpRequestParser::Step;

constexpr HttpLimits kLimits{.header_size_max = 512, .body_size_max = 1'000};

// What comes out when `bytes` come in pieces of `size`.
struct Parsed {
  std::vector<HttpRequest> requests;
  Step last = Step::kNeedMore;
  int status = 0;
  std::string error;
  int continues = 0;
  bool keep_alive = true;
};

Parsed parse(std::string_view bytes, std::size_t size = 10'000) {
  HttpRequestParser parser(kLimits);
  Parsed parsed;
  for (;;) {
    parsed.last = parser.next();
    if (parsed.last == Step::kError) {
      parsed.status = parser.error_status();
      parsed.error = parser.error_message();
      return parsed;
    }
    if (parsed.last == Step::kMessage) {
      parsed.keep_alive = parser.keep_alive();
      parsed.requests.push_back(parser.take());
    } else if (parsed.last == Step::kContinue) {
      ++parsed.continues;
    } else {
      if (bytes.empty()) return parsed;
      const auto room = parser.prepare();
      const std::size_t taken = std::min({bytes.size(), room.size(), size});
      bytes.copy(room.data(), taken);
      bytes.remove_prefix(taken);
      parser.commit(taken);
    }
  }
}

TEST(HttpRequestParser, KeepsEverythingAsItCame) {
  const std::string bytes =
      "PATCH /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one:  2 \r\ncontent-length: "
      "3\r\n\r\nabc";
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const Parsed parsed = parse(bytes, size);
    ASSERT_EQ(parsed.requests.size(), 1U) << size << parsed.error;
    const HttpRequest& request = parsed.requests[0];
    EXPECT_EQ(request.method, "PATCH");
    EXPECT_EQ(request.target, "/a%20b?x=1");
    EXPECT_EQ(request.path(), "/a%20b");
    EXPECT_EQ(request.query_text(), "x=1");
    EXPECT_EQ(request.path_segments().value(), std::vector<std::string>{"a b"});
    EXPECT_EQ(request.body.view(), "abc");
    EXPECT_EQ(request.headers.size(), 4U);
    EXPECT_EQ(request.headers[1], (HttpHeaders::Field{"X-One", "1"}));
    EXPECT_EQ(request.headers[2], (HttpHeaders::Field{"x-one", "2"}));
    EXPECT_EQ(request.headers.find_all("X-ONE"), (std::vector<std::string_view>{"1", "2"}));
  }
}

TEST(HttpRequestParser, TakesAnyVerb) {
  EXPECT_EQ(parse("PURGE / HTTP/1.1\r\nHost:\r\n\r\n").requests.at(0).method, "PURGE");
}

TEST(HttpRequestParser, PipelinedRequestsComeInOrder) {
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    bytes +=
        "\r\nPOST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
  }
  for (const std::size_t size : {1U, 7U, 100U, 10'000U}) {
    const Parsed parsed = parse(bytes, size);
    ASSERT_EQ(parsed.requests.size(), 50U) << parsed.error;
    EXPECT_EQ(parsed.requests[49].target, "/49");
    EXPECT_EQ(parsed.requests[49].body.view(), "ok");
  }
}

TEST(HttpRequestParser, ChunksAreJoinedAndTrailersLeftOut) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Secret: 1\r\n\r\n";
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const Parsed parsed = parse(bytes, size);
    ASSERT_EQ(parsed.requests.size(), 1U) << size << parsed.error;
    EXPECT_EQ(parsed.requests[0].body.view(), "abcde");
    EXPECT_FALSE(parsed.requests[0].headers.contains("X-Secret"));
  }
}

TEST(HttpRequestParser, BodiesOverTheLimitAre413) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(parse(head + "Content-Length: 1001\r\n\r\n").status, 413);
  EXPECT_EQ(parse(head + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x')).requests.size(),
            1U);
  std::string chunks;
  for (int i = 0; i < 11; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
  EXPECT_EQ(parse(head + "Transfer-Encoding: chunked\r\n\r\n" + chunks).status, 413);
}

TEST(HttpRequestParser, HeadsOverTheLimitAre431HoweverTheyCome) {
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "A: 123456\r\n";
  const std::string many = "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
  const std::string one = "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(1'000, 'x') + "\r\n\r\n";
  const std::string target = "GET /" + std::string(1'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string& bytes : {many, one, target}) {
    for (const std::size_t size : {1U, 11U, 100U, 10'000U})
      EXPECT_EQ(parse(bytes, size).status, 431);
  }
}

TEST(HttpRequestParser, MalformedRequestsAre400) {
  for (const char* bytes :
       {"\x16\x03\x01 hello", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"}) {
    const Parsed parsed = parse(bytes);
    EXPECT_EQ(parsed.status, 400) << bytes;
    EXPECT_TRUE(parsed.requests.empty()) << bytes;
    EXPECT_FALSE(parsed.error.empty());
  }
}

TEST(HttpRequestParser, BodiesOfUnclearExtentAreRefused) {
  for (const char* value : {"gzip", "gzip, chunked", "chunked, gzip", "identity"}) {
    const std::string bytes = std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ") +
                              value + "\r\n\r\n0\r\n\r\n";
    EXPECT_EQ(parse(bytes).status, 501) << value;
  }
}

TEST(HttpRequestParser, SaysOnceThatTheClientWaitsToContinue) {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  const Parsed waiting = parse(head);
  EXPECT_EQ(waiting.continues, 1);
  EXPECT_EQ(waiting.last, Step::kNeedMore);
  EXPECT_EQ(parse(head + "abc").continues, 0);
  EXPECT_EQ(parse(head + "abc").requests.at(0).body.view(), "abc");
  EXPECT_EQ(parse(head + "abc", head.size()).requests.at(0).body.view(), "abc");
}

TEST(HttpRequestParser, KnowsWhetherTheConnectionStays) {
  EXPECT_TRUE(parse("GET / HTTP/1.1\r\nHost:\r\n\r\n").keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.1\r\nHost:\r\nConnection: x, Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

struct Answers {
  std::vector<HttpResponse> responses;
  HttpResponseParser::Step last;
  bool keep_alive = false;
};

Answers parse_answer(std::string_view bytes, bool to_head, bool end, std::size_t size = 10'000) {
  HttpResponseParser parser(kLimits);
  parser.expect(to_head);
  Answers answers{};
  for (;;) {
    answers.last = parser.next();
    if (answers.last == HttpResponseParser::Step::kError) return answers;
    if (answers.last == HttpResponseParser::Step::kMessage) {
      answers.keep_alive = parser.keep_alive();
      answers.responses.push_back(parser.take());
      return answers;
    }
    if (bytes.empty()) {
      if (!end) return answers;
      parser.commit_end();
      continue;
    }
    const auto room = parser.prepare();
    const std::size_t taken = std::min({bytes.size(), room.size(), size});
    bytes.copy(room.data(), taken);
    bytes.remove_prefix(taken);
    parser.commit(taken);
  }
}

TEST(HttpResponseParser, PassesOverInterimAnswers) {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 201 Created\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nok";
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const Answers answers = parse_answer(bytes, false, false, size);
    ASSERT_EQ(answers.responses.size(), 1U) << size;
    EXPECT_EQ(answers.responses[0].status, 201);
    EXPECT_EQ(answers.responses[0].content_type, "text/x");
    EXPECT_EQ(answers.responses[0].body.view(), "ok");
    EXPECT_TRUE(answers.keep_alive);
  }
}

TEST(HttpResponseParser, ABodyWithoutLengthEndsWithTheConnection) {
  const std::string bytes = "HTTP/1.1 200 OK\r\n\r\nabc";
  EXPECT_EQ(parse_answer(bytes, false, false).last, HttpResponseParser::Step::kNeedMore);
  const Answers answers = parse_answer(bytes, false, true);
  EXPECT_EQ(answers.responses.at(0).body.view(), "abc");
  EXPECT_FALSE(answers.keep_alive);
}

TEST(HttpResponseParser, AnAnswerCutShortIsAnError) {
  for (const char* bytes :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"}) {
    EXPECT_EQ(parse_answer(bytes, false, true).last, HttpResponseParser::Step::kError) << bytes;
  }
}

TEST(HttpResponseParser, AnAnswerToHeadHasNoBody) {
  const Answers answers = parse_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, false);
  EXPECT_EQ(answers.responses.at(0).headers.find("content-length"), "5");
}

TEST(HttpHead, OfAnAnswerStaysOneHeadWhateverTheValuesHold) {
  HttpResponse response{.status = 200, .headers = {}, .content_type = "a\r\nb", .body = {}};
  response.headers = {{"X", "1\r\nSet-Cookie: evil\r\n\r\nbody"},
                      {"No Good", "1"},
                      {"Content-Length", "99"},
                      {"Transfer-Encoding", "chunked"}};
  std::string head;
  append_head(head, response, {});
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nContent-Type: a  b\r\nX: 1  Set-Cookie: evil    body\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(HttpHead, OfARequestThatCouldBeTwoIsRefused) {
  std::string head;
  for (const char* method : {"", "GE T", "GET\r\n"}) {
    EXPECT_FALSE(append_head(head, HttpRequest{.method = method}, "h")) << method;
  }
  for (const char* target : {"", "/a b", "/a\r\nX: 1", "/\x01"}) {
    EXPECT_FALSE(append_head(head, HttpRequest{.target = target}, "h")) << target;
  }
  HttpRequest request;
  request.headers = {{"X", "1\r\nY: 2"}};
  EXPECT_FALSE(append_head(head, request, "h"));
  EXPECT_EQ(head, "");
}

TEST(HttpHeaders, SettingReplacesAllOfThatName) {
  HttpHeaders headers = {{"A", "1"}, {"B", "2"}, {"a", "3"}};
  headers.set("a", headers.find("B").value());
  EXPECT_EQ(headers.find_all("A"), std::vector<std::string_view>{"2"});
  EXPECT_EQ(headers.size(), 2U);
  headers.remove("b");
  EXPECT_EQ(headers.size(), 1U);
}

}  // namespace
}  // namespace troupe::net
