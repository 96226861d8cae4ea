// What every process that we start has in common, whether it runs another program
// (child_process.hpp) or goes on with ours (forked_work.hpp).
#pragma once

#include <sys/types.h>

#include <boost/process/pipe.hpp>

namespace abacus::support {

// In the parent, before it forks: what is buffered would otherwise be written by both processes.
void flush_streams();

// In a new child: the signals that the parent catches end it again, and it does not outlive the
// parent. Boost.Process knows neither. Safe between fork and exec.
void become_child(pid_t parent);

// A pipe that no program inherits unless it becomes one of its standard streams. Boost.Process makes
// its own pipes without FD_CLOEXEC. Throws std::runtime_error.
boost::process::pipe make_pipe();

// Of waitpid's status: the exit status, or 128 + the signal that ended the process.
int exit_status(int wait_status);

}  // namespace abacus::support
