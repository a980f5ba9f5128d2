#include "tests/faults/cluster/errands.h"

int main(int argc, char** argv) {
  return troupe::run<troupe::Clerk, troupe::Addressee>(argc, argv);
}
