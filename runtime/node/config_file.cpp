#include "runtime/node/config_file.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include <toml++/toml.h>

namespace troupe::node {
namespace {

std::string place(const toml::source_region& source) {
  return "line " + std::to_string(source.begin.line) + ", column " +
         std::to_string(source.begin.column) + ": ";
}

std::optional<std::string> scalar(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
  return std::nullopt;
}

Result<std::vector<std::string>> values_of(const std::string& name, const toml::node& node) {
  std::vector<std::string> values;
  const auto refuse = [&](const toml::node& at) {
    return fail(Code::kInvalid, place(at.source()) + "'" + name +
                                    "' must be a text, a whole number, true, false, or a list of "
                                    "such; there are no sections");
  };
  const toml::array* const list = node.as_array();
  if (list == nullptr) {
    std::optional<std::string> value = scalar(node);
    if (!value) return refuse(node);
    values.push_back(*std::move(value));
    return values;
  }
  for (const toml::node& each : *list) {
    std::optional<std::string> value = scalar(each);
    if (!value) return refuse(each);
    values.push_back(*std::move(value));
  }
  return values;
}

}  // namespace

Result<std::vector<ConfigLine>> parse_config(std::string_view text) {
  if (text.size() > kConfigSizeMax) return fail(Code::kInvalid, "it is larger than 1 MiB");
  std::vector<ConfigLine> lines;
  try {
    for (const auto& [key, node] : toml::parse(text)) {
      const std::string name(key.str());
      Result<std::vector<std::string>> values = values_of(name, node);
      if (!values) return fail(values.error());
      lines.push_back({.name = name,
                       .values = *std::move(values),
                       .line = static_cast<std::size_t>(key.source().begin.line)});
    }
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalid, place(error.source()) + std::string(error.description()));
  }
  std::ranges::sort(lines, {}, &ConfigLine::line);
  return lines;
}

Result<std::vector<ConfigLine>> read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "it cannot be opened");
  std::string text(kConfigSizeMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) return fail(Code::kNotFound, "it cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_config(text);
}

}  // namespace troupe::node
