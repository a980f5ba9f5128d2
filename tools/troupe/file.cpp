#include "tools/troupe/file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::tools {
namespace {

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr std::size_t kReadBytes = 1U << 20U;

Failure failure(const std::string& what, const std::string& path, Code code = Code::kInternal) {
  return fail(code, "cannot " + what + " " + path + ": " + std::generic_category().message(errno));
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::exists(path, unknown)) {
    return fail(Code::kConflict, path + " is there already; choose another name, or remove it");
  }
  const std::string partial = path + ".partial";
  // What an earlier try left is of no use. A link is not followed.
  ::unlink(partial.c_str());
  const int file =
      ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
  if (file < 0) return failure("create", partial);
  return NewFile(path, file);
}

NewFile::~NewFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(partial().c_str());
}

Result<void> NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure("write", partial());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> NewFile::finish() {
  if (::fsync(file_) != 0) return failure("sync", partial());
  // Not over one that has come meanwhile, where the file system can see to that.
  if (::link(partial().c_str(), path_.c_str()) == 0) {
    ::unlink(partial().c_str());
  } else if (errno == EEXIST || ::rename(partial().c_str(), path_.c_str()) != 0) {
    return failure("name", path_);
  }
  const std::string directory = std::filesystem::path(path_).parent_path();
  const int above =
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return failure("open", directory);
  const bool synced = ::fsync(above) == 0;
  ::close(above);
  ::close(std::exchange(file_, -1));
  if (!synced) return failure("sync", directory);
  return {};
}

Result<OldFile> OldFile::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return failure("open", path, errno == ENOENT ? Code::kNotFound : Code::kInternal);
  }
  return OldFile(path, file);
}

OldFile::~OldFile() {
  if (file_ >= 0) ::close(file_);
}

Result<std::string> OldFile::read(std::size_t size) {
  std::string bytes;
  // In steps: a size that a damaged file names costs no more than what is there.
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    bytes.resize(before + std::min(size - before, kReadBytes));
    const ssize_t got = ::read(file_, bytes.data() + before, bytes.size() - before);
    bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("read", path_);
    if (got == 0) break;
  }
  return bytes;
}

Result<std::size_t> OldFile::size() const {
  struct stat facts{};
  if (::fstat(file_, &facts) != 0) return failure("look at", path_);
  return static_cast<std::size_t>(facts.st_size);
}

}  // namespace troupe::tools
