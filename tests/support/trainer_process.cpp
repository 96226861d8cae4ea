#include "tests/support/trainer_process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <utility>

#include "tests/support/temporary_folder.hpp"

namespace abacus::test {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255U);
  return text;
}

}  // namespace

TrainerOutcome run_trainer(const std::vector<std::string>& arguments, int signal) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start a process");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    std::string program = ABACUS_TRAIN_PROGRAM;
    std::vector<std::string> copies = arguments;
    std::vector<char*> pointers = {program.data()};
    for (std::string& argument : copies) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(program.c_str(), pointers.data());
    _exit(126);
  }
  close(ends[1]);
  TrainerOutcome outcome;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    outcome.text.append(buffer, static_cast<std::size_t>(got));
    if (signal != 0) kill(child, signal);
    signal = 0;
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

void write_fashion_mnist(const std::filesystem::path& folder, FashionImages images) {
  std::mt19937 random(5);
  for (const auto& [name, count] :
       {std::pair<const char*, std::uint32_t>{"train", 60000}, {"t10k", 10000}}) {
    std::string pixels(count * 784, '\0');
    if (images == FashionImages::noise) {
      for (std::size_t i = 0; i < pixels.size(); i += 4) pixels[i] = static_cast<char>(random());
    }
    write_text(folder / (std::string(name) + "-images-idx3-ubyte"),
               big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28) + pixels);
    std::string labels = big_endian(0x801) + big_endian(count);
    for (std::uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i % 10);
    write_text(folder / (std::string(name) + "-labels-idx1-ubyte"), labels);
  }
}

}  // namespace abacus::test
