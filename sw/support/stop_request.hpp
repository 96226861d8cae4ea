// SIGINT and SIGTERM as a question that long work asks between its steps.
#pragma once

#include <stdexcept>

namespace abacus::support {

constexpr int kStoppedExitCode = 130;  // as shells report a program ended by SIGINT

// From now on the two signals only set a flag; a second one ends the program at once.
void catch_stop_signals();
bool stop_requested();

// SIGINT or SIGTERM arrived; the work was stopped and nothing is left of it.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

}  // namespace abacus::support
