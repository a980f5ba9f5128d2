#include <troupe/troupe.h>

// expect: ReadOnlyActorRef<Cart>
class Cart : public troupe::Actor<> {
 public:
  void add(int number) const { actor<Cart>("other").send<&Cart::add>(number); }
  using Methods = troupe::Methods<&Cart::add>;
};
