// Service's part for reminders and timers.
#include <algorithm>
#include <utility>

#include "actors/schedule/dapr_schedule.h"
#include "actors/state/timer_operations.h"
#include "runtime/api/names.h"
#include "runtime/api/service.h"

namespace troupe::api {
namespace {

constexpr std::string_view kNotHosted =
    "operations on actor reminders are only possible on hosted actor types";

FailurePolicy dapr_failures() {
  FailurePolicy policy;
  policy.interval = std::chrono::seconds(1);
  policy.retries_max = 3;
  return policy;
}

std::string reminder_message(ReminderRequest request) {
  actors::ReminderOperation operation;
  operation.kind = actors::ReminderOperation::Kind::kChange;
  operation.change = {.name = request.name,
                      .cancel = false,
                      .method = request.name,
                      .message = std::move(request.data),
                      .due = std::move(request.due_time),
                      .period = std::move(request.period),
                      .ttl = std::move(request.ttl),
                      .repeats = std::nullopt,
                      .overwrite = request.overwrite,
                      .failure = request.failure.value_or(dapr_failures()),
                      .catch_up = CatchUp::kCoalesce};
  return encode(operation);
}

// What Dapr says instead of the cluster's own message.
Error reminder_error(const Error& error, const std::string& name) {
  if (error.code == Code::kNotFound) return {error.code, std::string(kNotHosted)};
  if (error.code == Code::kConflict) return {error.code, name};
  return error;
}

Answer<actors::Reply> without_reply(Answer<Nothing> answer) {
  return [answer = std::move(answer)](Outcome<actors::Reply> reply) mutable {
    if (const ApiError* error = std::get_if<ApiError>(&reply)) return answer(*error);
    answer(Nothing{});
  };
}

// Calendar steps stay such; ticks that were missed run one after another.
Result<actors::TimerOperation> timer_of(const TimerRequest& request, WallTime now) {
  const ScheduleTexts texts{
      .due_time = request.due_time, .period = request.period, .ttl = request.ttl};
  Result<Schedule> schedule = parse_timer_schedule(
      texts, now, request.key.type + "||" + request.key.id + "||" + request.name);
  if (!schedule) return fail(schedule.error());
  actors::TimerOperation operation{.name = request.name, .timer = {}};
  Timer& timer = operation.timer.emplace();
  timer.method = request.callback;
  timer.data = request.data;
  timer.schedule = *std::move(schedule);
  timer.catch_up = TickCatchUp::kAll;
  timer.texts = {.due_time = request.due_time, .period = request.period, .ttl = {}};
  return operation;
}

Outcome<std::vector<NamedReminder>> reminders_in(const ActorKey& key, const actors::Reply& reply) {
  Result<std::vector<actors::ReminderFacts>> facts =
      actors::decode_reminder_facts(reply.body.view());
  if (!facts) return api_error(Operation::kReminderGet, facts.error());
  std::vector<NamedReminder> reminders;
  for (actors::ReminderFacts& each : *facts) reminders.push_back({key, std::move(each)});
  return reminders;
}

NamedReminder reminder_of(ReminderView view) {
  return {.key = {std::move(view.type), std::move(view.id)},
          .facts = {.name = std::move(view.name),
                    .method = std::move(view.method),
                    .data = std::move(view.data.data),
                    .due_text = std::move(view.due_time),
                    .period = std::move(view.period),
                    .ttl = std::move(view.ttl),
                    .due = view.next,
                    .number = view.number,
                    .attempts = view.attempts}};
}

}  // namespace

void Service::register_reminder(ReminderRequest request, Context context, Answer<Nothing> answer) {
  if (auto refused = refusal(request.key, "reminderName", request.name)) {
    return answer(*std::move(refused));
  }
  const ScheduleTexts texts{
      .due_time = request.due_time, .period = request.period, .ttl = request.ttl};
  const Result<Schedule> schedule = parse_reminder_schedule(texts, deps_.clock.wall());
  if (!schedule) return answer(api_error(Operation::kReminderCreate, schedule.error()));
  Result<actors::Call> call = begin(request.key, actors::CallKind::kReminders, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  std::string name = request.name;
  call->message = reminder_message(std::move(request));
  call->done = [name = std::move(name),
                answer = std::move(answer)](const Result<actors::Reply>& reply) mutable {
    if (reply) return answer(Nothing{});
    answer(api_error(Operation::kReminderCreate, reminder_error(reply.error(), name)));
  };
  route(*std::move(call));
}

void Service::reminder(ActorKey key, std::string name, Context context,
                       Answer<NamedReminder> answer) {
  if (auto refused = refusal(key, "reminderName", name)) return answer(*std::move(refused));
  Result<actors::Call> call = begin(key, actors::CallKind::kReminders, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  actors::ReminderOperation operation;
  operation.name = name;
  call->message = encode(operation);
  call->done = [key = std::move(key), name = std::move(name),
                answer = std::move(answer)](const Result<actors::Reply>& reply) mutable {
    if (!reply) {
      return answer(api_error(Operation::kReminderGet, reminder_error(reply.error(), name)));
    }
    Outcome<std::vector<NamedReminder>> found = reminders_in(key, *reply);
    if (const ApiError* error = std::get_if<ApiError>(&found)) return answer(*error);
    auto& reminders = std::get<std::vector<NamedReminder>>(found);
    if (reminders.empty()) {
      return answer(api_error(Operation::kReminderGet, {Code::kPrecondition, name}));
    }
    answer(std::move(reminders.front()));
  };
  route(*std::move(call));
}

void Service::reminders(ActorKey key, Context context, Answer<std::vector<NamedReminder>> answer) {
  if (key.id.empty()) {
    const Result<void> named = check_name("actorType", key.type);
    if (!named) return answer(api_error(Operation::kRequest, named.error()));
    const auto listed = [answer = std::make_shared<Answer<std::vector<NamedReminder>>>(
                             std::move(answer))](Result<std::vector<ReminderView>> views) {
      if (!views) return (*answer)(api_error(Operation::kReminderGet, views.error()));
      std::vector<NamedReminder> reminders;
      for (ReminderView& each : *views) reminders.push_back(reminder_of(std::move(each)));
      (*answer)(std::move(reminders));
    };
    return deps_.admin.reminders(std::move(key), options_.reminders_max, listed);
  }
  if (auto refused = refusal(key, {}, {})) return answer(*std::move(refused));
  Result<actors::Call> call = begin(key, actors::CallKind::kReminders, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  call->message = encode(actors::ReminderOperation{});
  send(*std::move(call), Operation::kReminderGet,
       [key = std::move(key), answer = std::move(answer)](Outcome<actors::Reply> reply) mutable {
         if (const ApiError* error = std::get_if<ApiError>(&reply)) return answer(*error);
         answer(reminders_in(key, std::get<actors::Reply>(reply)));
       });
}

void Service::delete_reminder(ActorKey key, std::string name, Context context,
                              Answer<Nothing> answer) {
  if (auto refused = refusal(key, "reminderName", name)) return answer(*std::move(refused));
  Result<actors::Call> call =
      begin(std::move(key), actors::CallKind::kReminders, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  actors::ReminderOperation operation;
  operation.kind = actors::ReminderOperation::Kind::kChange;
  operation.change.name = std::move(name);
  operation.change.cancel = true;
  call->message = encode(operation);
  call->done = [answer = std::move(answer)](const Result<actors::Reply>& reply) mutable {
    if (reply) return answer(Nothing{});
    answer(api_error(Operation::kReminderDelete, reminder_error(reply.error(), "")));
  };
  route(*std::move(call));
}

// One after another: a type may have many, and each is an entry.
struct Service::Deleting {
  std::vector<NamedReminder> left;
  Context context;
  Answer<Nothing> answer;
};

void Service::delete_reminders(ActorKey key, Context context, Answer<Nothing> answer) {
  auto deleting = std::make_shared<Deleting>();
  deleting->context = context;
  deleting->answer = std::move(answer);
  reminders(std::move(key), std::move(context),
            [this, deleting](Outcome<std::vector<NamedReminder>> found) {
              if (const ApiError* error = std::get_if<ApiError>(&found)) {
                return deleting->answer(*error);
              }
              deleting->left = std::move(std::get<std::vector<NamedReminder>>(found));
              delete_next(deleting);
            });
}

void Service::delete_next(std::shared_ptr<Deleting> deleting) {
  if (deleting->left.empty()) return deleting->answer(Nothing{});
  NamedReminder next = std::move(deleting->left.back());
  deleting->left.pop_back();
  Deleting& state = *deleting;
  delete_reminder(std::move(next.key), std::move(next.facts.name), state.context,
                  [this, deleting = std::move(deleting)](Outcome<Nothing> deleted) mutable {
                    if (const ApiError* error = std::get_if<ApiError>(&deleted)) {
                      return deleting->answer(*error);
                    }
                    delete_next(std::move(deleting));
                  });
}

void Service::register_timer(TimerRequest request, Context context, Answer<Nothing> answer) {
  if (auto refused = refusal(request.key, "timerName", request.name)) {
    return answer(*std::move(refused));
  }
  const Result<actors::TimerOperation> operation = timer_of(request, deps_.clock.wall());
  if (!operation) return answer(api_error(Operation::kTimerCreate, operation.error()));
  Result<actors::Call> call = begin(request.key, actors::CallKind::kTimers, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  call->message = actors::encode(*operation);
  call->done = [key = std::move(request.key),
                answer = std::move(answer)](const Result<actors::Reply>& reply) mutable {
    if (reply) return answer(Nothing{});
    Error error = reply.error();
    if (error.code == Code::kNotFound) {
      error.message = "can't create timer for actor " + key.type + "||" + key.id +
                      ": actor type not registered";
    }
    answer(api_error(Operation::kTimerCreate, error));
  };
  route(*std::move(call));
}

void Service::delete_timer(ActorKey key, std::string name, Context context,
                           Answer<Nothing> answer) {
  if (auto refused = refusal(key, "timerName", name)) return answer(*std::move(refused));
  Result<actors::Call> call = begin(std::move(key), actors::CallKind::kTimers, std::move(context));
  if (!call) return answer(api_error(Operation::kRequest, call.error()));
  call->message = actors::encode(actors::TimerOperation{.name = std::move(name), .timer = {}});
  send(*std::move(call), Operation::kTimerDelete, without_reply(std::move(answer)));
}

}  // namespace troupe::api
