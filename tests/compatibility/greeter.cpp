// The actors that clients of other languages call in the compatibility tests.
#include <map>
#include <string>
#include <vector>

#include <troupe/troupe.h>

struct Greeting {
  std::string text;
  int count = 0;
};

/// A call to be made of an actor in another language.
struct Forward {
  std::string type;
  std::string id;
  std::string method;
  troupe::Json message;
};

struct GreeterState {
  int count = 0;
  std::vector<std::string> ticks;  // what timers and reminders brought, as JSON
};

/// Greets, counts, and remembers what timers and reminders bring.
class Greeter : public troupe::Actor<GreeterState> {
 public:
  Greeting greet(std::string name) { return {.text = "hello, " + name, .count = ++state.count}; }
  /// For clients that send the list of a method's arguments.
  Greeting greet_all(std::vector<std::string> names) {
    Greeting greeting;
    for (const std::string& name : names) greeting = greet(name);
    return greeting;
  }
  int count() const { return state.count; }
  troupe::Task<troupe::Json> forward(Forward to) {
    const troupe::ForeignActorRef target = actor(troupe::ActorKey{to.type, to.id});
    co_return co_await target.call<troupe::Json>(to.method, to.message);
  }
  void refuse() { throw troupe::ActorError("not today"); }
  /// What timers and reminders call.
  void tick(troupe::Json data) { state.ticks.push_back(data.text()); }
  std::vector<std::string> ticks() const { return state.ticks; }

  using Methods =
      troupe::Methods<&Greeter::greet, &Greeter::greet_all, &Greeter::count, &Greeter::forward,
                      &Greeter::refuse, &Greeter::tick, &Greeter::ticks>;
};

int main(int argc, char** argv) { return troupe::run<Greeter>(argc, argv); }
