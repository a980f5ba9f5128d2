#include "sdk/examples/chat/chat.h"

int main(int argc, char** argv) { return troupe::run<Room, User>(argc, argv); }
