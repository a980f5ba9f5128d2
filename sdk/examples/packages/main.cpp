#include "sdk/examples/packages/packages.h"

int main(int argc, char** argv) { return troupe::run<Package, Shelf, BellTower>(argc, argv); }
