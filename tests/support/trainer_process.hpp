// abacus-train as a process of its own, and data for it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace abacus::test {

struct TrainerOutcome {
  int exit_code = -1;  // −1: ended by a signal
  std::string text;    // standard output and error
};

// Runs abacus-train; after its first output sends it `signal`, if that is not 0.
TrainerOutcome run_trainer(const std::vector<std::string>& arguments, int signal = 0);

enum class FashionImages { black, noise };

// Fashion-MNIST's four files with made-up images, all classes in turn.
void write_fashion_mnist(const std::filesystem::path& folder, FashionImages images);

}  // namespace abacus::test
