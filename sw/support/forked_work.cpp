#include "sw/support/forked_work.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/support/new_process.hpp"
#include "sw/support/stop_request.hpp"

// The processes are forked by hand: Boost.Process starts programs only, and a task has to find the
// networks and images that its parent has in memory.
namespace abacus::support {
namespace {

// A forked task: its process and our end of the pipe on which it sends one JSON text a line,
// {"done": n} now and then and at the end {"result": …} or {"error": "…"}.
struct Task {
  explicit Task(boost::process::pipe new_pipe) : pipe(std::move(new_pipe)) {}

  boost::process::pipe pipe;
  pid_t process = -1;
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
      task.pipe.close();
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

void write_all(boost::process::pipe& pipe, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    done += static_cast<std::size_t>(
        pipe.write(text.data() + done, static_cast<int>(text.size() - done)));
  }
}

[[noreturn]] void run_task(int task, boost::process::pipe& pipe, const Work& work) {
  const auto send = [&pipe](const nlohmann::json& message) {
    write_all(pipe, message.dump() + '\n');
  };
  int status = 0;
  try {
    const auto report = [&send](std::int64_t done) { send({{"done", done}}); };
    send({{"result", work(task, report)}});
  } catch (const std::exception& error) {
    status = 1;
    try {
      send({{"error", error.what()}});
    } catch (const std::exception&) {
      // The parent is gone.
    }
  }
  flush_streams();
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
  const int n = task.pipe.read(bytes, sizeof bytes);
  if (n == 0) {
    task.pipe.close();
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

// Of a task whose pipe has ended: it has told its result, or died.
void require_result(Task& task) {
  const int status = Tasks::wait(task);
  if (stop_requested()) throw Stopped();
  if (task.has_result) return;
  const int signal = status - 128;
  throw std::runtime_error("a simulation process ended without a result, status " +
                           std::to_string(status) +
                           (signal > 0 ? std::string(" (") + ::strsignal(signal) + ')' : ""));
}

void start(Tasks& tasks, int index, const Work& work) {
  const pid_t parent = ::getpid();
  Task& task = tasks.all.emplace_back(make_pipe());
  task.process = ::fork();
  if (task.process < 0) {
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  }
  if (task.process == 0) {
    become_child(parent);
    ::close(task.pipe.native_source());
    task.pipe.assign_source(-1);
    run_task(index, task.pipe, work);
  }
  ::close(task.pipe.native_sink());
  task.pipe.assign_sink(-1);
}

}  // namespace

std::vector<nlohmann::json> run_forked(int count, const Work& work, const Report& progress) {
  flush_streams();
  Tasks tasks;
  for (int i = 0; i < count; ++i) start(tasks, i, work);

  for (;;) {
    std::vector<pollfd> polled;
    std::vector<Task*> owners;
    for (Task& task : tasks.all) {
      if (!task.pipe.is_open()) continue;
      polled.push_back({task.pipe.native_source(), POLLIN, 0});
      owners.push_back(&task);
    }
    if (polled.empty()) break;
    // Wakes now and then so that a stop request does not wait for a message.
    ::poll(polled.data(), polled.size(), 200);
    if (stop_requested()) throw Stopped();
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) receive(*owners[i]);
      if (!owners[i]->error.empty()) throw std::runtime_error(owners[i]->error);
      // The others may take hours yet.
      if (!owners[i]->pipe.is_open()) require_result(*owners[i]);
    }
    progress(std::accumulate(tasks.all.begin(), tasks.all.end(), std::int64_t{0},
                             [](std::int64_t sum, const Task& task) { return sum + task.done; }));
  }

  std::vector<nlohmann::json> results;
  for (Task& task : tasks.all) results.push_back(std::move(task.result));
  return results;
}

}  // namespace abacus::support
