#include <string>

#include <troupe/client.h>

// expect: a one-way method has no reply to wait for: send() it
struct Log : troupe::Actor<> {
  void note(const std::string& /*line*/) {}
  using Methods = troupe::Methods<troupe::one_way<&Log::note>>;
};

void note(const troupe::Client& client) { client.actor<Log>("log").call<&Log::note>("line").get(); }
