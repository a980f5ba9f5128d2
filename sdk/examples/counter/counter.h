#pragma once

#include <troupe/troupe.h>

/// The smallest actor: something to count, one for every id.
class Counter : public troupe::Actor<int> {
 public:
  int add(int amount) { return state += amount; }
  int value() const { return state; }

  using Methods = troupe::Methods<&Counter::add, &Counter::value>;
};
