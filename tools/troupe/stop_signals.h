#pragma once

#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

namespace troupe::tools {

/// SIGINT and SIGTERM as something to be read, instead of an interruption, for as long as it lives.
/// Made before the threads of a program, which inherit that they are blocked.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&wanted_);
    ::sigaddset(&wanted_, SIGINT);
    ::sigaddset(&wanted_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &wanted_, &before_);
    file_ = ::signalfd(-1, &wanted_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~StopSignals() {
    while (taken()) {
    }
    ::close(file_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Readable when there was one.
  int file() const { return file_; }
  /// Whether there was one; takes it.
  bool taken() const {
    signalfd_siginfo signal{};
    return ::read(file_, &signal, sizeof signal) == sizeof signal;
  }

 private:
  sigset_t wanted_{};
  sigset_t before_{};
  int file_ = -1;
};

}  // namespace troupe::tools
