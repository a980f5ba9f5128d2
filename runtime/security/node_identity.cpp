#include "runtime/security/node_identity.h"

#include <chrono>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/security/openssl.h"

namespace troupe::security {
namespace {

constexpr long kValidBeforeSeconds = 24L * 3'600;
constexpr long kValidDays = 20 * 365;

void must(bool done) { check(done, "OpenSSL makes keys and certificates"); }

struct Authority {
  OwnedKey key;
  OwnedCertificate certificate;
};

void add_extension(X509& certificate, X509& issuer, int kind, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  must(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

void set_name(X509& certificate, const char* name) {
  must(X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_UTF8,
                                  bytes_of(std::string_view(name)), -1, -1, 0) == 1);
}

OwnedCertificate new_certificate(EVP_PKEY& key, const char* name, WallTime now) {
  OwnedCertificate certificate(X509_new());
  must(certificate != nullptr);
  std::time_t from =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  X509_set_version(certificate.get(), 2);  // that is version 3
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), from);
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), 0, -kValidBeforeSeconds, &from);
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), int{kValidDays}, 0, &from);
  must(X509_set_pubkey(certificate.get(), &key) == 1);
  set_name(*certificate, name);
  return certificate;
}

Authority authority(const ClusterKey& cluster, std::size_t which, WallTime now) {
  std::string seed = cluster.derive(which, "troupe authority");
  Authority made;
  made.key.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size()));
  OPENSSL_cleanse(seed.data(), seed.size());
  must(made.key != nullptr);
  // Two authorities have two names: certificates say by it who signed them.
  const std::string mark = cluster.derive(which, "troupe authority: name").substr(0, 8);
  std::string name = "troupe cluster ";
  for (const char byte : mark) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    name += kDigits[static_cast<unsigned char>(byte) >> 4U];
    name += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  made.certificate = new_certificate(*made.key, name.c_str(), now);
  X509& own = *made.certificate;
  X509_set_issuer_name(&own, X509_get_subject_name(&own));
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(own, own, NID_key_usage, "critical,keyCertSign");
  must(X509_sign(&own, made.key.get(), nullptr) > 0);
  return made;
}

std::string text_of(BIO& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(&bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem(X509& certificate) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(bio.get(), &certificate) == 1);
  return text_of(*bio);
}

std::string pem(EVP_PKEY& key) {
  const OwnedBio bio(BIO_new(BIO_s_secmem()));
  must(PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(*bio);
}

}  // namespace

NodeIdentity make_identity(const ClusterKey& key, WallTime now) {
  NodeIdentity identity;
  Authority signer = authority(key, 0, now);
  identity.authorities = pem(*signer.certificate);
  for (std::size_t i = 1; i < key.size(); ++i) {
    identity.authorities += pem(*authority(key, i, now).certificate);
  }
  const OwnedKey own(EVP_EC_gen("P-256"));
  must(own != nullptr);
  const OwnedCertificate certificate = new_certificate(*own, NodeIdentity::kName, now);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer.certificate.get()));
  const std::string names = std::string("DNS:") + NodeIdentity::kName;
  add_extension(*certificate, *signer.certificate, NID_subject_alt_name, names.c_str());
  add_extension(*certificate, *signer.certificate, NID_ext_key_usage, "serverAuth,clientAuth");
  must(X509_sign(certificate.get(), signer.key.get(), nullptr) > 0);
  identity.certificate = pem(*certificate);
  identity.key = pem(*own);
  return identity;
}

}  // namespace troupe::security
