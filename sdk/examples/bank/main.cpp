#include "sdk/examples/bank/bank.h"

int main(int argc, char** argv) { return troupe::run<Account, Auditor>(argc, argv); }
