#!/bin/bash
# Every HTTP endpoint of actors, as a user at a terminal tries them.
set -u
base="http://127.0.0.1:$DAPR_HTTP_PORT/v1.0"
failed=0

# expect NAME WANTED CURL-ARGUMENTS...: WANTED is the status, a blank and the body, as a glob.
expect() {
  local name=$1 wanted=$2
  shift 2
  local answer
  answer=$(curl -sS --max-time 20 -w '\n%{http_code}' "$@")
  answer="${answer##*$'\n'} ${answer%$'\n'*}"
  # shellcheck disable=SC2053
  if [[ $answer == $wanted ]]; then
    echo "ok $name"
  else
    echo "FAILED $name: wanted '$wanted', got '$answer'"
    failed=1
  fi
}

command -v curl >/dev/null || exit 77
greeter="$base/actors/Greeter/curl"

expect "health" "204 " "$base/healthz"
expect "health of outbound" "204 " "$base/healthz/outbound"
for verb in POST PUT; do
  expect "$verb calls" '200 {"text":"hello, ann","count":*}' -X $verb -d '"ann"' "$greeter/method/greet"
done
expect "GET calls" "200 2" "$greeter/method/count"
expect "an unknown method" '500 {"errorCode":"ERR_ACTOR_INVOKE_METHOD",*actor method not found*' "$greeter/method/nope"
expect "an unknown type" '500 {"errorCode":"ERR_ACTOR_INVOKE_METHOD",*did not find address*' \
  "$base/actors/Nobody/1/method/x"
expect "a method that throws" '500 {"errorCode":"ERR_ACTOR_INVOKE_METHOD",*not today"}' -X POST "$greeter/method/refuse"
expect "a bad name" '400 {"errorCode":"ERR_BAD_REQUEST",*' "$base/actors/Greeter/a%23b/method/count"

expect "a transaction" "204 " -X POST "$greeter/state" \
  -d '[{"operation":"upsert","request":{"key":"k","value":{"a":1}}}]'
expect "a value" '200 {"a":1}' "$greeter/state/k"
expect "no value" "204 " "$greeter/state/none"
expect "a bad transaction" '400 {"errorCode":"ERR_MALFORMED_REQUEST",*' -X PUT -d '{' "$greeter/state"

expect "a reminder" "204 " -X POST -d '{"dueTime":"1h","period":"R5/PT30S","data":7}' "$greeter/reminders/tick"
expect "the reminder" '200 {"actorID":"curl","actorType":"Greeter","data":7,"dueTime":"1h","period":"@every 30s"}' \
  "$greeter/reminders/tick"
expect "the reminder again" '409 {"errorCode":"ERR_ACTOR_REMINDER_ALREADY_EXISTS",*' \
  -X PUT -d '{"dueTime":"1h","overwrite":false}' "$greeter/reminders/tick"
expect "the reminder's end" "204 " -X DELETE "$greeter/reminders/tick"
expect "no reminder" '404 {"errorCode":"ERR_ACTOR_REMINDER_NOT_FOUND",*' "$greeter/reminders/tick"
expect "a reminder without a time" '500 {"errorCode":"ERR_ACTOR_REMINDER_CREATE",*' -X POST -d '{}' \
  "$greeter/reminders/tick"
expect "a reserved type" '403 {"errorCode":"ERR_ACTOR_TYPE_RESERVED",*' -X DELETE \
  "$base/actors/dapr.internal.default.app.workflow/1/reminders/x"

expect "a timer" "204 " -X PUT -d '{"dueTime":"1h","callback":"tick"}' "$greeter/timers/t"
expect "the timer's end" "204 " -X DELETE "$greeter/timers/t"
expect "a bad timer" '500 {"errorCode":"ERR_ACTOR_TIMER_CREATE",*' -X POST -d '{"dueTime":"soon"}' "$greeter/timers/t"

expect "metadata" '200 {"id":"greeter",*"type":"Greeter"*' "$base/metadata"
expect "more metadata" "204 " -X PUT -d 'blue' "$base/metadata/team"
expect "nothing" '404 {"errorCode":"ERR_DIRECT_INVOKE",*' "$base/nothing"
exit $failed
