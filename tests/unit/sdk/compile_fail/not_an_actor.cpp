#include <troupe/troupe.h>

// expect: constraints not satisfied
// expect: ActorClass
struct Cart {};

int main(int argc, char** argv) { return troupe::run<Cart>(argc, argv); }
