#include "sw/support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/error.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "sw/support/new_process.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::support {
namespace {

namespace process = boost::process;

// Set-up of the new process before the program runs in it, beside the redirections. It comes after
// them: Boost keeps the order of its arguments.
class ChildSetup : public process::extend::handler {
 public:
  template <typename Executor>
  void on_exec_setup(Executor&) const {
    become_child(parent_);
    // Boost 1.74's limit_handles would close the standard streams and the pipe on which it reports a
    // failed exec, too.
    if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    // A kernel before 5.11.
    const int descriptors = static_cast<int>(::sysconf(_SC_OPEN_MAX));
    for (int i = STDERR_FILENO + 1; i < descriptors; ++i) ::fcntl(i, F_SETFD, FD_CLOEXEC);
  }
  // Boost leaves a process that could not become the program unreaped.
  template <typename Executor>
  void on_error(Executor& executor, const std::error_code&) const {
    if (executor.pid > 0) ::waitpid(executor.pid, nullptr, 0);
  }

 private:
  pid_t parent_ = ::getpid();
};

template <typename... Redirections>
process::child start(const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, Redirections&&... redirections) {
  flush_streams();
  std::error_code error;
  process::child child(process::exe = program.string(), process::args = arguments,
                       std::forward<Redirections>(redirections)..., ChildSetup(), error);
  if (error) {
    throw std::runtime_error("cannot run " + program.string() + ": " + error.message());
  }
  return child;
}

process::child start(const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, ChildOutput output) {
  switch (output) {
    case ChildOutput::to_stderr:
      return start(program, arguments, process::std_out > stderr);
    case ChildOutput::discard:
      return start(program, arguments, process::std_out > process::null);
    case ChildOutput::to_stdout:
      break;
  }
  return start(program, arguments);
}

// Calls `meanwhile` until the program has ended, which is asked in turn, since our signal handlers
// restart a waitpid that blocks. By waitpid itself: child::running() takes a process that it cannot
// find for one that ended well, and child::wait_for() waits for SIGCHLD in a process of its own.
int wait_for(process::child& child, const std::filesystem::path& program,
             const std::function<void()>& meanwhile) {
  int status = 0;
  bool told = false;
  for (;;) {
    const pid_t ended = ::waitpid(child.id(), &status, WNOHANG);
    if (ended == child.id()) break;
    if (ended < 0 && errno != EINTR) {
      const int reason = errno;
      child.detach();
      throw std::runtime_error("lost track of " + program.string() + ": " + std::strerror(reason));
    }
    if (stop_requested() && !told) {
      ::kill(child.id(), SIGTERM);
      told = true;
    }
    meanwhile();
  }
  child.detach();
  if (stop_requested()) throw Stopped();
  return exit_status(status);
}

// Appends what has arrived; closes the pipe at its end.
void receive(process::pipe& pipe, std::string& text) {
  char bytes[65536];
  pollfd polled{pipe.native_source(), POLLIN, 0};
  while (pipe.is_open() && ::poll(&polled, 1, 0) > 0) {
    const int n = pipe.read(bytes, sizeof bytes);
    if (n == 0) {
      pipe.close();
    } else {
      text.append(bytes, static_cast<std::size_t>(n));
    }
  }
}

}  // namespace

int run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                ChildOutput output) {
  process::child child = start(program, arguments, output);
  return wait_for(child, program,
                  [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
}

ProgramOutput capture_program(const std::filesystem::path& program,
                              const std::vector<std::string>& arguments) {
  process::pipe out = make_pipe();
  process::pipe err = make_pipe();
  process::child child = start(program, arguments, process::std_out > out, process::std_err > err);
  ProgramOutput result;
  const auto receive_both = [&] {
    // A closed pipe's −1 is ignored.
    pollfd polled[] = {{out.native_source(), POLLIN, 0}, {err.native_source(), POLLIN, 0}};
    ::poll(polled, 2, 20);
    receive(out, result.out);
    receive(err, result.err);
  };
  result.status = wait_for(child, program, receive_both);
  receive(out, result.out);
  receive(err, result.err);
  return result;
}

struct Dialogue::Running {
  std::filesystem::path program;
  process::pipe to;
  process::pipe from;
  process::child child;
  std::string buffer;
};

Dialogue::Dialogue(const std::filesystem::path& program, const std::vector<std::string>& arguments)
    : running_(std::make_unique<Running>()) {
  // What we write to a program that has ended must not end us.
  std::signal(SIGPIPE, SIG_IGN);
  running_->program = program;
  running_->to = make_pipe();
  running_->from = make_pipe();
  running_->child =
      start(program, arguments, process::std_in<running_->to, process::std_out> running_->from);
}

Dialogue::~Dialogue() {
  // Others whom we have forked may hold its pipes open.
  ::kill(running_->child.id(), SIGTERM);
  while (::waitpid(running_->child.id(), nullptr, 0) < 0 && errno == EINTR) {
  }
  running_->child.detach();
}

std::string Dialogue::ask(const std::string& line) {
  const std::string text = line + '\n';
  const auto ended = [&] { return std::runtime_error(running_->program.string() + " has ended"); };
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count =
        ::write(running_->to.native_sink(), text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) throw ended();
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  for (;;) {
    const std::size_t end = running_->buffer.find('\n');
    if (end != std::string::npos) {
      const std::string answer = running_->buffer.substr(0, end);
      running_->buffer.erase(0, end + 1);
      return answer;
    }
    constexpr int wait_ms = 200;
    pollfd polled{running_->from.native_source(), POLLIN, 0};
    ::poll(&polled, 1, wait_ms);
    if (stop_requested()) throw Stopped();
    if (polled.revents == 0) continue;
    char bytes[65536];
    const ssize_t count = ::read(running_->from.native_source(), bytes, sizeof bytes);
    if (count == 0) throw ended();
    if (count > 0) running_->buffer.append(bytes, static_cast<std::size_t>(count));
  }
}

}  // namespace abacus::support
