#include "runtime/clients/postgresql/connection.h"

#include <algorithm>
#include <utility>

#include <libpq-fe.h>
#include <poll.h>

namespace troupe::clients {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

// Libpq's texts have several lines.
std::string one_line(const char* text) {
  std::string line = text == nullptr ? "" : text;
  std::ranges::replace(line, '\n', ' ');
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

Code code_of(std::string_view sqlstate) {
  if (sqlstate.starts_with("40") || sqlstate == "23505") return Code::kConflict;
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57") || sqlstate.starts_with("53")) {
    return Code::kUnavailable;
  }
  return Code::kInternal;
}

PostgresqlResult result_of(PGresult* from) {
  PostgresqlResult result;
  const int rows = PQntuples(from);
  const int columns = PQnfields(from);
  for (int row = 0; row < rows; ++row) {
    PostgresqlRow& out = result.rows.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(from, row, column) != 0) {
        out.emplace_back();
        continue;
      }
      out.emplace_back(std::string(PQgetvalue(from, row, column),
                                   static_cast<std::size_t>(PQgetlength(from, row, column))));
    }
  }
  const std::string changed = PQcmdTuples(from);
  if (!changed.empty()) result.changed = std::stoull(changed);
  return result;
}

}  // namespace

struct PostgresqlConnection::State {
  State(Clock& the_clock, PostgresqlOptions the_options)
      : clock(the_clock), options(std::move(the_options)) {}

  // Waits until the socket can be read or written. False at the deadline.
  bool wait(bool to_write, Time deadline) {
    const Duration left = deadline - clock.now();
    if (left <= Duration::zero()) return false;
    pollfd file{.fd = PQsocket(connection.get()),
                .events = static_cast<short>(to_write ? POLLOUT | POLLIN : POLLIN),
                .revents = 0};
    const auto ms = std::clamp<std::int64_t>(left / std::chrono::milliseconds(1) + 1, 1, 1'000);
    return ::poll(&file, 1, static_cast<int>(ms)) >= 0;
  }

  // A server that has gone meanwhile has said so, perhaps, and closed the connection, which only a
  // look at the socket shows.
  bool alive() {
    for (int looks = 0; looks < 3; ++looks) {
      pollfd file{.fd = PQsocket(connection.get()), .events = POLLIN, .revents = 0};
      if (::poll(&file, 1, 0) <= 0) break;
      if (PQconsumeInput(connection.get()) == 0) return false;
    }
    return PQstatus(connection.get()) == CONNECTION_OK;
  }

  Result<void> connect(Time deadline) {
    if (connection && alive()) return {};
    connection.reset();
    if (clock.now() < next_attempt) return fail(Code::kUnavailable, problem);
    const Time until = std::min(deadline, clock.now() + options.connect_timeout);
    connection.reset(PQconnectStart(options.connection_string.c_str()));
    while (connection && PQstatus(connection.get()) != CONNECTION_BAD) {
      const PostgresPollingStatusType state = PQconnectPoll(connection.get());
      if (state == PGRES_POLLING_OK) {
        PQsetnonblocking(connection.get(), 1);
        pause = Duration::zero();
        return {};
      }
      if (state == PGRES_POLLING_FAILED) break;
      if (!wait(state == PGRES_POLLING_WRITING, until)) {
        return give_up("no connection within the time-out");
      }
    }
    return give_up(connection ? one_line(PQerrorMessage(connection.get())) : "no memory");
  }

  Failure give_up(const std::string& why) {
    connection.reset();
    problem = "postgresql: " + why;
    pause = std::clamp(pause * 2, options.pause_min, options.pause_max);
    next_attempt = clock.now() + pause;
    return fail(Code::kUnavailable, problem);
  }

  // The connection is of no use any more: what it said may come at any time.
  Failure lost(const std::string& why) {
    const char* const host = PQhost(connection.get());
    const char* const port = PQport(connection.get());
    const std::string name = std::string("postgresql ") + (host == nullptr ? "" : host) + ":" +
                             (port == nullptr ? "" : port);
    connection.reset();
    return fail(Code::kUnknownOutcome, name + ": " + why);
  }

  Result<PostgresqlResult> answer(Time deadline) {
    for (int left = 1; left != 0;) {
      left = PQflush(connection.get());
      if (left < 0) return lost(one_line(PQerrorMessage(connection.get())));
      if (left > 0 && !wait(true, deadline)) return lost("did not answer in time");
      if (left > 0 && PQconsumeInput(connection.get()) == 0) {
        return lost(one_line(PQerrorMessage(connection.get())));
      }
    }
    Result<PostgresqlResult> result = fail(Code::kInternal, "postgresql: no answer");
    for (;;) {
      while (PQisBusy(connection.get()) != 0) {
        if (!wait(false, deadline)) return lost("did not answer in time");
        if (PQconsumeInput(connection.get()) == 0) {
          return lost(one_line(PQerrorMessage(connection.get())));
        }
      }
      const Answer next(PQgetResult(connection.get()));
      if (!next) return result;
      take(next.get(), result);
    }
  }

  void take(PGresult* from, Result<PostgresqlResult>& result) {
    const ExecStatusType status = PQresultStatus(from);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      result = result_of(from);
      return;
    }
    const char* const state = PQresultErrorField(from, PG_DIAG_SQLSTATE);
    sqlstate = state == nullptr ? "" : state;
    const bool broken = PQstatus(connection.get()) != CONNECTION_OK;
    result = fail(broken ? Code::kUnknownOutcome : code_of(sqlstate),
                  "postgresql: " + one_line(PQresultErrorMessage(from)));
  }

  Clock& clock;
  const PostgresqlOptions options;
  std::unique_ptr<PGconn, Finish> connection;
  std::string problem;
  std::string sqlstate;
  Duration pause{0};
  Time next_attempt;
};

PostgresqlConnection::PostgresqlConnection(Clock& clock, PostgresqlOptions options)
    : state_(std::make_unique<State>(clock, std::move(options))) {}

PostgresqlConnection::~PostgresqlConnection() = default;

const std::string& PostgresqlConnection::sqlstate() const { return state_->sqlstate; }

Result<PostgresqlResult> PostgresqlConnection::run(const std::string& sql,
                                                   const std::vector<PostgresqlValue>& values,
                                                   Time deadline) {
  State& state = *state_;
  state.sqlstate.clear();
  if (Result<void> connected = state.connect(deadline); !connected) return fail(connected.error());
  std::vector<const char*> pointers;
  std::vector<int> sizes;
  for (const PostgresqlValue& each : values) {
    pointers.push_back(each ? each->c_str() : nullptr);
    sizes.push_back(each ? static_cast<int>(each->size()) : 0);
  }
  const int sent =
      PQsendQueryParams(state.connection.get(), sql.c_str(), static_cast<int>(values.size()),
                        nullptr, pointers.data(), sizes.data(), nullptr, 0);
  if (sent == 0) return state.lost(one_line(PQerrorMessage(state.connection.get())));
  return state.answer(deadline);
}

std::string to_bytea(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::optional<std::string> from_bytea(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace troupe::clients
