#include "runtime/net/url.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace troupe::net {
namespace {

using Segments = std::vector<std::string>;

TEST(Url, IsTakenApart) {
  const auto url = parse_url("HTTP://Example.org:8080/a/b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_EQ(*url,
            (Url{.scheme = "http", .host = "Example.org", .port = 8080, .target = "/a/b?c=d"}));
}

TEST(Url, PortAndTargetHaveDefaults) {
  EXPECT_EQ(parse_url("http://a").value(), (Url{"http", "a", 80, "/"}));
  EXPECT_EQ(parse_url("https://a?x").value(), (Url{"https", "a", 443, "/?x"}));
  EXPECT_EQ(parse_url("redis://a").value(), (Url{"redis", "a", 0, "/"}));
  EXPECT_EQ(parse_url("redis://a:1").value(), (Url{"redis", "a", 1, "/"}));
  EXPECT_EQ(parse_url("http://[::1]/").value(), (Url{"http", "::1", 80, "/"}));
  EXPECT_EQ(parse_url("http://[::1]:81").value(), (Url{"http", "::1", 81, "/"}));
}

TEST(Url, RefusesWhatCouldBeReadOtherwise) {
  for (const char* text :
       {"", "a", "http:/a", "http://", "://a", "1http://a", "http://a:b", "http://a:70000",
        "http://user@a/", "http://a b/", "http://a/b c", "http://a/\r\nb", "http://::1/",
        "http://[::1", "http://[a]/", "http://[::1]x/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(PathSegment, IsDecodedOnce) {
  EXPECT_EQ(decode_path_segment("a%20b+c%2Fd%252F").value(), "a b+c/d%2F");
  EXPECT_EQ(decode_path_segment("%00%ff%C3%A4").value(), std::string("\0\xff\xc3\xa4", 4));
}

TEST(PathSegment, RefusesBrokenEscapes) {
  for (const char* raw : {"%", "%2", "a%2", "%zz", "%2g", "%%20"}) {
    EXPECT_EQ(decode_path_segment(raw).error().code, Code::kInvalid) << raw;
  }
}

TEST(PathSegment, EncodingIsUndoneByDecoding) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  EXPECT_EQ(decode_path_segment(encode_path_segment(every)).value(), every);
  EXPECT_EQ(encode_path_segment("a/b||c d"), "a%2Fb%7C%7Cc%20d");
}

TEST(Path, KeepsAnEncodedSlashInItsSegment) {
  EXPECT_EQ(decode_path("/").value(), (Segments{""}));
  EXPECT_EQ(decode_path("/a").value(), (Segments{"a"}));
  EXPECT_EQ(decode_path("/a//b%2Fc/").value(), (Segments{"a", "", "b/c", ""}));
  EXPECT_FALSE(decode_path(""));
  EXPECT_FALSE(decode_path("a"));
  EXPECT_FALSE(decode_path("/a/%"));
}

TEST(Query, KeepsOrderAndRepeatedParameters) {
  const Query query = Query::parse("a=1&b=x%26y+z&a=2&&c&=d&e=f=g&h=%zz");
  EXPECT_EQ(query.find("a"), "1");
  EXPECT_EQ(query.find("b"), "x&y z");
  EXPECT_EQ(query.find("c"), "");
  EXPECT_EQ(query.find("e"), "f=g");
  EXPECT_EQ(query.find("h"), "%zz");
  EXPECT_FALSE(query.contains("d"));
  ASSERT_EQ(query.all().size(), 7U);
  EXPECT_EQ(query.all()[2].second, "2");
}

TEST(Query, HasABound) {
  std::string raw;
  for (int i = 0; i < 2'000; ++i) raw += "a=b&";
  EXPECT_EQ(Query::parse(raw).all().size(), Query::kParametersMax);
}

}  // namespace
}  // namespace troupe::net
