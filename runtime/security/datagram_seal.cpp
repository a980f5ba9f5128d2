#include "runtime/security/datagram_seal.h"

#include <algorithm>
#include <utility>

#include <openssl/rand.h>

#include "runtime/base/check.h"
#include "runtime/security/openssl.h"

namespace troupe::security {
namespace {

constexpr std::string_view kMagic = "TRS1";
constexpr std::size_t kMarkSize = 4;
constexpr std::size_t kSenderSize = 16;
constexpr std::size_t kNumberSize = 8;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kHeaderSize = kMagic.size() + kMarkSize + kSenderSize + kNumberSize;
static_assert(DatagramSeal::kOverhead == kHeaderSize + kTagSize);

std::string big_endian(std::uint64_t number) {
  std::string bytes(kNumberSize, '\0');
  for (std::size_t i = 0; i < kNumberSize; ++i) {
    bytes[kNumberSize - 1 - i] = static_cast<char>(number >> (8 * i));
  }
  return bytes;
}

std::uint64_t number_in(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

// The number's eight bytes behind four empty ones.
std::string nonce_of(std::string_view header) {
  return std::string(kNonceSize - kNumberSize, '\0') +
         std::string(header.substr(kHeaderSize - kNumberSize));
}

std::string encrypt(std::string_view key, std::string header, std::string_view text) {
  const OwnedCipherContext context(EVP_CIPHER_CTX_new());
  const std::string nonce = nonce_of(header);
  std::string sealed = std::move(header);
  sealed.resize(kHeaderSize + text.size() + kTagSize);
  unsigned char* const body = bytes_of(sealed) + kHeaderSize;
  int length = 0;
  bool done = EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                                 bytes_of(nonce)) == 1;
  done = done && EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(sealed),
                                   static_cast<int>(kHeaderSize)) == 1;
  done = done && EVP_EncryptUpdate(context.get(), body, &length, bytes_of(text),
                                   static_cast<int>(text.size())) == 1;
  done = done && EVP_EncryptFinal_ex(context.get(), body + length, &length) == 1;
  done = done && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, int{kTagSize},
                                     body + text.size()) == 1;
  check(done, "OpenSSL has AES-256-GCM");
  return sealed;
}

// Nothing if it was not made with this key, or was changed.
std::optional<std::string> decrypt(std::string_view key, std::string_view sealed) {
  const OwnedCipherContext context(EVP_CIPHER_CTX_new());
  const std::string nonce = nonce_of(sealed.substr(0, kHeaderSize));
  const std::string_view body = sealed.substr(kHeaderSize, sealed.size() - DatagramSeal::kOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  std::string text(body.size(), '\0');
  int length = 0;
  const bool genuine =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                         bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &length, bytes_of(sealed),
                        static_cast<int>(kHeaderSize)) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes_of(text), &length, bytes_of(body),
                        static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, int{kTagSize}, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes_of(text) + length, &length) == 1;
  if (!genuine) return std::nullopt;
  return text;
}

}  // namespace

bool ReplayWindow::take(std::uint64_t number) {
  if (number > highest_) {
    const std::uint64_t ahead = number - highest_;
    seen_ = ahead < kWidth ? seen_ << ahead : std::bitset<kWidth>();
    highest_ = number;
  }
  const std::uint64_t behind = highest_ - number;
  if (behind >= kWidth || seen_[behind]) return false;
  seen_[behind] = true;
  return true;
}

DatagramSeal::DatagramSeal(ClusterKey key) : key_(std::move(key)) {
  for (std::size_t i = 0; i < key_.size(); ++i) {
    marks_.push_back(key_.derive(i, "troupe datagrams: which secret").substr(0, kMarkSize));
  }
  std::string sender(kSenderSize, '\0');
  check(RAND_bytes(bytes_of(sender), int{kSenderSize}) == 1, "the machine has random numbers");
  header_ = std::string(kMagic) + marks_[0] + sender;
  own_key_ = sender_key(marks_[0], sender);
}

DatagramSeal::~DatagramSeal() { OPENSSL_cleanse(own_key_.data(), own_key_.size()); }

std::string DatagramSeal::sender_key(std::string_view mark, std::string_view sender) const {
  const auto which = std::ranges::find(marks_, mark);
  if (which == marks_.end()) return {};
  return key_.derive(static_cast<std::size_t>(which - marks_.begin()),
                     "troupe datagrams of " + std::string(sender));
}

std::string DatagramSeal::seal(std::string_view text) {
  const std::uint64_t number = state_.with([](State& state) { return state.next_number++; });
  return encrypt(own_key_, header_ + big_endian(number), text);
}

std::optional<std::string> DatagramSeal::open(std::string_view datagram) {
  if (datagram.size() < kOverhead || !datagram.starts_with(kMagic)) return std::nullopt;
  const std::string_view mark = datagram.substr(kMagic.size(), kMarkSize);
  // A sender is remembered together with the secret it uses.
  SenderId id(datagram.substr(kMagic.size(), kMarkSize + kSenderSize));
  std::string key = state_.with([&](State& state) {
    const auto known = state.senders.find(id);
    return known == state.senders.end() ? std::string() : known->second.key;
  });
  if (key.empty()) key = sender_key(mark, std::string_view(id).substr(kMarkSize));
  if (key.empty()) return std::nullopt;
  std::optional<std::string> text = decrypt(key, datagram);
  if (!text) return std::nullopt;
  const std::uint64_t number = number_in(datagram.substr(kHeaderSize - kNumberSize, kNumberSize));
  const bool fresh = state_.with([&](State& state) {
    if (!state.senders.contains(id)) remember(state, id, std::move(key));
    Sender& sender = state.senders.at(id);
    sender.last_used = ++state.opened;
    return sender.seen.take(number);
  });
  if (!fresh) return std::nullopt;
  return text;
}

// Only senders that know the secret come here, so nobody else can make others be forgotten.
void DatagramSeal::remember(State& state, SenderId id, std::string key) const {
  if (state.senders.size() >= kSendersMax) {
    state.senders.erase(std::ranges::min_element(
        state.senders, {}, [](const auto& each) { return each.second.last_used; }));
  }
  state.senders[std::move(id)].key = std::move(key);
}

}  // namespace troupe::security
