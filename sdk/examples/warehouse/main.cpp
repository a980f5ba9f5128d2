#include "sdk/examples/warehouse/warehouse.h"

int main(int argc, char** argv) { return troupe::run<Shelf>(argc, argv); }
