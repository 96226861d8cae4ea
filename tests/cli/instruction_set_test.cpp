// Integer kernels give the same bytes on every instruction set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "models/simd/cpu_target.hpp"
#include "sw/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

// Sets ABACUS_INSTRUCTION_SET for the programs that are started meanwhile.
class InstructionSet {
 public:
  explicit InstructionSet(const std::string& name) { setenv(variable, name.c_str(), 1); }
  ~InstructionSet() { unsetenv(variable); }
  InstructionSet(const InstructionSet&) = delete;
  InstructionSet& operator=(const InstructionSet&) = delete;

 private:
  static constexpr const char* variable = "ABACUS_INSTRUCTION_SET";
};

class InstructionSets : public ::testing::Test {
 protected:
  InstructionSets() {
    std::string text =
        "weights = \"synthetic\"\nnetwork = \"lenet\"\nimage = [1, 28, 28]\nclasses = 10\n"
        "images = 3\n";
    for (const std::string arithmetic :
         {"adder", "cnn", "shift", "shiftaddnet", "post", "apot", "bnn"}) {
      const std::string bits = arithmetic == "bnn" ? "1" : "4";
      text += "[[run]]\nname = \"" + arithmetic + "\"\narithmetic = \"" + arithmetic +
              "\"\nquantization = { weight_bits = " + bits + ", activation_bits = " + bits + " }\n";
    }
    test::write_text(folder_.path() / "s.toml", text);
  }
  support::ProgramOutput simulate(const std::string& out) const {
    return support::capture_program(
        ABACUS_PROGRAM, {"simulate", (folder_.path() / "s.toml").string(), "--check", "--out",
                         (folder_.path() / out).string()});
  }
  std::string timeless(const std::string& out) const {
    auto json =
        nlohmann::ordered_json::parse(test::read_text(folder_.path() / out / "results.json"));
    EXPECT_EQ(json.erase("times"), 1U);
    EXPECT_EQ(json.erase("provenance"), 1U);
    return json.dump();
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(InstructionSets, GiveTheSameResults) {
  std::string first;
  for (const models::CpuTarget target : models::supported_cpu_targets()) {
    const std::string name = to_string(target);
    const InstructionSet set(name);
    const support::ProgramOutput output = simulate(name);
    ASSERT_EQ(output.status, 0) << output.err;
    if (first.empty()) first = timeless(name);
    EXPECT_EQ(timeless(name), first) << name;
  }
}

TEST_F(InstructionSets, ThatTheProcessorLacksAreRefused) {
  const InstructionSet set("neon");
  const support::ProgramOutput output = simulate("out");
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, ::testing::HasSubstr("ABACUS_INSTRUCTION_SET: found \"neon\"; allowed"));
}

}  // namespace
}  // namespace abacus::cli
