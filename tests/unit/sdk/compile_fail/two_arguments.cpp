#include <troupe/troupe.h>

// expect: a method takes at most one message: put them into a struct
class Cart : public troupe::Actor<> {
 public:
  int add(int number, int price) { return number * price; }
  using Methods = troupe::Methods<&Cart::add>;
};

auto type = troupe::actor_type_of<Cart>();
