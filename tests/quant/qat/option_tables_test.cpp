// The documentation has the tables that the options give.
#include "sw/quant/qat/option_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "sw/quant/qat/qat_quantizers.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string documentation() {
  std::string text;
  for (const std::string name : {"quantization.md", "qat.md"}) {
    std::ifstream file(std::string(ABACUS_SOURCE_FOLDER) + "/docs/" + name);
    std::ostringstream content;
    content << file.rdbuf();
    text += content.str();
  }
  return text;
}

TEST(OptionTables, TheDocumentationHasThem) {
  const std::string text = documentation();
  for (const OptionTable& table : option_tables()) {
    EXPECT_NE(text.find(table.title + "\n\n" + table.text + "\n"), std::string::npos)
        << "docs: this is not what `abacus-train schemes` prints below \"" << table.title
        << "\", which is\n"
        << table.text;
  }
}

TEST(QatQuantizers, OneAskedForMakesTheOtherLsq) {
  AskedQuantizers asked;
  EXPECT_FALSE(complete(asked).has_value());
  asked.weights = WeightQuantizer::post;
  const QatQuantizers post = *complete(asked);
  EXPECT_EQ(to_string(post), "post-lsq");
  EXPECT_EQ(post.magnitudes, 0);
  EXPECT_EQ(post.fraction_bits, 0);
  asked.weights.reset();
  asked.activations = ActivationQuantizer::asq;
  asked.adapter_start = AdapterStart::fitted;
  EXPECT_EQ(to_string(*complete(asked)), "lsq-asq");
  EXPECT_EQ(complete(asked)->adapter_start, AdapterStart::fitted);
}

TEST(QatQuantizers, RefuseOptionsOfOthers) {
  const auto message = [](const AskedQuantizers& asked) -> std::string {
    try {
      complete(asked);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  AskedQuantizers asked;
  asked.magnitudes = 5;
  EXPECT_EQ(message(asked),
            "--post-levels given without quantizers that learn; allowed with "
            "--weight-quantizer post");
  asked.weights = WeightQuantizer::pot;
  EXPECT_EQ(message(asked),
            "--post-levels given with quantizers pot-lsq; allowed with --weight-quantizer post");
  asked.weights = WeightQuantizer::post;
  EXPECT_EQ(message(asked), "accepted");
  asked.fraction_bits = 9;
  EXPECT_THAT(message(asked), AllOf(HasSubstr("--fraction-bits is 9"), HasSubstr("2 to 8")));
  asked.fraction_bits = 8;
  EXPECT_EQ(message(asked), "accepted");
  asked.activations = ActivationQuantizer::pact;
  asked.step_start = StepStart::mse;
  EXPECT_THAT(message(asked), HasSubstr("--step-start given with quantizers post-pact; allowed "
                                        "with --weight-quantizer lsq"));
}

}  // namespace
}  // namespace abacus::quant
