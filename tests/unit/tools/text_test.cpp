#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/suggest.h"
#include "tools/troupe/completion.h"
#include "tools/troupe/json_view.h"
#include "tools/troupe/table.h"

namespace troupe::tools {
namespace {

TEST(Table, AlignsColumnsNumbersToTheRight) {
  const Table table{.columns = {"name", "turns", "zone"},
                    .rows = {{"z\xc3\xbcrich", "9", "a"}, {"b", "1200", "-"}}};
  EXPECT_EQ(format(table),
            "NAME    TURNS  ZONE\n"
            "z\xc3\xbcrich      9  a\n"
            "b        1200  -\n");
}

TEST(Table, WithoutRowsIsItsNames) {
  EXPECT_EQ(format({.columns = {"a", "b"}, .rows = {}}), "A  B\n");
}

TEST(Table, PairsStandBelowOneAnother) {
  EXPECT_EQ(format_pairs({{"cluster", "shop"}, {"id", "7"}}), "cluster: shop\nid:      7\n");
}

TEST(Printable, TextFromElsewhereCannotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2J\n\tb\x7f\xc2\x9b"), "a?[2J??b??");
  EXPECT_EQ(printable("z\xc3\xbcrich"), "z\xc3\xbcrich");
}

TEST(Printable, LongTextIsCutBetweenCharacters) {
  std::string text;
  while (text.size() < 2 * kCellBytesMax) text += "x\xe2\x82\xac";
  const std::string cut = printable(text);
  EXPECT_LE(cut.size(), kCellBytesMax + 6);
  EXPECT_TRUE(cut.ends_with("\xe2\x82\xac\u2026") || cut.ends_with("x\u2026")) << cut;
}

TEST(JsonView, AListOfObjectsIsATable) {
  EXPECT_EQ(show_json(R"([{"zone":"","id":"0af7651916cd43dd8448eb211c80319c","self":true},
                         {"id":"b","weight":2,"types":["Cart","Wallet"]}])",
                      {.first = {"id", "absent"}})
                .value(),
            "ID        ZONE  SELF  WEIGHT  TYPES\n"
            "0af76519  -     yes        -  -\n"
            "b         -     -          2  Cart, Wallet\n");
}

TEST(JsonView, ObjectsInCellsAreTheirValues) {
  EXPECT_EQ(show_json(R"([{"shard":3,"replicas":[{"node":"a","replica":5,"voter":true},
                                                 {"node":"b","replica":6,"voter":false}]}])",
                      {})
                .value(),
            "SHARD  REPLICAS\n"
            "    3  a/5/voter, b/6\n");
}

TEST(JsonView, WhatUsersKeepIsShownAsItIs) {
  EXPECT_EQ(show_json(R"([{"name":"state","value":{"items":[1,2],"paid":true}}])", {}).value(),
            "NAME   VALUE\n"
            "state  {\"items\":[1,2],\"paid\":true}\n");
}

TEST(JsonView, AnObjectIsPairsWithItsTablesBelow) {
  EXPECT_EQ(show_json(R"({"cluster":"shop","ready":true,"actors":[{"type":"Cart","count":2}]})", {})
                .value(),
            "cluster: shop\nready:   yes\n\nactors:\nTYPE  COUNT\nCart      2\n");
}

TEST(JsonView, TheListOfAnAnswerComesFirstAndTheRestOnlyIfItSaysSomething) {
  const JsonView view{.nothing = "none", .list = "ids"};
  EXPECT_EQ(show_json(R"({"ids":["a","b"],"next":""})", view).value(), "a\nb\n");
  EXPECT_EQ(show_json(R"({"ids":["a","b"],"next":"b"})", view).value(), "a\nb\n\nnext: b\n");
  EXPECT_EQ(show_json(R"({"ids":[],"next":""})", view).value(), "none\n");
  EXPECT_EQ(show_json("[]", view).value(), "none\n");
}

TEST(JsonView, WhatIsNotJsonIsRefused) { EXPECT_FALSE(show_json("<html>", {})); }

TEST(JsonView, AMemberIsFoundOnlyWhereThereIsOne) {
  EXPECT_EQ(string_member(R"({"errorCode":"E","message":"no"})", "message"), "no");
  for (const std::string text : {"{}", "[]", "no", R"({"message":1})"}) {
    EXPECT_EQ(string_member(text, "message"), "") << text;
  }
}

TEST(Suggest, TheNearestNameIsOffered) {
  const std::vector<std::string> known = {"status", "state", "shards", "nodes"};
  EXPECT_EQ(nearest("statsu", known), "status");
  EXPECT_EQ(nearest("stat", known), "state");
  EXPECT_EQ(nearest("node", known), "nodes");
  EXPECT_EQ(nearest("hsards", known), "shards");
  EXPECT_EQ(did_you_mean("statsu", known), "; did you mean 'status'?");
}

TEST(Suggest, NothingNearIsOffered) {
  EXPECT_EQ(nearest("frobnicate", {"status", "state"}), std::nullopt);
  EXPECT_EQ(nearest("x", {"status"}), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 's'), {"status"}), std::nullopt);
  EXPECT_EQ(did_you_mean("frobnicate", {"status"}), "");
}

TEST(Completion, EachShellIsToldEveryCommandAndFlag) {
  const std::vector<CompletedCommand> commands = {
      {.name = "nodes", .help = "List the cluster's nodes", .flags = {"--json"}}};
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell, commands).value();
    EXPECT_NE(script.find("nodes"), std::string::npos) << shell;
    EXPECT_NE(script.find("json"), std::string::npos) << shell;
  }
  EXPECT_EQ(completion_script("csh", commands).error().message,
            "no completion for 'csh': use bash, zsh or fish");
}

}  // namespace
}  // namespace troupe::tools
