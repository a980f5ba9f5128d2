#include "runtime/api/admin_question.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "storage/shard/rows.h"
#include <troupe/message.h>

namespace troupe::api {
namespace {

Result<ReminderView> view_of(const storage::ReminderRow& row) {
  Result<actors::ReminderFacts> facts = actors::reminder_facts(row.body);
  if (!facts) return fail(facts.error());
  return ReminderView{.type = row.type,
                      .id = row.id,
                      .name = row.name,
                      .method = std::move(facts->method),
                      .due_time = std::move(facts->due_text),
                      .period = std::move(facts->period),
                      .ttl = std::move(facts->ttl),
                      .next = row.due,
                      .number = facts->number,
                      .attempts = facts->attempts,
                      .data = {std::move(facts->data)}};
}

}  // namespace

Json shown(std::string_view bytes) {
  Result<Json> json = Json::parse(bytes);
  if (json) return *std::move(json);
  return Json::of(Bytes{std::string(bytes)});
}

ValueView shown_value(std::string name, std::string_view stored) {
  ValueView view;
  std::string_view bytes = stored;
  const bool native = name.empty() && !stored.empty();
  bool json = !native;
  if (native) {  // a byte says how the rest is to be read
    json = static_cast<StateFormat>(stored.front()) == StateFormat::kJson;
    bytes.remove_prefix(1);
  }
  Result<Json> value = json ? Json::parse(bytes) : Result<Json>(fail(Code::kInvalid, ""));
  view.name = std::move(name);
  view.format = value ? "json" : "bytes";
  view.value = value ? *std::move(value) : Json::of(Bytes{std::string(bytes)});
  return view;
}

Result<void> AdminAnswer::add(const storage::Reads& reads, storage::ReplicaKeys keys) {
  if (question_.what == "state") return add_values(reads, keys);
  if (question_.what == "reminders") return add_reminders(reads, keys);
  if (question_.what == "contents") return add_contents(reads, keys);
  if (question_.what != "ids") return fail(Code::kUnimplemented, "no question " + question_.what);
  Result<std::vector<std::string>> ids = storage::actor_ids(
      reads, keys, question_.type, question_.after, static_cast<std::size_t>(question_.limit + 1));
  if (!ids) return fail(ids.error());
  ids_.insert(ids_.end(), ids->begin(), ids->end());
  return {};
}

Result<void> AdminAnswer::add_values(const storage::Reads& reads, storage::ReplicaKeys keys) {
  const auto rows = storage::values(reads, keys, question_.type, question_.id, now_);
  if (!rows) return fail(rows.error());
  for (const storage::ValueRow& row : *rows) {
    ValueView view = shown_value(row.name, row.value);
    view.etag = row.etag;
    view.expires = row.expires;
    values_.push_back(std::move(view));
  }
  return {};
}

Result<void> AdminAnswer::add_reminders(const storage::Reads& reads, storage::ReplicaKeys keys) {
  const auto rows = question_.id.empty()
                        ? storage::reminders_of_type(reads, keys, question_.type, std::nullopt,
                                                     static_cast<std::size_t>(question_.limit))
                        : storage::reminders(reads, keys, question_.type, question_.id);
  if (!rows) return fail(rows.error());
  for (const storage::ReminderRow& row : *rows) {
    Result<ReminderView> view = view_of(row);
    if (!view) return fail(view.error());
    reminders_.push_back(*std::move(view));
  }
  return {};
}

Result<void> AdminAnswer::add_contents(const storage::Reads& reads, storage::ReplicaKeys keys) {
  using State = storage::RestoreMark::State;
  Result<storage::RestoreMark> mark = storage::read_restore_mark(reads, keys);
  if (!mark) return fail(mark.error());
  const Result<bool> used = storage::has_actors_rows(reads, keys);
  if (!used) return fail(used.error());
  const char* const state = mark->state == State::kLoading    ? "restoring"
                            : mark->state == State::kFinished ? "restored"
                            : *used                           ? "data"
                                                              : "empty";
  contents_.push_back({.shard = keys.shard().value,
                       .state = state,
                       .restore = std::move(mark->restore),
                       .parts = mark->parts});
  return {};
}

Result<std::string> AdminAnswer::finish() {
  if (question_.what == "contents") return try_to_json(contents_);
  if (question_.what == "state") return try_to_json(values_);
  if (question_.what == "reminders") {
    return try_to_json(merged(std::move(reminders_), question_.limit));
  }
  return try_to_json(merged({IdsView{.ids = std::move(ids_), .next = {}}}, question_.limit));
}

IdsView merged(std::vector<IdsView> answers, std::uint64_t limit) {
  IdsView all;
  bool more = false;
  for (IdsView& answer : answers) {
    more = more || !answer.next.empty();
    all.ids.insert(all.ids.end(), answer.ids.begin(), answer.ids.end());
  }
  std::ranges::sort(all.ids);
  if (all.ids.size() > limit) {
    all.ids.resize(static_cast<std::size_t>(limit));
    more = true;
  }
  if (more && !all.ids.empty()) all.next = all.ids.back();
  return all;
}

std::vector<ReminderView> merged(std::vector<ReminderView> all, std::uint64_t limit) {
  std::ranges::sort(all, {}, [](const ReminderView& each) { return std::tie(each.id, each.name); });
  if (all.size() > limit) all.resize(static_cast<std::size_t>(limit));
  return all;
}

}  // namespace troupe::api
