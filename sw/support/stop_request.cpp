#include "sw/support/stop_request.hpp"

#include <csignal>

namespace abacus::support {
namespace {

// A signal handler has no other way to tell the program anything.
volatile std::sig_atomic_t stop_flag = 0;

void on_signal(int signal) {
  stop_flag = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_stop_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool stop_requested() { return stop_flag != 0; }

}  // namespace abacus::support
