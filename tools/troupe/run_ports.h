#pragma once

#include <string>

#include "tools/troupe/run_settings.h"
#include <troupe/result.h>

namespace troupe::tools {

/// The ports that `run` asks for, and free ones for the rest of the APIs. kUnavailable, naming port
/// and flag, if one that it asks for is taken, also that of the app if it has a command. Others may
/// take a port before it is used.
Result<RunPorts> choose_ports(const AppRun& run);

/// Whether somebody listens there, on this machine. Does not wait.
bool is_listening(std::uint16_t port);

}  // namespace troupe::tools
