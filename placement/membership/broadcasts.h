#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/base/ids.h"

namespace troupe::placement {

/// News to be told a limited number of times each, the least told first, of those the newest.
///
/// One piece for each member it is about: a newer one takes the place of the older. So it holds at
/// most as many as there are members.
class Broadcasts {
 public:
  /// `part` is encoded, ready to be sent.
  void add(NodeId about, std::string part);
  void remove(NodeId about);
  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }

  /// Appends to `out` what fits, so that it has at most `size_max` bytes; each piece is forgotten
  /// when it was taken `times_max` times.
  void append(std::string& out, std::size_t size_max, unsigned times_max);

  /// For one receiver: up to `count_max` lots of at most `size_max` bytes, each piece in one of
  /// them.
  std::vector<std::string> take(std::size_t count_max, std::size_t size_max, unsigned times_max);

  /// Takes one piece larger than `size_min`, as append() would; empty if there is none.
  std::string take_large(std::size_t size_min, unsigned times_max);

 private:
  struct News {
    std::string part;
    unsigned times = 0;
    std::uint64_t age = 0;  // counts down: the newest is the smallest
  };
  using Order = std::set<std::tuple<unsigned, std::uint64_t, NodeId>>;

  void told(NodeId about, unsigned times_max);

  std::map<NodeId, News> news_;
  Order order_;
  std::uint64_t next_age_ = ~std::uint64_t{0};
};

}  // namespace troupe::placement
