#include "sdk/examples/packages/package_index.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace {

// One stanza's fields, as far as they matter here.
struct Stanza {
  std::string name;
  std::string needs;  // Depends and Pre-Depends, joined by commas
  std::string provides;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The pieces of `text` between separators.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    pieces.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return pieces;
}

// `libc6:any (>= 2.36) [amd64]` is `libc6`.
std::string bare_name(std::string_view relation) {
  return std::string(trimmed(relation.substr(0, relation.find_first_of(" \t:([<"))));
}

void add_field(Stanza& stanza, std::string_view name, std::string_view value) {
  if (name == "Package") stanza.name = value;
  if (name == "Provides") stanza.provides = value;
  if (name == "Depends" || name == "Pre-Depends") {
    if (!stanza.needs.empty()) stanza.needs += ',';
    stanza.needs += value;
  }
}

// Pieces of long fields stand on lines that begin with a space.
std::vector<Stanza> read_stanzas(std::istream& text) {
  std::vector<Stanza> stanzas(1);
  std::string name;
  std::string value;
  const auto end_field = [&] {
    if (!name.empty()) add_field(stanzas.back(), name, trimmed(value));
    name.clear();
  };
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
      value += line;
      continue;
    }
    end_field();
    if (line.empty()) {
      if (!stanzas.back().name.empty()) stanzas.emplace_back();
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    name = line.substr(0, colon);
    value = line.substr(colon + 1);
  }
  end_field();
  if (stanzas.back().name.empty()) stanzas.pop_back();
  return stanzas;
}

}  // namespace

PackageIndex read_package_index(std::istream& text) {
  const std::vector<Stanza> stanzas = read_stanzas(text);
  PackageIndex index;
  std::map<std::string, std::string> provided_by;
  for (const Stanza& stanza : stanzas) {
    if (!index.try_emplace(stanza.name).second) continue;
    for (const std::string_view provided : split(stanza.provides, ',')) {
      provided_by.try_emplace(bare_name(provided), stanza.name);
    }
  }
  std::unordered_set<std::string> read;
  for (const Stanza& stanza : stanzas) {
    if (!read.insert(stanza.name).second) continue;
    std::vector<std::string>& needs = index[stanza.name];
    for (const std::string_view alternatives : split(stanza.needs, ',')) {
      for (const std::string_view alternative : split(alternatives, '|')) {
        std::string name = bare_name(alternative);
        const auto provider = provided_by.find(name);
        if (!index.contains(name) && provider == provided_by.end()) continue;
        if (!index.contains(name)) name = provider->second;
        if (name != stanza.name) needs.push_back(std::move(name));
        break;
      }
    }
    std::ranges::sort(needs);
    needs.erase(std::ranges::unique(needs).begin(), needs.end());
  }
  return index;
}

PackageIndex most_needed(const PackageIndex& index, std::size_t packages_max) {
  std::map<std::string_view, std::size_t> needed;
  for (const auto& [name, needs] : index) {
    needed.try_emplace(name);
    for (const std::string& other : needs) ++needed[other];
  }
  std::vector<std::pair<std::string_view, std::size_t>> order(needed.begin(), needed.end());
  std::ranges::sort(order, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (order.size() > packages_max) order.resize(packages_max);
  PackageIndex chosen;
  for (const auto& [name, count] : order) chosen.try_emplace(std::string(name));
  for (auto& [name, needs] : chosen) {
    for (const std::string& other : index.at(name)) {
      if (chosen.contains(other)) needs.push_back(other);
    }
  }
  return chosen;
}

Counts counts_of(const PackageIndex& index) {
  Counts counts;
  for (const auto& [name, needs] : index) {
    for (const std::string& other : needs) ++counts[other].directly;
    std::unordered_set<std::string_view> seen{name};
    std::vector<std::string_view> to_visit{name};
    while (!to_visit.empty()) {
      const auto here = index.find(std::string(to_visit.back()));
      to_visit.pop_back();
      for (const std::string& other : here->second) {
        if (!seen.insert(other).second) continue;
        to_visit.push_back(other);
        ++counts[other].in_all;
      }
    }
  }
  return counts;
}

std::vector<std::string> ranking(const Counts& counts) {
  std::vector<std::string> names;
  for (const auto& [name, count] : counts) names.push_back(name);
  std::ranges::sort(names, [&](const std::string& a, const std::string& b) {
    const std::uint32_t of_a = counts.at(a).directly;
    const std::uint32_t of_b = counts.at(b).directly;
    return of_a != of_b ? of_a > of_b : a < b;
  });
  return names;
}
