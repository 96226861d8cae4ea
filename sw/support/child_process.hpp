// Other programs, run and waited for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace abacus::support {

// A program started here inherits our standard streams, as far as they are not redirected, and no
// other open file. It ends by SIGTERM when we end.

enum class ChildOutput { to_stderr, to_stdout, discard };

// Runs a program and waits for it; `output` says where its stdout goes, its stderr is ours. Returns
// its exit status, 128 + the signal where one ended it. Throws std::runtime_error where it cannot
// be started, Stopped (stop_request.hpp) where we are asked to stop while it runs (it is told to
// stop first).
int run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                ChildOutput output);

struct ProgramOutput {
  int status = 0;
  std::string out;  // stdout
  std::string err;  // stderr
};

// The same, for a program whose answer is wanted.
ProgramOutput capture_program(const std::filesystem::path& program,
                              const std::vector<std::string>& arguments);

// A program that answers line by line.
class Dialogue {
 public:
  // Starts it. Throws std::runtime_error.
  Dialogue(const std::filesystem::path& program, const std::vector<std::string>& arguments);
  // Ends it.
  ~Dialogue();
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  // Its next line, after ours. Throws std::runtime_error where it has ended, Stopped where we are asked to stop.
  std::string ask(const std::string& line);

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace abacus::support
