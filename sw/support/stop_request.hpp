// SIGINT and SIGTERM as a question that long work asks between its steps.
#pragma once

namespace abacus {

constexpr int kStoppedExitCode = 130;  // as shells report a program ended by SIGINT

// From now on the two signals only set a flag; a second one ends the program at once.
void catch_stop_signals();
bool stop_requested();

}  // namespace abacus
