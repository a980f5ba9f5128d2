#include "runtime/security/node_identity.h"

#include <string>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace troupe::security {
namespace {

const WallTime kNow = WallTime(std::chrono::hours(500'000));
const std::string kOld(32, 'o');
const std::string kNew(32, 'n');

NodeIdentity identity(const std::string& key, WallTime now = kNow) {
  return make_identity(ClusterKey::parse(key).value(), now);
}

using Certificate = std::unique_ptr<X509, decltype([](X509* x) { X509_free(x); })>;
using Bio = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })>;

// Whether one who holds `own` believes one who shows `other`'s certificate, at `now`.
bool believes(const NodeIdentity& own, const NodeIdentity& other, WallTime now = kNow) {
  const Bio authorities(BIO_new_mem_buf(own.authorities.data(), -1));
  X509_STORE* store = X509_STORE_new();
  while (const Certificate each{PEM_read_bio_X509(authorities.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(store, each.get());
  }
  const Bio shown(BIO_new_mem_buf(other.certificate.data(), -1));
  const Certificate certificate(PEM_read_bio_X509(shown.get(), nullptr, nullptr, nullptr));
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate.get(), nullptr);
  X509_STORE_CTX_set_time(
      context, 0, std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const bool verified = X509_verify_cert(context) == 1 &&
                        X509_check_host(certificate.get(), NodeIdentity::kName, 0, 0, nullptr) == 1;
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return verified;
}

TEST(NodeIdentity, WhoKnowsTheSecretIsBelieved) {
  EXPECT_TRUE(believes(identity(kOld), identity(kOld)));
  EXPECT_NE(identity(kOld).key, identity(kOld).key);
}

TEST(NodeIdentity, WhoKnowsAnotherIsNot) {
  EXPECT_FALSE(believes(identity(kOld), identity(kNew)));
  EXPECT_FALSE(believes(identity(kNew), identity(kOld)));
}

TEST(NodeIdentity, ASecretIsChangedWithoutAPause) {
  const NodeIdentity before = identity(kOld);
  const NodeIdentity added = identity(kOld + "\n" + kNew);
  const NodeIdentity swapped = identity(kNew + "\n" + kOld);
  const NodeIdentity after = identity(kNew);
  EXPECT_TRUE(believes(added, before) && believes(before, added));
  EXPECT_TRUE(believes(swapped, added) && believes(added, swapped));
  EXPECT_TRUE(believes(after, swapped) && believes(swapped, after));
}

TEST(NodeIdentity, ClocksMayDifferByADayAndProcessesLastForYears) {
  const NodeIdentity mine = identity(kOld, kNow - std::chrono::hours(23));
  EXPECT_TRUE(believes(mine, identity(kOld)));
  EXPECT_TRUE(believes(mine, identity(kOld), kNow + std::chrono::hours(24 * 365 * 10)));
}

}  // namespace
}  // namespace troupe::security
