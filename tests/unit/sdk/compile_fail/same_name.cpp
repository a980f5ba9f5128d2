#include <troupe/troupe.h>

// expect: two methods of this list have the same name
class Cart : public troupe::Actor<> {
 public:
  void add() {}
  void put() {}
  using Methods = troupe::Methods<&Cart::add, troupe::named<"add", &Cart::put>>;
};

auto type = troupe::actor_type_of<Cart>();
