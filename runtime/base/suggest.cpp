#include "runtime/base/suggest.h"

#include <algorithm>
#include <cstddef>

namespace troupe {
namespace {

constexpr std::size_t kLengthMax = 64;  // nothing we offer is longer

// Letters left out, added, changed, or swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto row = [&] { return std::vector<std::size_t>(b.size() + 1); };
  std::vector<std::size_t> before = row();
  std::vector<std::size_t> last = row();
  std::vector<std::size_t> here = row();
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    here[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      here[j] =
          std::min({last[j] + 1, here[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        here[j] = std::min(here[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, here);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view given, const std::vector<std::string>& known) {
  if (given.size() > kLengthMax) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t away = distance(given, candidate);
    if (away < best_distance) {
      best_distance = away;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& known) {
  const std::optional<std::string> meant = nearest(given, known);
  return meant ? "; did you mean '" + *meant + "'?" : "";
}

}  // namespace troupe
