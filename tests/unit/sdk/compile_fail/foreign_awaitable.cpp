#include <coroutine>

#include <troupe/troupe.h>

// expect: Awaitable
class Cart : public troupe::Actor<> {
 public:
  troupe::Task<> add() { co_await std::suspend_always(); }
  using Methods = troupe::Methods<&Cart::add>;
};
