#include "sw/support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <numeric>
#include <thread>

#include "sw/support/stop_request.hpp"

namespace abacus {
namespace {

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// In a new child: the signals that the parent catches end it again, and it does not outlive the
// parent.
void become_child(pid_t parent) {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
}

// What is buffered would otherwise be written by parent and child.
void flush_all() {
  std::fflush(nullptr);
  std::cout.flush();
  std::cerr.flush();
}

bool write_all(int descriptor, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

// A forked task: its process and our end of the pipe on which it sends one JSON text a line,
// {"done": n} now and then and at the end {"result": …} or {"error": "…"}.
struct Task {
  pid_t process = -1;
  int pipe = -1;
  std::string buffer;
  std::int64_t done = 0;
  nlohmann::json result;
  bool has_result = false;
  std::string error;
};

// Ends and reaps whatever still runs, however the parent leaves.
class Tasks {
 public:
  ~Tasks() {
    for (Task& task : all) {
      if (task.pipe >= 0) ::close(task.pipe);
      if (task.process > 0) ::kill(task.process, SIGTERM);
    }
    for (Task& task : all) {
      if (task.process > 0) wait(task);
    }
  }
  Tasks() = default;
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  static int wait(Task& task) {
    int status = 0;
    while (::waitpid(task.process, &status, 0) < 0 && errno == EINTR) {
    }
    task.process = -1;
    return exit_status(status);
  }

  std::vector<Task> all;
};

[[noreturn]] void run_task(int task, int pipe, const Work& work) {
  const auto send = [pipe](const nlohmann::json& message) {
    return write_all(pipe, message.dump() + '\n');
  };
  int status = 0;
  try {
    const auto report = [&send](std::int64_t done) { send({{"done", done}}); };
    const nlohmann::json result = work(task, report);
    if (!send({{"result", result}})) status = 1;
  } catch (const std::exception& error) {
    send({{"error", error.what()}});
    status = 1;
  }
  flush_all();
  ::_exit(status);  // no destructors: what they would tear down belongs to the parent
}

void take_line(Task& task, const std::string& line) {
  nlohmann::json message = nlohmann::json::parse(line);
  if (message.contains("done")) task.done = message["done"].get<std::int64_t>();
  if (message.contains("error")) task.error = message["error"].get<std::string>();
  if (message.contains("result")) {
    task.result = std::move(message["result"]);
    task.has_result = true;
  }
}

// Reads what has arrived; closes the pipe at its end.
void receive(Task& task) {
  char bytes[65536];
  const ssize_t n = ::read(task.pipe, bytes, sizeof bytes);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    ::close(task.pipe);
    task.pipe = -1;
    return;
  }
  task.buffer.append(bytes, static_cast<std::size_t>(n));
  std::size_t start = 0;
  for (std::size_t end; (end = task.buffer.find('\n', start)) != std::string::npos;
       start = end + 1) {
    take_line(task, task.buffer.substr(start, end - start));
  }
  task.buffer.erase(0, start);
}

// A pipe of which the reader never blocks.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) {
      throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    close_write_end();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int read_end() const { return ends_[0]; }  // −1 (which poll ignores) after the writer's end
  int write_end() const { return ends_[1]; }
  void close_write_end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  // Appends what has arrived.
  void receive(std::string& text) {
    char bytes[4096];
    while (ends_[0] >= 0) {
      const ssize_t n = ::read(ends_[0], bytes, sizeof bytes);
      if (n > 0) {
        text.append(bytes, static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
      ::close(ends_[0]);
      ends_[0] = -1;
    }
  }

 private:
  int ends_[2] = {-1, -1};
};

// `prepare` runs in the new process, before the program.
pid_t start_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                    const std::function<void()>& prepare) {
  std::string name = program.string();
  std::vector<std::string> copies(arguments);
  std::vector<char*> argv{name.data()};
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);

  flush_all();
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) {
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  }
  if (process == 0) {
    become_child(parent);
    prepare();
    ::execv(name.c_str(), argv.data());
    std::fprintf(stderr, "abacus: cannot run %s: %s\n", name.c_str(), std::strerror(errno));
    ::_exit(127);
  }
  return process;
}

// Calls `meanwhile` until the program has ended, which is asked in turn, since our signal handlers
// restart a waitpid that blocks.
int wait_for_program(pid_t process, const std::filesystem::path& program,
                     const std::function<void()>& meanwhile) {
  int status = 0;
  bool told = false;
  for (;;) {
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) break;
    if (ended < 0 && errno != EINTR) {
      throw std::runtime_error("lost track of " + program.string() + ": " + std::strerror(errno));
    }
    if (stop_requested() && !told) {
      ::kill(process, SIGTERM);
      told = true;
    }
    meanwhile();
  }
  if (stop_requested()) throw Stopped();
  return exit_status(status);
}

}  // namespace

int run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                ChildOutput output) {
  const pid_t process = start_program(program, arguments, [output] {
    if (output == ChildOutput::to_stderr) ::dup2(STDERR_FILENO, STDOUT_FILENO);
    if (output == ChildOutput::discard) {
      const int nothing = ::open("/dev/null", O_WRONLY);
      if (nothing >= 0) ::dup2(nothing, STDOUT_FILENO);
    }
  });
  return wait_for_program(process, program,
                          [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
}

ProgramOutput capture_program(const std::filesystem::path& program,
                              const std::vector<std::string>& arguments) {
  Pipe out;
  Pipe err;
  const pid_t process = start_program(program, arguments, [&] {
    ::dup2(out.write_end(), STDOUT_FILENO);
    ::dup2(err.write_end(), STDERR_FILENO);
  });
  out.close_write_end();
  err.close_write_end();
  ProgramOutput result;
  const auto receive_both = [&] {
    pollfd polled[] = {{out.read_end(), POLLIN, 0}, {err.read_end(), POLLIN, 0}};
    ::poll(polled, 2, 20);
    out.receive(result.out);
    err.receive(result.err);
  };
  result.status = wait_for_program(process, program, receive_both);
  out.receive(result.out);
  err.receive(result.err);
  return result;
}

std::vector<nlohmann::json> run_forked(int count, const Work& work, const Report& progress) {
  flush_all();
  Tasks tasks;
  const pid_t parent = ::getpid();
  for (int i = 0; i < count; ++i) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    const pid_t process = ::fork();
    if (process < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
    }
    if (process == 0) {
      become_child(parent);
      ::close(ends[0]);
      run_task(i, ends[1], work);
    }
    ::close(ends[1]);
    Task task;
    task.process = process;
    task.pipe = ends[0];
    tasks.all.push_back(std::move(task));
  }

  for (;;) {
    std::vector<pollfd> polled;
    std::vector<Task*> owners;
    for (Task& task : tasks.all) {
      if (task.pipe < 0) continue;
      polled.push_back({task.pipe, POLLIN, 0});
      owners.push_back(&task);
    }
    if (polled.empty()) break;
    // Wakes now and then so that a stop request does not wait for a message.
    ::poll(polled.data(), polled.size(), 200);
    if (stop_requested()) throw Stopped();
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) receive(*owners[i]);
      if (!owners[i]->error.empty()) throw std::runtime_error(owners[i]->error);
    }
    progress(std::accumulate(tasks.all.begin(), tasks.all.end(), std::int64_t{0},
                             [](std::int64_t sum, const Task& task) { return sum + task.done; }));
  }

  std::vector<nlohmann::json> results;
  for (Task& task : tasks.all) {
    const int status = Tasks::wait(task);
    if (stop_requested()) throw Stopped();
    if (!task.has_result) {
      throw std::runtime_error("a simulation process ended without a result, status " +
                               std::to_string(status));
    }
    results.push_back(std::move(task.result));
  }
  return results;
}

}  // namespace abacus
