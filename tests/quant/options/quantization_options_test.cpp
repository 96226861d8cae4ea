#include "sw/quant/options/quantization_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <stdexcept>
#include <string>

namespace abacus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(QuantizationScheme, IsKnownByName) {
  for (const std::string& name : quantization_scheme_names()) {
    EXPECT_EQ(to_string(quantization_scheme_from_string(name)), name);
  }
  try {
    quantization_scheme_from_string("qssf");
    FAIL() << "an unknown scheme was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("qssf"), HasSubstr("adderquant-ptq"), HasSubstr("uniform-ptq")));
  }
}

// A choice's names lead to its values and back, and others are refused with the names.
template <typename FromString>
void expect_names(const std::vector<std::string>& names, const FromString& from_string) {
  EXPECT_GE(names.size(), 2U);
  for (const std::string& name : names) EXPECT_EQ(to_string(from_string(name)), name);
  try {
    from_string("nonsense");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("nonsense"), HasSubstr(names[0]), HasSubstr(names[1])));
  }
}

TEST(QuantizationOptions, ChoicesAreKnownByName) {
  expect_names(batch_norm_estimation_names(), batch_norm_estimation_from_string);
  expect_names(group_method_names(), group_method_from_string);
  expect_names(activation_range_names(), activation_range_from_string);
  expect_names(shared_scale_names(), shared_scale_from_string);
  expect_names(range_search_names(), range_search_from_string);
  expect_names(weight_rounding_names(), weight_rounding_from_string);
}

TEST(QuantizationOptions, TheRecipeTellsEveryOptionApart) {
  QuantizationOptions plain;
  const auto changed = [&](const std::function<void(QuantizationOptions&)>& change) {
    QuantizationOptions options = plain;
    change(options);
    return to_string(options);
  };
  using O = QuantizationOptions;
  const std::set<std::string> recipes = {
      to_string(plain),
      changed([](O& o) { o.weight_bits = 4; }),
      changed([](O& o) { o.activation_bits = 4; }),
      changed([](O& o) { o.storage_bits = 4; }),
      changed([](O& o) { o.batch_norm = BatchNormEstimation::fitted; }),
      changed([](O& o) { o.calibration_images = 4; }),
      changed([](O& o) { o.batch_norm_images = 4; }),
      changed([](O& o) { o.augmentation.flip = true; }),
      changed([](O& o) { o.augmentation.padding = 3; }),
      changed([](O& o) { o.seed = 4; }),
      changed([](O& o) { o.groups = 2; }),
      changed([](O& o) { o.group_method = GroupMethod::all; }),
      changed([](O& o) { o.weight_clamp = false; }),
      changed([](O& o) { o.activation_clamp = false; }),
      changed([](O& o) { o.activation_range = ActivationRange::alpha_max; }),
      changed([](O& o) { o.alpha = 0.5; }),
      changed([](O& o) { o.operand_grid = OperandGrid::symmetric; }),
      changed([](O& o) { o.range_search = RangeSearch::output_error; }),
      changed([](O& o) { o.weight_rounding = WeightRounding::output_error; }),
      changed([](O& o) { o.scheme = QuantizationScheme::nonnegative_ptq; }),
      changed([](O& o) { o.scheme = QuantizationScheme::best_ptq; }),
      changed([](O& o) { o.reconstruction = Reconstruction::network; }),
      changed([](O& o) {
        o.reconstruction = Reconstruction::network;
        o.temperature = 2;
      }),
      changed([](O& o) { o.scheme = QuantizationScheme::uniform_ptq; }),
      changed([](O& o) { o.scheme = QuantizationScheme::qssf_ptq; }),
      changed([](O& o) {
        o.scheme = QuantizationScheme::qssf_ptq;
        o.shared_scale = SharedScale::weights;
      })};
  EXPECT_EQ(recipes.size(), 26U);

  QuantizationOptions post;
  post.scheme = QuantizationScheme::post;
  const std::string by_default = to_string(post);
  for (const int bits : {5, 8}) {
    post.fraction_bits = bits;
    EXPECT_EQ(to_string(post), by_default + " fraction-bits=" + std::to_string(bits));
  }
}

TEST(QuantizationOptions, FractionBitsAreOfExponentWeightsOnly) {
  const auto message = [](QuantizationScheme scheme, int fraction_bits) -> std::string {
    QuantizationOptions options;
    options.scheme = scheme;
    options.weight_bits = 4;
    options.fraction_bits = fraction_bits;
    try {
      check(options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message(QuantizationScheme::apot, 12), "accepted");
  EXPECT_EQ(message(QuantizationScheme::pot, 2), "accepted");
  EXPECT_EQ(message(QuantizationScheme::shiftaddnet, 12), "accepted");
  EXPECT_EQ(message(QuantizationScheme::post, 8), "accepted");
  EXPECT_EQ(message(QuantizationScheme::post, 9), "fraction bits is 9; allowed: 2 to 8");
  EXPECT_EQ(message(QuantizationScheme::apot, 13), "fraction bits is 13; allowed: 2 to 12");
  EXPECT_EQ(message(QuantizationScheme::shift, 1), "fraction bits is 1; allowed: 2 to 12");
  EXPECT_THAT(message(QuantizationScheme::adderquant_ptq, 8),
              HasSubstr("fraction bits is no option of scheme adderquant-ptq; allowed with: "));
}

TEST(QuantizationOptions, DefaultsSpelledOutAreTheSameRecipe) {
  for (const std::string& name : quantization_scheme_names()) {
    QuantizationOptions options;
    options.scheme = quantization_scheme_from_string(name);
    if (name == "bnn") options.weight_bits = options.activation_bits = 1;
    if (name == "apot") options.weight_bits = 4;
    EXPECT_NO_THROW(check(with_defaults(options))) << name;
    EXPECT_EQ(to_string(with_defaults(options)), to_string(options)) << name;
  }
}

TEST(QuantizationOptions, RefusesOptionsThatTheSchemeDoesNotTake) {
  const auto message = [](QuantizationOptions options) -> std::string {
    try {
      check(options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  QuantizationOptions options;
  options.shared_scale = SharedScale::weights;
  EXPECT_THAT(message(options),
              AllOf(HasSubstr("shared scale"), HasSubstr("adderquant-ptq"), HasSubstr("qssf-ptq")));
  options.scheme = QuantizationScheme::qssf_ptq;
  EXPECT_EQ(message(options), "accepted");
  options.groups = 4;
  EXPECT_THAT(message(options), AllOf(HasSubstr("groups"), HasSubstr("qssf-ptq")));
  options = {};
  options.scheme = QuantizationScheme::nonnegative_ptq;
  options.operand_grid = OperandGrid::symmetric;
  EXPECT_THAT(message(options), AllOf(HasSubstr("operand grid"), HasSubstr("nonnegative-ptq")));
  options = {};
  options.scheme = QuantizationScheme::best_ptq;
  options.weight_clamp = false;
  EXPECT_THAT(message(options), HasSubstr("weight clamp"));
  options = {};
  options.scheme = QuantizationScheme::best_ptq;
  options.iterations = 5;
  EXPECT_THAT(message(options), AllOf(HasSubstr("iterations"), HasSubstr("network")));
  options.activation_bits = 4;
  EXPECT_EQ(message(options), "accepted");
  options.batch_norm = BatchNormEstimation::fitted;
  EXPECT_THAT(message(options), AllOf(HasSubstr("bn is fitted"), HasSubstr("estimated")));
  options.batch_norm.reset();
  options.weight_rounding = WeightRounding::output_error;
  EXPECT_THAT(message(options), AllOf(HasSubstr("weight rounding"), HasSubstr("nearest")));
  options.weight_rounding.reset();
  options.iterations = 0;
  EXPECT_THAT(message(options), AllOf(HasSubstr("iterations is 0"), HasSubstr("1 to")));
  options.iterations.reset();
  options.temperature = 0;
  EXPECT_THAT(message(options), AllOf(HasSubstr("temperature is 0"), HasSubstr("above 0")));
  options.temperature = 2;
  EXPECT_EQ(message(options), "accepted");
  options.reconstruction = Reconstruction::block;
  EXPECT_THAT(message(options),
              AllOf(HasSubstr("temperature"), HasSubstr("allowed with: network")));
  options.reconstruction.reset();
  options.temperature.reset();
  options.network_iterations = 5;
  EXPECT_THAT(message(options), AllOf(HasSubstr("network iterations"), HasSubstr("block")));
  options = {};
  options.scheme = QuantizationScheme::uniform_ptq;
  options.alpha = 0.9;
  EXPECT_THAT(message(options), AllOf(HasSubstr("alpha"), HasSubstr("uniform-ptq")));
  options.alpha.reset();
  options.weight_rounding = WeightRounding::output_error;
  EXPECT_THAT(message(options), HasSubstr("weight rounding"));
}

}  // namespace
}  // namespace abacus
