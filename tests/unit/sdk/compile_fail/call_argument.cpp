#include <string>

#include <troupe/troupe.h>

// expect: const char
// expect: ArgumentOf<&Cart::add>
class Cart : public troupe::Actor<> {
 public:
  int add(int number) { return number; }
  using Methods = troupe::Methods<&Cart::add>;
};

int use(const troupe::Client& client) {
  return client.actor<Cart>("c").call<&Cart::add>("tea").get();
}
