#include "sw/quant/layers/table_quantizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "tests/tlm/random_element.hpp"

namespace abacus::quant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const hw::ElementTable> shared(hw::ElementTable element) {
  return std::make_shared<const hw::ElementTable>(std::move(element));
}

TEST(TableQuantizer, StepsOfProductsMultiply) {
  ConvolutionPlan plan;
  plan.element = shared(test::product_element({3, true, 4, false}));
  plan.activation_step = 0.5;
  plan.weight_step = {0.25, 2};
  const QuantizedConvolution found =
      quantize_table_convolution(plan, {0.3F, -9, 0.9F, 1, 3, -4.9F}, {7, -1});
  EXPECT_EQ(found.element, plan.element);
  EXPECT_EQ(found.weight_bits, 3);
  EXPECT_TRUE(found.weight_signed);
  EXPECT_EQ(found.activation_bits, 4);
  EXPECT_FALSE(found.activation_signed);
  // Half rounds up; what lies beyond the codes is clamped.
  EXPECT_THAT(found.weights, ElementsAre(1, -4, 3, 1, 2, -2));
  EXPECT_THAT(found.group, ElementsAre(0, 0));
  EXPECT_THAT(found.activation_step, ElementsAre(0.5));
  EXPECT_THAT(found.accumulator_step, ElementsAre(0.125, 1));
  EXPECT_THAT(found.offset, ElementsAre(7, -1));
}

TEST(TableQuantizer, SharedStepsAreOneAGroupAndWhatIsBeyondThemIsAnOffset) {
  ConvolutionPlan plan;
  plan.element = shared(test::difference_element({3, true, 4, false}));
  plan.range = {3, 6};  // of 3 codes above 0: steps 1 and 2
  plan.group = {1, 0};
  const QuantizedConvolution found =
      quantize_table_convolution(plan, {6, 7.5F, -8.5F, -4.25F, 1, 0}, {});
  EXPECT_THAT(found.weights, ElementsAre(3, 3, -4, -4, 1, 0));
  EXPECT_THAT(found.group, ElementsAre(1, 0));
  EXPECT_THAT(found.activation_step, ElementsAre(1, 2));
  EXPECT_THAT(found.accumulator_step, ElementsAre(-2, -1));  // accumulate is −1
  EXPECT_THAT(found.offset, ElementsAre(-2, -0.25));
}

TEST(TableQuantizer, RefusesWhatDoesNotFit) {
  ConvolutionPlan plan;
  plan.element = shared(test::product_element({3, true, 4, false}));
  plan.weight_step = {1, 1};
  EXPECT_THROW(quantize_table_convolution(plan, {1, 2, 3}, {}), std::invalid_argument);
  EXPECT_THROW(quantize_table_convolution(plan, {1, 2}, {1}), std::invalid_argument);
  try {
    shared_step(test::difference_element({1, true, 4, false}), 1);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("has no positive codes of both operands"));
  }
}

}  // namespace
}  // namespace abacus::quant
