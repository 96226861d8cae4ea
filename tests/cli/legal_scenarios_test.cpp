// Random scenarios with random weights, of whatever the keys' ranges allow.
//
//   ABACUS_SCENARIOS  how many of ten runs each (12); of one run that may be refused, four times as many, at most 40
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <sstream>
#include <string>

#include "sw/cli/simulator/simulate_command.hpp"
#include "tests/support/number_from_environment.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

class Draw {
 public:
  explicit Draw(unsigned seed) : generator_(seed) {}
  int between(int low, int high) {
    return low + static_cast<int>(generator_() % static_cast<unsigned>(high - low + 1));
  }
  bool in(int percent) { return between(1, 100) <= percent; }
  template <std::size_t N>
  std::string one_of(const char* const (&names)[N]) {
    return names[between(0, static_cast<int>(N) - 1)];
  }

 private:
  std::mt19937 generator_;
};

// Legal, but for an array that may be `tight`: then memories may not hold what the network needs.
std::string random_run(Draw& draw, int number, bool tight) {
  static const char* const arithmetics[] = {"cnn",  "adder", "shift", "shiftaddnet",
                                            "post", "apot",  "bnn"};
  const std::string arithmetic = draw.one_of(arithmetics);
  const bool binary = arithmetic == "bnn", post = arithmetic == "post";
  const int weight_bits = binary ? 1 : draw.between(2, 8);
  const int side = draw.between(4, 12);
  std::ostringstream text;
  text << "[[run]]\nname = \"" << number << "\"\nnetwork = \""
       << (draw.in(80) ? "lenet" : "resnet20") << "\"\narithmetic = \"" << arithmetic
       << "\"\nimage = [" << draw.between(1, 4) << ", " << side << ", " << side
       << "]\nclasses = " << draw.between(2, 20) << "\nseed = " << draw.between(0, 1'000'000)
       << "\nquantization.weight_bits = " << weight_bits
       << "\nquantization.activation_bits = " << (binary ? 1 : draw.between(2, 8))
       << "\nquantization.storage_bits = " << (draw.in(30) ? 16 : draw.between(2, 16)) << '\n';
  if ((arithmetic == "adder" || arithmetic == "shiftaddnet") && draw.in(50)) {
    text << "quantization.groups = " << draw.between(1, 64) << '\n';
  }
  if (arithmetic != "adder" && !binary && draw.in(60)) text << "quantization.adapters = true\n";
  if (draw.in(50)) {
    text << "hardware.array.rows = " << draw.between(1, 40)
         << "\nhardware.array.columns = " << draw.between(1, 40)
         << "\nhardware.array.accumulator_bits = " << draw.between(8, 32) << '\n';
  }
  const bool exponents = post || arithmetic == "apot" || arithmetic.rfind("shift", 0) == 0;
  if (exponents && draw.in(70)) {
    text << "hardware.array.fraction_bits = " << draw.between(post ? 2 : 0, 12) << '\n';
  }
  if (post && draw.in(70)) {
    const int fewest = std::max(1, (1 << (weight_bits - 1)) / 2 - 1);
    text << "hardware.array.table.exponents = " << draw.between(fewest, 64)
         << "\nhardware.array.table.fraction_bits = " << draw.between(2, 8) << '\n';
  }
  if (tight) {
    for (const char* memory : {"activation", "weight", "parameter"}) {
      text << "hardware." << memory << "_sram.bytes = " << (256 << draw.between(0, 4)) << '\n';
    }
  }
  return text.str();
}

class LegalScenarios : public ::testing::Test {
 protected:
  int simulate_runs(const std::string& runs) const {
    test::write_text(folder_.path() / "s.toml",
                     "weights = \"synthetic\"\nimages = 1\nlevel = \"functional\"\n" + runs);
    SimulateOptions options;
    options.scenario = folder_.path() / "s.toml";
    options.out = folder_.path() / "out";
    options.jobs = 1;
    options.quiet = true;
    options.check = true;
    return simulate(options);
  }

  test::TemporaryFolder folder_;
};

TEST_F(LegalScenarios, AllRunAndAreBitExact) {
  Draw draw(7);
  const int scenarios = test::number_from_environment("ABACUS_SCENARIOS", 12);
  for (int scenario = 0; scenario < scenarios; ++scenario) {
    std::string runs;
    for (int run = 0; run < 10; ++run) runs += random_run(draw, run, false);
    try {
      EXPECT_EQ(simulate_runs(runs), 0) << runs;
    } catch (const std::runtime_error& error) {
      ADD_FAILURE() << error.what() << '\n' << runs;
    }
  }
}

// Or say where in which file they ask for too much.
TEST_F(LegalScenarios, ARefusalNamesFileAndLine) {
  Draw draw(8);
  const std::regex place((folder_.path() / "s.toml").string() + ":[0-9]+:[0-9]+: ");
  int refused = 0;
  const int scenarios = std::min(40, 4 * test::number_from_environment("ABACUS_SCENARIOS", 12));
  for (int scenario = 0; scenario < scenarios; ++scenario) {
    const std::string run = random_run(draw, scenario, true);
    try {
      EXPECT_EQ(simulate_runs(run), 0) << run;
    } catch (const std::runtime_error& error) {
      ++refused;
      EXPECT_TRUE(std::regex_search(error.what(), place)) << error.what() << '\n' << run;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace abacus::cli
