#include <troupe/troupe.h>

// expect: Cart::hidden
// expect: constraints not satisfied
class Cart : public troupe::Actor<> {
 public:
  int add(int number) { return number; }
  void hidden() {}
  using Methods = troupe::Methods<&Cart::add>;
};

void use(const troupe::Client& client) { client.actor<Cart>("c").call<&Cart::hidden>().get(); }
