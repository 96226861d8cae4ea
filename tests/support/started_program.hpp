#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace abacus::test {

// Starts the program beside the test, which may kill it; nobody hears what it says. Children that it leaves
// when it is killed end by themselves. Returns its process, to be waited for.
pid_t started(const std::string& program, const std::vector<std::string>& words);

}  // namespace abacus::test
