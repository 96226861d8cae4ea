#include "sw/study/points.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/study/study_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class StudyPoints : public ::testing::Test {
 protected:
  // `top`: keys at the top of the file.
  Study read(const std::string& top, const std::string& axes) {
    test::write_text(folder_.path() / "s.toml", top + test::study_head() + axes);
    return read_study(folder_.path() / "s.toml", files_);
  }

  test::TemporaryFolder folder_;
  experiment::ReadFiles files_;
};

const std::string rows = axis("rows", "hardware.array.rows", "[2, 4, 8]");
const std::string columns = axis("columns", "hardware.array.columns", "[2, 4, 8, 16]");

std::vector<double> numbers(const Axis& axis) {
  std::vector<double> values;
  for (const reading::Node& value : axis.values) {
    values.push_back(std::get<double>(scalar_of(value)));
  }
  return values;
}

TEST_F(StudyPoints, TheGridHasEveryPairOnceTheLastAxisFastest) {
  const Study study = read("", rows + columns);
  const Points points(study);
  ASSERT_THAT(points.chosen(), SizeIs(12));
  EXPECT_EQ(points.text(0), "rows=2, columns=2");
  EXPECT_EQ(points.text(1), "rows=2, columns=4");
  EXPECT_EQ(points.text(11), "rows=8, columns=16");
  for (std::int64_t number = 0; number < 12; ++number) {
    EXPECT_EQ(points.number(points.position(number)), number);
  }
}

TEST_F(StudyPoints, RangesAndSizes) {
  const Study study =
      read("",
           "[[axis]]\nkey = \"hardware.array.rows\"\nfrom = 4\nto = 17\nstep = 4\n"
           "[[axis]]\nkey = \"hardware.activation_sram.bytes\"\nfrom = \"8KiB\"\nto = \"64KiB\"\n"
           "factor = 2\n"
           "[[axis]]\nkey = \"hardware.clock_mhz\"\nfrom = 0.1e3\nto = 0.3e3\nstep = 0.1e3\n"
           "[[axis]]\nkey = \"hardware.weight_sram.bytes\"\nvalues = [\"0.5MiB\", 65536]\n");
  EXPECT_THAT(numbers(study.axes[0]), ElementsAre(4, 8, 12, 16));
  EXPECT_THAT(numbers(study.axes[1]), ElementsAre(8192, 16384, 32768, 65536));
  EXPECT_THAT(numbers(study.axes[2]), ElementsAre(100, 200, 300));
  EXPECT_THAT(numbers(study.axes[3]), ElementsAre(524288, 65536));
}

TEST_F(StudyPoints, LinksAndArithmeticSetTheirKeys) {
  const Study study = read(
      "",
      "[[axis]]\nname = \"bits\"\nkeys = [\"quantization.weight_bits\", "
      "\"quantization.activation_bits\"]\nvalues = [4, 6]\n" +
          rows + "[[derived]]\nkey = \"hardware.array.columns\"\nvalue = \"2 * rows + bits\"\n");
  const Points points(study);
  const experiment::RunSpec run =
      experiment::read_scenario(study.base, {points.settings(5)}, files_).runs.at(0);
  EXPECT_EQ(run.quantization.weight_bits, 6);
  EXPECT_EQ(run.quantization.activation_bits, 6);
  EXPECT_EQ(run.hardware.array.rows, 8);
  EXPECT_EQ(run.hardware.array.columns, 22);
}

TEST_F(StudyPoints, ConditionsLeavePointsOut) {
  const Study study =
      read("where = \"rows * columns <= 32\"\nskip = [\"rows == 2\", \"columns == 4\"]\n",
           rows + columns);
  const Points points(study);
  std::vector<std::string> texts;
  for (const std::int64_t number : points.chosen()) texts.push_back(points.text(number));
  EXPECT_THAT(texts, ElementsAre("rows=4, columns=2", "rows=4, columns=8", "rows=8, columns=2"));
}

TEST_F(StudyPoints, RandomPointsAreDistinctWantedAndTheSeeds) {
  const std::string many =
      "[[axis]]\nkey = \"hardware.array.rows\"\nfrom = 1\nto = 200\nstep = 1\n"
      "[[axis]]\nkey = \"hardware.array.columns\"\nfrom = 1\nto = 200\nstep = 1\n";
  const auto chosen = [&](int seed) {
    const Study study = read(
        "where = \"hardware.array.rows > 100\"\n",
        many + "[method]\nkind = \"random\"\npoints = 300\nseed = " + std::to_string(seed) + "\n");
    const Points points(study);
    std::vector<std::int64_t> numbers = points.chosen();
    EXPECT_TRUE(std::all_of(numbers.begin(), numbers.end(),
                            [&](std::int64_t number) { return points.is_wanted(number); }));
    return numbers;
  };
  const std::vector<std::int64_t> first = chosen(1);
  ASSERT_THAT(first, SizeIs(300));
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
  EXPECT_EQ(chosen(1), first);
  EXPECT_NE(chosen(2), first);
}

TEST_F(StudyPoints, ALatinHypercubeTakesEachValueEquallyOften) {
  const auto range = [](const std::string& key, int from, int to, int step) {
    return "[[axis]]\nkey = \"" + key + "\"\nfrom = " + std::to_string(from) +
           "\nto = " + std::to_string(to) + "\nstep = " + std::to_string(step) + '\n';
  };
  const Study study =
      read("", range("hardware.array.rows", 1, 10, 1) + range("hardware.array.columns", 1, 20, 1) +
                   range("hardware.clock_mhz", 100, 2000, 100) +
                   range("hardware.dram.t_rcd", 10, 14, 1) +
                   "[method]\nkind = \"latin-hypercube\"\npoints = 20\n");
  const Points points(study);
  const std::vector<std::int64_t> chosen = points.chosen();
  ASSERT_THAT(chosen, SizeIs(20));
  for (std::size_t a = 0; a < study.axes.size(); ++a) {
    std::map<std::size_t, std::size_t> times;
    for (const std::int64_t number : chosen) ++times[points.position(number)[a]];
    const std::size_t values = study.axes[a].values.size();
    EXPECT_EQ(times.size(), values);
    for (const auto& [value, count] : times) EXPECT_EQ(count, 20 / values);
  }
}

}  // namespace
}  // namespace abacus::study
