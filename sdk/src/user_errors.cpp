#include "sdk/src/user_errors.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <cxxabi.h>

#include <troupe/error.h>

namespace troupe::detail {
namespace {

constexpr std::size_t kNamesShownMax = 8;

std::string readable(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : mangled;
}

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

// How many letters to insert, drop or replace.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

}  // namespace

Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const ActorError& error) {
    return error.error();
  } catch (const std::exception& error) {
    return {Code::kApplication, readable(typeid(error).name()) + ": " + error.what()};
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return {Code::kApplication,
            "threw " + (type ? readable(type->name()) : std::string("an unknown exception"))};
  }
}

Error no_such_method(const ActorClassTable& table, std::string_view method) {
  std::vector<std::pair<std::size_t, std::string>> names;
  for (const ClassMethod& each : table.methods) {
    // A name from outside may be of any length.
    const std::size_t far = method.size() > 100 ? method.size() : distance(method, each.info.name);
    names.emplace_back(far, each.info.name);
  }
  std::ranges::sort(names);
  std::string message =
      "actor type '" + table.name + "' has no method '" + std::string(method.substr(0, 100)) + "'";
  if (!names.empty() && names.front().first <= 1 + method.size() / 3) {
    message += ", did you mean '" + names.front().second + "'?";
  }
  const std::size_t shown = std::min(names.size(), kNamesShownMax);
  message += shown == 0 ? "; it has none" : "; it has ";
  for (std::size_t i = 0; i < shown; ++i) message += (i > 0 ? ", " : "") + names[i].second;
  if (shown < names.size()) message += ", ...";
  return {Code::kUnimplemented, message};
}

}  // namespace troupe::detail
