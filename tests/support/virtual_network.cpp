#include "tests/support/virtual_network.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHostsMax = 200;
constexpr std::size_t kPacketSizeMax = 65536;
constexpr std::size_t kLateMax = 50'000;        // packets; further ones are lost
constexpr std::uint32_t kNetwork = 0x0A630000;  // 10.99.0.0/24
constexpr const char* kDevice = "troupe";

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

File name_space_of_this_thread() {
  return File(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

ifreq request_about(std::string_view device) {
  ifreq request{};
  device.copy(std::span(request.ifr_name).data(), IFNAMSIZ - 1);
  return request;
}

bool set_address(int socket, unsigned long what, std::uint32_t address) {
  ifreq request = request_about(kDevice);
  sockaddr_in inet{};
  inet.sin_family = AF_INET;
  inet.sin_addr.s_addr = htonl(address);
  std::memcpy(&request.ifr_addr, &inet, sizeof inet);
  return ioctl(socket, what, &request) == 0;
}

bool bring_up(int socket, std::string_view device) {
  ifreq request = request_about(device);
  request.ifr_flags = IFF_UP;
  return ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

// The calling thread gets a network of its own with one device, whose packets are read from and
// written to what this returns; -1 if it may not.
int enter_new_network(std::uint32_t address) {
  if (unshare(CLONE_NEWNET) != 0) return -1;
  const int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (device < 0) return -1;
  ifreq request = request_about(kDevice);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  const File control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(device, TUNSETIFF, &request) != 0 ||
      !set_address(control.get(), SIOCSIFADDR, address) ||
      !set_address(control.get(), SIOCSIFNETMASK, 0xFFFFFF00) ||
      !bring_up(control.get(), kDevice) || !bring_up(control.get(), "lo")) {
    close(device);
    return -1;
  }
  return device;
}

std::uint32_t address_of(std::size_t host) {
  return kNetwork + static_cast<std::uint32_t>(host) + 1;
}

}  // namespace

class VirtualNetwork::Switch {
 public:
  Switch(std::size_t hosts, std::uint64_t seed)
      : outside_(name_space_of_this_thread()),
        random_(seed),
        links_(std::vector<std::vector<Link>>(hosts + 1, std::vector<Link>(hosts + 1))) {
    check(hosts <= kHostsMax, "a virtual network has at most 200 hosts");
    // The last one made is where this thread stays: host 0.
    for (std::size_t host = hosts + 1; host-- > 0;) {
      const int device = enter_new_network(address_of(host));
      check(device >= 0, "impossible() says whether there can be virtual networks");
      devices_.emplace_front(device);
      name_spaces_.push_front(name_space_of_this_thread());
    }
    thread_ = std::thread([this] { run(); });
  }
  ~Switch() {
    over_ = true;
    thread_.join();
    check(setns(outside_.get(), CLONE_NEWNET) == 0, "a thread returns to its own network");
  }
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  int name_space(std::size_t host) const { return name_spaces_[host].get(); }
  Guarded<std::vector<std::vector<Link>>>& links() { return links_; }

 private:
  struct Packet {
    std::size_t to;
    std::string bytes;
  };

  void run() {
    std::vector<pollfd> wanted;
    for (const File& device : devices_)
      wanted.push_back({.fd = device.get(), .events = POLLIN, .revents = 0});
    while (!over_) {
      timespec patience = until_next();
      if (ppoll(wanted.data(), wanted.size(), &patience, nullptr) > 0) {
        for (std::size_t host = 0; host < wanted.size(); ++host) {
          if ((wanted[host].revents & POLLIN) != 0) read_from(host);
        }
      }
      for (const Time now = clock_.now(); !late_.empty() && late_.begin()->first <= now;) {
        deliver(late_.begin()->second.to, late_.begin()->second.bytes);
        late_.erase(late_.begin());
      }
    }
  }

  // At most so long that the end of all this is noticed.
  timespec until_next() const {
    Duration wait = 20ms;
    if (!late_.empty()) wait = std::clamp<Duration>(late_.begin()->first - clock_.now(), 0ms, wait);
    return {.tv_sec = 0,
            .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count()};
  }

  void read_from(std::size_t from) {
    for (int i = 0; i < 64; ++i) {  // then the others' turn
      const ssize_t size = read(devices_[from].get(), buffer_.data(), buffer_.size());
      if (size < 20) return;
      const std::string_view packet(buffer_.data(), static_cast<std::size_t>(size));
      std::uint32_t destination = 0;
      std::memcpy(&destination, packet.data() + 16, sizeof destination);
      const std::size_t to = ntohl(destination) - kNetwork - 1;
      // Whatever is not of this network, IPv6 among it, goes nowhere.
      if (static_cast<unsigned char>(packet[0]) >> 4U == 4 && to < devices_.size())
        cross(from, to, packet);
    }
  }

  void cross(std::size_t from, std::size_t to, std::string_view packet) {
    const Link link = links_.with([&](const auto& links) { return links[from][to]; });
    if (link.cut || random_.chance(link.loss)) return;
    const Duration extra{
        static_cast<Duration::rep>(random_.fraction() * static_cast<double>(link.jitter.count()))};
    if (link.delay + extra == Duration{}) return deliver(to, packet);
    if (late_.size() < kLateMax)
      late_.emplace(clock_.now() + link.delay + extra, Packet{to, std::string(packet)});
  }

  // What a device has no room for is lost, as on any network.
  void deliver(std::size_t to, std::string_view packet) {
    [[maybe_unused]] const ssize_t written =
        write(devices_[to].get(), packet.data(), packet.size());
  }

  SystemClock clock_;
  File outside_;
  Random random_;
  std::deque<File> devices_;      // by host
  std::deque<File> name_spaces_;  // by host
  Guarded<std::vector<std::vector<Link>>> links_;
  std::multimap<Time, Packet> late_;
  std::array<char, kPacketSizeMax> buffer_{};
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

std::string VirtualNetwork::impossible() {
  std::string why;
  // A thread takes its network along when it ends.
  std::thread([&why] {
    const int device = enter_new_network(address_of(0));
    if (device < 0)
      why = std::string("no network namespace with a TUN device: ") + std::strerror(errno);
    if (device >= 0) close(device);
  }).join();
  return why;
}

VirtualNetwork::VirtualNetwork(std::size_t hosts, std::uint64_t seed)
    : switch_(std::make_unique<Switch>(hosts, seed)) {}
VirtualNetwork::~VirtualNetwork() = default;

std::string VirtualNetwork::address(std::size_t host) {
  return "10.99.0." + std::to_string(host + 1);
}

int VirtualNetwork::name_space(std::size_t host) const { return switch_->name_space(host); }

void VirtualNetwork::set(std::size_t from, std::size_t to, Link link) {
  switch_->links().with([&](auto& links) { links[from][to] = link; });
}

void VirtualNetwork::set_around(std::initializer_list<std::size_t> some, Link link) {
  switch_->links().with([&](auto& links) {
    for (const std::size_t one : some) {
      for (std::size_t other = 1; other < links.size(); ++other) {
        if (std::ranges::find(some, other) != some.end()) continue;
        links[one][other] = link;
        links[other][one] = link;
      }
    }
  });
}

void VirtualNetwork::heal() {
  switch_->links().with([](auto& links) {
    for (auto& row : links) std::ranges::fill(row, Link{});
  });
}

}  // namespace troupe
