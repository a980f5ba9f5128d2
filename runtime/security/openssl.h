#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/// What this component needs of OpenSSL's objects: owned ones, and bytes as it wants them.
namespace troupe::security {

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <class T, auto kFree>
using Owned = std::unique_ptr<T, Freer<kFree>>;

using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedCertificate = Owned<X509, X509_free>;
using OwnedExtension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedKdf = Owned<EVP_KDF, EVP_KDF_free>;
using OwnedKdfContext = Owned<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using OwnedCipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

inline const unsigned char* bytes_of(std::string_view text) {
  return std::bit_cast<const unsigned char*>(text.data());
}
inline unsigned char* bytes_of(std::string& text) {
  return std::bit_cast<unsigned char*>(text.data());
}

}  // namespace troupe::security
