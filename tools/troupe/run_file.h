#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/troupe/run_settings.h"
#include <troupe/result.h>

namespace troupe::tools {

/// Larger ones are refused: nobody writes one by hand.
inline constexpr std::size_t kRunFileBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kAppsMax = 100;

/// Several apps that run together, each with its node: Dapr's run template.
struct RunFile {
  std::string name;
  std::vector<AppRun> apps;
  /// Keys of Kubernetes, of which nothing comes here.
  std::vector<std::string> idle_keys;
};

/// What paths in a run file are relative to, and whether they are there.
struct RunPlace {
  std::string directory;  // of the file, absolute
  std::string home;       // of the user; for `~`
  std::function<bool(const std::string& path)> exists;
};

/// Reads the text of a run file. What an app does not say, or says with an empty text or 0, it
/// takes from `common`. Paths come out absolute and are there. kInvalid, naming the line, if it is
/// something else, or names what is not there; unknown keys come with the nearest known.
Result<RunFile> parse_run_file(std::string_view text, const RunPlace& place);

}  // namespace troupe::tools
