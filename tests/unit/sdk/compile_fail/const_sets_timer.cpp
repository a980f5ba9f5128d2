#include <troupe/troupe.h>

// expect: set_timer
class Cart : public troupe::Actor<> {
 public:
  void tick() const { set_timer<&Cart::tick>({.after = std::chrono::seconds(1)}); }
  using Methods = troupe::Methods<&Cart::tick>;
};
