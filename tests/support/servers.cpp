#include "tests/support/servers.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/check.h"

namespace troupe::testing {
namespace {

constexpr Duration kPatience = std::chrono::seconds(40);
constexpr std::string_view kReady = "ready to accept connections";

std::string found_in_path(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/", "/bin/"}) {
    if (std::filesystem::exists(folder + program)) return folder + program;
  }
  return {};
}

// Debian keeps the server's programs out of the path, by version.
std::string postgresql_programs() {
  const std::filesystem::path root = "/usr/lib/postgresql";
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(root, error)) {
    const std::string folder = each.path().string() + "/bin/";
    if (std::filesystem::exists(folder + "initdb")) return folder;
  }
  const std::string initdb = found_in_path("initdb");
  return initdb.empty() ? "" : initdb.substr(0, initdb.size() - 6);
}

// What runs `program` as somebody who is not root.
std::vector<std::string> as_somebody(const std::string& program) {
  if (::geteuid() != 0) return {program};
  return {"/usr/bin/setpriv", "--reuid=nobody",   "--regid=nogroup",
          "--clear-groups",   "--pdeathsig=KILL", program};
}

}  // namespace

bool listens(std::uint16_t port, Duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected =
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    if (connected) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string RedisServer::missing() {
  return found_in_path("redis-server").empty()
             ? "there is no redis-server: apt-get install redis-server"
             : "";
}

RedisServer::RedisServer(std::string password)
    : port_(free_port()), password_(std::move(password)) {
  start();
}

void RedisServer::start() {
  std::vector<std::string> arguments{found_in_path("redis-server"),
                                     "--port",
                                     std::to_string(port_),
                                     "--bind",
                                     "127.0.0.1",
                                     "--dir",
                                     directory_.path(),
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "no"};
  if (!password_.empty()) {
    arguments.emplace_back("--requirepass");
    arguments.push_back(password_);
  }
  process_.start(arguments, directory_.path() + "/log");
  check(listens(port_, kPatience), "redis-server listens");
}

std::string PostgresqlServer::missing() {
  return postgresql_programs().empty() ? "there is no PostgreSQL server: apt-get install postgresql"
                                       : "";
}

PostgresqlServer::PostgresqlServer() : port_(free_port()) {
  const std::string data = directory_.path() + "/data";
  std::filesystem::create_directory(data);
  if (::geteuid() == 0) {
    const std::string own = "chown nobody:nogroup " + directory_.path() + " " + data;
    check(std::system(own.c_str()) == 0, "root may give files away");
  }
  Process initdb;
  std::vector<std::string> arguments = as_somebody(postgresql_programs() + "initdb");
  for (const char* each : {"--no-sync", "--auth=trust", "--username=tester", "-D"}) {
    arguments.emplace_back(each);
  }
  arguments.push_back(data);
  initdb.start(arguments, directory_.path() + "/initdb.log");
  check(initdb.wait(std::chrono::minutes(2)) == 0, "initdb makes a database");
  start();
}

void PostgresqlServer::start() {
  std::vector<std::string> arguments = as_somebody(postgresql_programs() + "postgres");
  for (const std::string& each :
       {std::string("-D"), directory_.path() + "/data", std::string("-p"), std::to_string(port_),
        std::string("-h"), std::string("127.0.0.1"), std::string("-k"), directory_.path(),
        std::string("-c"), std::string("fsync=off")}) {
    arguments.push_back(each);
  }
  const auto starts = [&] {
    std::size_t count = 0;
    const std::string text = process_.output();
    for (std::size_t at = text.find(kReady); at != std::string::npos;
         at = text.find(kReady, at + 1)) {
      ++count;
    }
    return count;
  };
  ++starts_;
  process_.start(arguments, directory_.path() + "/log");
  // It listens before it serves.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (starts() < starts_ && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  check(starts() == starts_, "PostgreSQL serves");
}

PostgresqlServer::~PostgresqlServer() {
  if (process_.runs()) {
    process_.signal(SIGQUIT);
    process_.wait(std::chrono::seconds(20));
  }
}

std::string PostgresqlServer::connection_string() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) +
         " user=tester dbname=postgres connect_timeout=10";
}

}  // namespace troupe::testing
