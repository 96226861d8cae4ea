#include "sw/study/worker_pool.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

#include "sw/support/new_process.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::study {
namespace {

// False where there is nobody who reads.
bool write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return true;
}

// Lines until the other end is closed.
[[noreturn]] void serve(int tasks, int answers, const WorkerPool::Work& work) {
  std::string buffer;
  char bytes[65536];
  for (;;) {
    const ssize_t count = ::read(tasks, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ::_exit(0);
    buffer.append(bytes, static_cast<std::size_t>(count));
    for (std::size_t end; (end = buffer.find('\n')) != std::string::npos;) {
      const std::string task = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      try {
        if (!write_all(answers, work(task) + '\n')) ::_exit(0);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        support::flush_streams();
        ::_exit(1);
      }
    }
  }
}

}  // namespace

WorkerPool::WorkerPool(int workers, Work work) : work_(std::move(work)) {
  // A worker that has just died must not end us when we write to it.
  std::signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < workers; ++i) start(workers_.emplace_back());
}

WorkerPool::~WorkerPool() {
  for (Worker& worker : workers_) {
    if (worker.process > 0) ::kill(worker.process, SIGTERM);
  }
  for (Worker& worker : workers_) {
    end(worker);
    if (worker.log >= 0) ::close(worker.log);
  }
}

void WorkerPool::start(Worker& worker) {
  worker.tasks = support::make_pipe();
  worker.answers = support::make_pipe();
  worker.buffer.clear();
  if (worker.log >= 0) ::close(worker.log);
  worker.log = ::memfd_create("log", MFD_CLOEXEC);
  support::flush_streams();
  const pid_t parent = ::getpid();
  worker.process = ::fork();
  if (worker.process < 0) {
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  }
  if (worker.process == 0) {
    support::become_child(parent);
    if (worker.log >= 0) ::dup2(worker.log, STDERR_FILENO);
    for (Worker& other : workers_) {
      // Only ours may hold its pipes open.
      ::close(other.tasks.native_sink());
      ::close(other.answers.native_source());
    }
    serve(worker.tasks.native_source(), worker.answers.native_sink(), work_);
  }
  ::close(worker.tasks.native_source());
  worker.tasks.assign_source(-1);
  ::close(worker.answers.native_sink());
  worker.answers.assign_sink(-1);
}

int WorkerPool::end(Worker& worker) {
  if (worker.process <= 0) return 0;
  int wait_status = 0;
  while (::waitpid(worker.process, &wait_status, 0) < 0 && errno == EINTR) {
  }
  worker.process = -1;
  return wait_status;
}

WorkerPool::Answer WorkerPool::farewell(const Worker& worker, int wait_status) {
  constexpr std::size_t most = 4096;
  std::string log(most, '\0');
  const ssize_t count = worker.log < 0 ? 0 : ::pread(worker.log, log.data(), most, 0);
  log.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  const int signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
  Answer answer;
  answer.number = worker.task.value();
  answer.killed = signal == SIGKILL || signal == SIGTERM;
  answer.how = "its process ended with status " +
               std::to_string(support::exit_status(wait_status)) +
               (signal != 0 ? std::string(" (") + ::strsignal(signal) + ')' : "") +
               (log.empty() ? "" : "; it said: " + log);
  return answer;
}

bool WorkerPool::has_idle() const {
  for (const Worker& worker : workers_) {
    if (!worker.task) return true;
  }
  return false;
}

void WorkerPool::give(std::int64_t number, const std::string& task) {
  for (Worker& worker : workers_) {
    if (worker.task) continue;
    worker.task = number;
    // If nobody reads it, wait() finds the end of the process.
    write_all(worker.tasks.native_sink(), task + '\n');
    return;
  }
  throw std::logic_error("no worker is idle");
}

std::vector<WorkerPool::Answer> WorkerPool::wait() {
  std::vector<pollfd> polled;
  for (Worker& worker : workers_) polled.push_back({worker.answers.native_source(), POLLIN, 0});
  constexpr int wait_ms = 200;
  ::poll(polled.data(), polled.size(), wait_ms);
  if (support::stop_requested()) throw support::Stopped();
  std::vector<Answer> answers;
  std::size_t i = 0;
  for (Worker& worker : workers_) {
    if (polled[i++].revents == 0) continue;
    char bytes[65536];
    const ssize_t count = ::read(worker.answers.native_source(), bytes, sizeof bytes);
    if (count > 0) {
      worker.buffer.append(bytes, static_cast<std::size_t>(count));
      const std::size_t end = worker.buffer.find('\n');
      if (end == std::string::npos) continue;
      answers.push_back({worker.task.value(), worker.buffer.substr(0, end), false, ""});
      worker.buffer.erase(0, end + 1);
      worker.task.reset();
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    const int wait_status = end(worker);
    if (worker.task) answers.push_back(farewell(worker, wait_status));
    worker.task.reset();
    start(worker);
  }
  return answers;
}

}  // namespace abacus::study
