#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "runtime/base/check.h"

namespace troupe {

/// A directory of its own, gone with everything in it in the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = std::filesystem::temp_directory_path().string() + "/troupe-test-XXXXXX";
    check(::mkdtemp(path_.data()) != nullptr, "tests can make directories");
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace troupe
