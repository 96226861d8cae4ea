#include "tests/support/started_program.hpp"

#include <unistd.h>

namespace abacus::test {

pid_t started(const std::string& program, const std::vector<std::string>& words) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  std::vector<char*> arguments = {const_cast<char*>(program.c_str())};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::close(STDOUT_FILENO);
  ::close(STDERR_FILENO);
  ::execv(program.c_str(), arguments.data());
  ::_exit(127);
}

}  // namespace abacus::test
