#include "sw/cli/simulator/keys_command.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "sw/compare/metric.hpp"
#include "sw/experiment/hardware/hardware_keys.hpp"
#include "sw/experiment/results_fields.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

const std::filesystem::path source_folder = ABACUS_SOURCE_FOLDER;

TEST(KeysCommand, HardwareParametersAreThoseOfTheDocument) {
  const std::string document = test::read_text(source_folder / "docs" / "scenario.md");
  EXPECT_TRUE(with_table(document, "hardware", experiment::hardware_keys_markdown()) == document)
      << "run: abacus keys hardware --into docs/scenario.md";
}

TEST(KeysCommand, FieldsOfResultsAreThoseOfTheDocument) {
  const std::string document = test::read_text(source_folder / "docs" / "results-json.md");
  EXPECT_TRUE(with_table(document, "results", experiment::results_fields_markdown()) == document)
      << "run: abacus keys results --into docs/results-json.md";
}

TEST(KeysCommand, MetricsAreThoseOfTheDocument) {
  const std::string document = test::read_text(source_folder / "docs" / "diff.md");
  EXPECT_TRUE(with_table(document, "metrics", compare::metrics_markdown()) == document)
      << "run: abacus keys metrics --into docs/diff.md";
}

TEST(KeysCommand, GoIntoADocumentBetweenItsComments) {
  const std::string document =
      "a\n<!-- abacus keys hardware -->\nold\n"
      "<!-- end of abacus keys hardware -->\nb\n";
  EXPECT_EQ(with_table(document, "hardware", "| new |\n"),
            "a\n<!-- abacus keys hardware -->\n\n| new |\n\n"
            "<!-- end of abacus keys hardware -->\nb\n");
  EXPECT_THROW(with_table("a\nb\n", "hardware", "| new |\n"), std::runtime_error);
  EXPECT_THROW(with_table(document, "other", "| new |\n"), std::runtime_error);
}

}  // namespace
}  // namespace abacus::cli
