// For what speaks gRPC: its headers cost more than all others of such a file together.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include "tools/pch/pch.h"
