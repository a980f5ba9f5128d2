#include "storage/data_directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

// The identity is text, so that people can read it: see README.md. A test pins it.
namespace troupe::storage {
namespace {

constexpr std::string_view kFirstLine = "troupe data directory";
constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kIdentityBytesMax = 4096;
constexpr std::array<std::string_view, 4> kOurs = {"lock", "identity", "identity.new", "store"};

std::string system_message(int error) { return std::generic_category().message(error); }

Failure cannot(std::string_view what, const std::string& path, int error) {
  return fail(Code::kUnavailable,
              "cannot " + std::string(what) + " '" + path + "': " + system_message(error));
}

/// A file descriptor that is closed in the end.
class File {
 public:
  File(const std::string& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::string hexadecimal(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(number >> shift) & 0xf];
  return text;
}

std::string checksum(std::string_view text) {
  return hexadecimal(XXH3_64bits(text.data(), text.size()));
}

std::string encode(const Identity& identity) {
  std::string text(kFirstLine);
  text += "\nformat " + std::to_string(kFormat);
  text += "\ncluster " + identity.cluster;
  text += "\nnode " + to_string(identity.node);
  text += "\ngeneration " + std::to_string(identity.generation.value);
  text += std::string("\nstore ") + (identity.store_created ? "created" : "none") + "\n";
  return text + "checksum " + checksum(text) + "\n";
}

// Takes the line `name value` off the front of `text`.
std::optional<std::string> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  if (end == std::string_view::npos || !line.starts_with(name) || line.size() <= name.size()) {
    return std::nullopt;
  }
  text.remove_prefix(end + 1);
  return std::string(line.substr(name.size() + 1));
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text) return std::nullopt;
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

Result<Identity> decode(std::string_view text, const std::string& path) {
  const Failure broken =
      fail(Code::kDataLoss, "'" + path +
                                "' is damaged: remove this node from its cluster, and start it "
                                "with an empty data directory");
  const std::size_t last = text.rfind("checksum ");
  if (last == std::string_view::npos ||
      text.substr(last) != "checksum " + checksum(text.substr(0, last)) + "\n") {
    return broken;
  }
  text = text.substr(0, last);
  if (!text.starts_with(kFirstLine) || text.size() <= kFirstLine.size()) return broken;
  text.remove_prefix(kFirstLine.size() + 1);
  const std::optional<std::uint64_t> format = number(take_line(text, "format"));
  if (!format) return broken;
  if (*format > kFormat) {
    return fail(Code::kPrecondition, "'" + path + "' was written by a newer version (format " +
                                         std::to_string(*format) + ", this one reads up to " +
                                         std::to_string(kFormat) + "): start that version");
  }
  const std::optional<std::string> cluster = take_line(text, "cluster");
  const std::optional<std::string> node = take_line(text, "node");
  const std::optional<std::uint64_t> generation = number(take_line(text, "generation"));
  const std::optional<std::string> store = take_line(text, "store");
  if (!cluster || !node || !generation || !store || !text.empty()) return broken;
  return Identity{.cluster = *cluster,
                  .node = parse_node_id(*node),
                  .generation = {*generation},
                  .store_created = *store == "created"};
}

Result<std::string> read_file(const std::string& path) {
  const File file(path, O_RDONLY);
  if (file.number() < 0) return cannot("read", path, errno);
  std::string bytes(kIdentityBytesMax, '\0');
  const auto size = ::read(file.number(), bytes.data(), bytes.size());
  if (size < 0) return cannot("read", path, errno);
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

Result<void> sync_directory(const std::string& path) {
  const File directory(path, O_RDONLY | O_DIRECTORY);
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) {
    return cannot("write", path, errno);
  }
  return {};
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.number() < 0) return cannot("write", path, errno);
  while (!bytes.empty()) {
    const auto written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.number()) != 0) return cannot("write", path, errno);
  return {};
}

Result<void> create_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return cannot("make directory", path, error.value());
  const auto parent = std::filesystem::absolute(path, error).parent_path();
  return sync_directory(error ? path : parent.string());
}

Result<std::vector<std::string>> names_in(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator file(path, error), end; !error && file != end;
       file.increment(error)) {
    names.push_back(file->path().filename().string());
  }
  if (error) return cannot("read", path, error.value());
  std::ranges::sort(names);
  return names;
}

// Before anything is written there: a mistyped path must not be filled with our files.
Result<void> refuse_foreign_files(const std::string& path) {
  const Result<std::vector<std::string>> names = names_in(path);
  if (!names) return fail(names.error());
  const bool ours = std::ranges::find(*names, "identity") != names->end();
  for (const std::string& name : *names) {
    if (ours || std::ranges::find(kOurs, name) != kOurs.end()) continue;
    return fail(Code::kPrecondition, "'" + path + "' holds files that are not ours ('" + name +
                                         "'): name an empty directory");
  }
  if (!ours && std::ranges::find(*names, "store") != names->end()) {
    return fail(Code::kDataLoss, "'" + path +
                                     "/identity' is missing beside a store: restore it, or remove "
                                     "this node from its cluster and start it with an empty data "
                                     "directory");
  }
  return {};
}

}  // namespace

Result<DataDirectory> DataDirectory::open_or_create(const std::string& path) {
  if (auto made = create_directory(path); !made) return fail(made.error());
  if (auto foreign = refuse_foreign_files(path); !foreign) return fail(foreign.error());
  const std::string lock_path = path + "/lock";
  File lock(lock_path, O_RDWR | O_CREAT);
  if (lock.number() < 0) return cannot("write", lock_path, errno);
  if (::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return cannot("lock", lock_path, errno);
    return fail(Code::kPrecondition, "another process uses data directory '" + path +
                                         "': stop it, or name another directory");
  }
  DataDirectory directory(path, lock.release());
  const std::string identity_path = path + "/identity";
  std::error_code error;
  if (!std::filesystem::exists(identity_path, error)) {
    if (error) return cannot("read", identity_path, error.value());
    return directory;
  }
  const Result<std::string> text = read_file(identity_path);
  if (!text) return fail(text.error());
  Result<Identity> identity = decode(*text, identity_path);
  if (!identity) return fail(identity.error());
  directory.identity_ = *std::move(identity);
  return directory;
}

DataDirectory::DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      identity_(std::move(other.identity_)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  std::swap(identity_, other.identity_);
  return *this;
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Result<void> DataDirectory::expect_cluster(const std::string& cluster) const {
  if (!identity_ || identity_->cluster.empty() || identity_->cluster == cluster) return {};
  return fail(Code::kPrecondition, "data directory '" + path_ + "' belongs to cluster '" +
                                       identity_->cluster + "', not '" + cluster +
                                       "': name another directory");
}

Result<void> DataDirectory::save(const Identity& identity) {
  if (identity.cluster.find('\n') != std::string::npos || identity.cluster.size() > 1024) {
    return fail(Code::kInvalid, "the id of a cluster is one line of at most 1024 bytes");
  }
  const std::string path = path_ + "/identity";
  const std::string fresh = path + ".new";
  if (auto written = write_file(fresh, encode(identity)); !written) return written;
  if (::rename(fresh.c_str(), path.c_str()) != 0) return cannot("write", path, errno);
  if (auto synced = sync_directory(path_); !synced) return synced;
  identity_ = identity;
  return {};
}

}  // namespace troupe::storage
