#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/result.h>

namespace troupe::tools {

/// A file that is there whole or not at all: it is written beside its place, readable by its owner
/// only, and takes its place when it is done and on the disk. Errors name file and reason.
class NewFile {
 public:
  /// kConflict if there is such a file already.
  static Result<NewFile> create(const std::string& path);
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  NewFile& operator=(NewFile&&) = delete;
  /// Removes what was not finished.
  ~NewFile();

  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  NewFile(std::string path, int file) : path_(std::move(path)), file_(file) {}
  std::string partial() const { return path_ + ".partial"; }

  std::string path_;
  int file_;
};

/// A file to be read from its beginning to its end.
class OldFile {
 public:
  static Result<OldFile> open(const std::string& path);
  OldFile(OldFile&& other) noexcept
      : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  OldFile& operator=(OldFile&&) = delete;
  ~OldFile();

  /// The next `size` bytes; fewer at its end.
  Result<std::string> read(std::size_t size);
  Result<std::size_t> size() const;

 private:
  OldFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_;
};

}  // namespace troupe::tools
