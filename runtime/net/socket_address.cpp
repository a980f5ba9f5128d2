#include "runtime/net/socket_address.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include "runtime/net/socket_system.h"

namespace troupe::net {
namespace {

Failure bad(std::string_view what, std::string_view text) {
  return fail(Code::kInvalid, std::string(what) + " '" + std::string(text) +
                                  "'; write host:port, or [address]:port for IPv6");
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool is_host_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && !std::strchr("/?#@[]\\\"<>", c);
}

}  // namespace

bool SocketAddress::is_loopback() const {
  if (family == Family::kUnix) return true;
  if (family == Family::kIpv4) return bytes[0] == 127;
  if (family != Family::kIpv6) return false;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return bytes[12] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; }) &&
         bytes[15] == 1;
}

std::string host_text(const SocketAddress& address) {
  if (address.family == SocketAddress::Family::kUnix) return "unix";
  if (address.family == SocketAddress::Family::kNone) return "none";
  const int family = address.family == SocketAddress::Family::kIpv4 ? AF_INET : AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, address.bytes.data(), text.data(), text.size());
  std::string host = text.data();
  if (address.scope != 0) host += "%" + std::to_string(address.scope);
  return host;
}

std::string to_string(const SocketAddress& address) {
  std::string host = host_text(address);
  if (address.family == SocketAddress::Family::kIpv6) {
    return "[" + host + "]:" + std::to_string(address.port);
  }
  if (address.family == SocketAddress::Family::kIpv4) {
    return host + ":" + std::to_string(address.port);
  }
  return host;
}

Result<SocketAddress> parse_numeric_host(std::string_view host, std::uint16_t port) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  SocketAddress address{.port = port};
  const std::size_t percent = host.find('%');
  const std::string digits(host.substr(0, percent));
  if (digits.find('\0') != std::string::npos) return bad("no address:", host);
  if (percent == std::string_view::npos &&
      inet_pton(AF_INET, digits.c_str(), address.bytes.data()) == 1) {
    address.family = SocketAddress::Family::kIpv4;
    return address;
  }
  address.bytes = {};
  if (inet_pton(AF_INET6, digits.c_str(), address.bytes.data()) != 1) {
    return bad("no numeric address:", host);
  }
  address.family = SocketAddress::Family::kIpv6;
  if (percent != std::string_view::npos) {
    const std::string zone(host.substr(percent + 1));
    const auto [end, error] =
        std::from_chars(zone.data(), zone.data() + zone.size(), address.scope);
    const bool numeric = error == std::errc() && end == zone.data() + zone.size();
    if (!numeric) address.scope = if_nametoindex(zone.c_str());
    if (address.scope == 0) return bad("no such network interface in", host);
  }
  return address;
}

std::string to_string(const HostPort& where) {
  const bool brackets = where.host.find(':') != std::string::npos;
  return (brackets ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default) {
  HostPort where{.host = {}, .port = port_default};
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return bad("no closing bracket in", text);
    host = text.substr(1, end - 1);
    if (!parse_numeric_host(host, 0) || host.find(':') == std::string_view::npos) {
      return bad("no IPv6 address in", text);
    }
    const std::string_view rest = text.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port) return bad("no port after the bracket in", text);
    if (has_port) port = rest.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos) return bad("too many colons in", text);
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (has_port ? !parse_port(port, where.port) : port_default == 0) return bad("no port in", text);
  if (host.empty() || host.size() > 255 || !std::ranges::all_of(host, is_host_character)) {
    return bad("no host in", text);
  }
  where.host = host;
  return where;
}

SystemAddress to_system(const SocketAddress& address) {
  SystemAddress system;
  if (address.family == SocketAddress::Family::kIpv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.bytes.data(), sizeof in.sin_addr);
    std::memcpy(&system.storage, &in, sizeof in);
    system.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    in.sin6_scope_id = address.scope;
    std::memcpy(&in.sin6_addr, address.bytes.data(), sizeof in.sin6_addr);
    std::memcpy(&system.storage, &in, sizeof in);
    system.size = sizeof in;
  }
  return system;
}

SocketAddress from_system(const SystemAddress& system) {
  SocketAddress address;
  if (system.family() == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &system.storage, sizeof in);
    address.family = SocketAddress::Family::kIpv4;
    address.port = ntohs(in.sin_port);
    std::memcpy(address.bytes.data(), &in.sin_addr, sizeof in.sin_addr);
  } else if (system.family() == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &system.storage, sizeof in);
    address.family = SocketAddress::Family::kIpv6;
    address.port = ntohs(in.sin6_port);
    address.scope = in.sin6_scope_id;
    std::memcpy(address.bytes.data(), &in.sin6_addr, sizeof in.sin6_addr);
  } else if (system.family() == AF_UNIX) {
    address.family = SocketAddress::Family::kUnix;
  }
  return address;
}

SocketAddress local_address(int socket) {
  SystemAddress system;
  system.size = sizeof system.storage;
  if (getsockname(socket, system.pointer(), &system.size) != 0) return {};
  return from_system(system);
}

std::string error_text(int number) {
  std::string text = std::generic_category().message(number);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace troupe::net
