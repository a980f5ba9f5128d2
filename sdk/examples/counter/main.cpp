#include "sdk/examples/counter/counter.h"

int main(int argc, char** argv) { return troupe::run<Counter>(argc, argv); }
