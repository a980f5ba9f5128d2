#include "sdk/examples/cart/cart.h"

int main(int argc, char** argv) { return troupe::run<Cart, Wallet>(argc, argv); }
