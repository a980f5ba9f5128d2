#include "runtime/security/cluster_key.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "runtime/base/check.h"
#include "runtime/security/openssl.h"

namespace troupe::security {
namespace {

constexpr std::size_t kDerivedSize = 32;
constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view line) {
  const std::size_t from = line.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return line.substr(from, line.find_last_not_of(kSpace) + 1 - from);
}

OSSL_PARAM octets(const char* name, std::string_view bytes) {
  // OpenSSL's parameters are not const, and are only read.
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

}  // namespace

Result<ClusterKey> ClusterKey::parse(std::string_view text) {
  ClusterKey key;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.size() < kSecretSizeMin) {
      return fail(Code::kInvalid, "a secret has " + std::to_string(line.size()) +
                                      " characters; at least " + std::to_string(kSecretSizeMin) +
                                      " are needed, as `openssl rand -hex 32` makes them");
    }
    key.secrets_.emplace_back(line);
  }
  if (key.secrets_.empty() || key.secrets_.size() > kSecretsMax) {
    return fail(Code::kInvalid, "there are " + std::to_string(key.secrets_.size()) +
                                    " secrets; there must be one a line, and one or two of them");
  }
  return key;
}

Result<ClusterKey> ClusterKey::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad()) {
    return fail(Code::kInvalid, "cannot read the cluster's key from " + path);
  }
  if (text.size() > kFileSizeMax) return fail(Code::kInvalid, path + " is too large for a key");
  Result<ClusterKey> key = parse(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!key) return fail(Code::kInvalid, path + ": " + key.error().message);
  return key;
}

ClusterKey::~ClusterKey() {
  for (std::string& secret : secrets_) OPENSSL_cleanse(secret.data(), secret.size());
}

std::string ClusterKey::derive(std::size_t which, std::string_view purpose) const {
  check(which < secrets_.size(), "a secret of the key");
  static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);  // for good
  const OwnedKdfContext context(EVP_KDF_CTX_new(algorithm));
  std::string digest = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      octets(OSSL_KDF_PARAM_KEY, secrets_[which]), octets(OSSL_KDF_PARAM_INFO, purpose),
      OSSL_PARAM_construct_end()};
  std::string derived(kDerivedSize, '\0');
  const int made = EVP_KDF_derive(context.get(), bytes_of(derived), derived.size(), parameters);
  check(made == 1, "OpenSSL has HKDF with SHA-256");
  return derived;
}

}  // namespace troupe::security
