#include <troupe/troupe.h>

// expect: an interleaved method is const: it runs while another turn changes the state
class Cart : public troupe::Actor<> {
 public:
  void add() {}
  using Methods = troupe::Methods<troupe::interleave<&Cart::add>>;
};

auto type = troupe::actor_type_of<Cart>();
