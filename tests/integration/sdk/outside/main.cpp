// A program outside of the source tree, as a user's.
#include <string>

#include <troupe/troupe.h>

struct Note {
  std::string text;
};

class Notebook : public troupe::Actor<Note> {
 public:
  void write(std::string text) { state.text = std::move(text); }
  std::string read() const { return state.text; }
  using Methods = troupe::Methods<&Notebook::write, &Notebook::read>;
};

int main(int argc, char** argv) { return troupe::run<Notebook>(argc, argv); }
