#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <troupe/result.h>

namespace troupe::tools {

/// A program started by this one: its output comes back through a pipe, its input is empty, and the
/// system kills it should this process end first, however it ends. Belongs to one thread.
class ChildProcess {
 public:
  struct Surroundings {
    std::string directory = {};  // where it runs; empty: here
    /// Names and values beside the inherited ones, and stronger than they; the last one wins.
    std::vector<std::pair<std::string, std::string>> environment = {};
  };

  /// `arguments[0]` is the program: a path, or a name to be found in PATH. kNotFound if it cannot
  /// be run.
  static Result<ChildProcess> start(const std::vector<std::string>& arguments,
                                    const Surroundings& surroundings);
  static Result<ChildProcess> start(const std::vector<std::string>& arguments) {
    return start(arguments, {});
  }

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Kills it if it still runs.
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  /// Readable when there is output; at its end when all who hold it have gone.
  int output() const { return output_; }
  /// What there is now, without waiting; false at the end.
  bool read_output(std::string& text);

  /// Whether there is output, or its end, at this moment.
  bool has_output() const;

  /// Kills it, if it still runs, and waits until it is gone.
  void kill_and_wait();

  /// Sends a signal, if it still runs.
  void signal(int number);
  /// The same for it and all it has started, unless they left its group; also after its own end, if
  /// somebody still holds its output.
  void signal_all(int number);

  /// How it ended, for people ("exited with status 1", "was killed by signal 9"); empty while it
  /// runs. Does not wait.
  const std::string& ended();
  /// What a shell would say of its end: its status, or 128 and its signal. Nothing while it runs.
  std::optional<int> exit_code();

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}
  void note_end(int status);

  pid_t pid_;
  int output_;
  std::string ended_;
  int exit_code_ = 0;  // once it has ended
};

}  // namespace troupe::tools
