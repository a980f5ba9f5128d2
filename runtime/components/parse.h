#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/components/fields.h"
#include "runtime/components/resource.h"

namespace troupe::components {

/// What a file says: its resources, and what is wrong in it. A document with an error gives no
/// resource and does not keep others from being read; documents of other kinds are passed over.
struct Parsed {
  std::vector<Resource> resources = {};
  std::vector<Problem> problems = {};
};

/// The value of an environment variable; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the text of a file of resources. Pure. `file` is for messages.
Parsed parse_resources(std::string_view text, const std::string& file);

/// The same of a file given as Dapr's configuration: `$VAR` and `${VAR}` are replaced in all of it
/// first, by nothing where they are not set.
Parsed parse_configuration(std::string_view text, const std::string& file,
                           const Environment& environment);

/// Two resources of a kind may not have one name: of such, the first stays, and each other is an
/// error that names both places.
void refuse_duplicates(Parsed& all);

/// What it takes to come from one set of resources to another, by kind and name.
struct Difference {
  std::vector<Resource> gone = {};
  std::vector<Resource> changed = {};  // as they are now
  std::vector<Resource> added = {};

  bool empty() const { return gone.empty() && changed.empty() && added.empty(); }
};

/// To be applied in the order of its members. Pure.
Difference difference(const std::vector<Resource>& before, const std::vector<Resource>& after);

}  // namespace troupe::components
