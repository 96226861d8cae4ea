#include "sw/quant/options/quantization_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <stdexcept>
#include <string>

#include "sw/quant/options/scheme.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

QuantizationOptions asked(const std::string& scheme, int bits = 8) {
  QuantizationOptions options;
  options.scheme = scheme;
  if (scheme != "bnn") options.weight_bits = options.activation_bits = bits;
  return options;
}

std::string message(const QuantizationOptions& options) {
  try {
    complete(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

std::string recipe(const QuantizationOptions& options) { return to_string(complete(options)); }

TEST(QuantizationScheme, IsKnownByName) {
  std::set<std::string> names;
  for (const std::string& name : quantization_scheme_names()) {
    EXPECT_EQ(find_scheme(name).name, name);
    EXPECT_TRUE(names.insert(name).second) << name << " twice";
  }
  try {
    find_scheme("qssf");
    FAIL() << "an unknown scheme was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("qssf"), HasSubstr("adderquant-ptq"), HasSubstr("uniform-ptq")));
  }
}

// Packages' caches and metadata hold these texts: they must not change unless packages do.
TEST(QuantizationOptions, RecipesAreWhatTheyHaveAlwaysBeen) {
  const std::string adder_options =
      " group-method=max weight-clamp=1 activation-clamp=1 activation-range=percentile";
  EXPECT_EQ(recipe(asked("adderquant-ptq", 4)),
            "version=2 scheme=adderquant-ptq weight-bits=4 activation-bits=4 storage-bits=8 "
            "batch-norm=estimated calibration-images=2000 bn-images=8000 crop-padding=0 flip=0 "
            "seed=1 groups=4" +
                adder_options +
                " alpha=0.998 operand-grid=unsigned range-search=none weight-rounding=nearest "
                "reconstruction=none");
  QuantizationOptions best = asked("best-ptq", 4);
  best.seed = 9;
  best.flip = true;
  EXPECT_EQ(recipe(best),
            "version=2 scheme=best-ptq weight-bits=4 activation-bits=4 storage-bits=8 "
            "batch-norm=corrected calibration-images=2000 bn-images=8000 crop-padding=0 flip=1 "
            "seed=9 groups=1 group-method=max activation-clamp=1 activation-range=percentile "
            "alpha=0.998 range-search=output-error weight-rounding=nearest "
            "reconstruction=network reconstruction-images=16384 iterations=1000 temperature=4");
  EXPECT_EQ(recipe(asked("brecq", 3)),
            "version=2 scheme=brecq weight-bits=3 activation-bits=3 storage-bits=8 "
            "batch-norm=kept calibration-images=2000 bn-images=8000 crop-padding=0 flip=0 seed=1 "
            "reconstruction-images=1024 iterations=2000 activation-iterations=500");
  QuantizationOptions post = asked("post", 4);
  post.fraction_bits = 5;
  EXPECT_EQ(recipe(post),
            "version=2 scheme=post weight-bits=4 activation-bits=4 storage-bits=8 "
            "batch-norm=estimated calibration-images=2000 bn-images=8000 crop-padding=0 flip=0 "
            "seed=1 fraction-bits=5");
  EXPECT_EQ(recipe(asked("bnn")),
            "version=2 scheme=bnn weight-bits=1 activation-bits=1 storage-bits=8 "
            "batch-norm=estimated calibration-images=2000 bn-images=8000 crop-padding=0 flip=0 "
            "seed=1");
}

TEST(QuantizationOptions, TheRecipeTellsEveryOptionApart) {
  const QuantizationOptions plain = asked("adderquant-ptq");
  const auto changed = [&](const std::function<void(QuantizationOptions&)>& change) {
    QuantizationOptions options = plain;
    change(options);
    return recipe(options);
  };
  using O = QuantizationOptions;
  const std::set<std::string> recipes = {
      recipe(plain),
      changed([](O& o) { o.weight_bits = 4; }),
      changed([](O& o) { o.activation_bits = 4; }),
      changed([](O& o) { o.storage_bits = 4; }),
      changed([](O& o) { o.batch_norm = BatchNormEstimation::fitted; }),
      changed([](O& o) { o.calibration_images = 4; }),
      changed([](O& o) { o.batch_norm_images = 4; }),
      changed([](O& o) { o.flip = true; }),
      changed([](O& o) { o.crop_padding = 3; }),
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
      changed([](O& o) { o.reconstruction = Reconstruction::network; }),
      changed([](O& o) {
        o.reconstruction = Reconstruction::network;
        o.temperature = 2;
      }),
      changed([](O& o) { o.reconstruction = Reconstruction::block; }),
      changed([](O& o) {
        o.scheme = "qssf-ptq";
        o.shared_scale = SharedScale::weights;
      })};
  EXPECT_EQ(recipes.size(), 23U);
}

// Every option can be read as it is written in help, recipe and documentation.
TEST(QuantizationOptions, AreReadAsTheyAreWritten) {
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    QuantizationOptions options = asked(scheme.name, 4);
    if (scheme.find(option::reconstruction) != nullptr) {
      options.reconstruction = Reconstruction::block;
    }
    if (scheme.name == "table") continue;  // its widths are a file's; tests of the command have one
    const CompletedOptions completed = complete(options);
    QuantizationOptions again;
    again.scheme = scheme.name;
    for (const TakenQuantizationOption& taken : scheme.options) {
      const std::string text = taken.option->text(completed);
      if (taken.fixed || !taken.applies(completed) || text.empty()) continue;
      taken.option->read(text, again);
      EXPECT_TRUE(taken.option->is_asked(again)) << taken.option->flag();
    }
    EXPECT_EQ(recipe(again), to_string(completed));
  }
}

TEST(QuantizationOptions, TextThatIsNoValueIsRefusedWithWhatIs) {
  const auto read = [](const QuantizationOption& of, const std::string& text) -> std::string {
    QuantizationOptions options;
    try {
      of.read(text, options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return of.is_asked(options) ? "accepted" : "lost";
  };
  EXPECT_EQ(read(option::groups, "64"), "accepted");
  EXPECT_EQ(read(option::groups, "65"), "--groups is 65; allowed: 1 to 64");
  EXPECT_EQ(read(option::groups, "4.5"), "--groups is 4.5; allowed: 1 to 64");
  EXPECT_EQ(read(option::groups, ""), "--groups is ; allowed: 1 to 64");
  EXPECT_EQ(read(option::alpha, "1"), "accepted");
  for (const std::string text : {"0", "1.01", "nan", "-0.5", "0.5x"}) {
    EXPECT_EQ(read(option::alpha, text), "--alpha is " + text + "; allowed: above 0, at most 1");
  }
  EXPECT_EQ(read(option::temperature, "inf"), "--temperature is inf; allowed: above 0");
  EXPECT_EQ(read(option::flip, "false"), "accepted");
  EXPECT_EQ(read(option::flip, "maybe"), "--flip is maybe; allowed: true, false");
  EXPECT_EQ(read(option::seed, "18446744073709551615"), "accepted");
  EXPECT_EQ(read(option::seed, "-1"), "--seed is -1; allowed: 0 or more");
  EXPECT_EQ(read(option::batch_norm, "none"),
            "--bn is none; allowed: kept, estimated, corrected, fitted");
}

TEST(QuantizationOptions, AugmentationIsTheTrainingsUnlessAskedFor) {
  QuantizationOptions options = asked("uniform-ptq");
  EXPECT_EQ(complete(options, {4, true}).augmentation().padding, 4);
  EXPECT_TRUE(complete(options, {4, true}).augmentation().flip);
  options.crop_padding = 0;
  options.flip = false;
  EXPECT_EQ(complete(options, {4, true}).augmentation().padding, 0);
  EXPECT_FALSE(complete(options, {4, true}).augmentation().flip);
}

TEST(QuantizationOptions, AlphaGoesByTheWidthOfActivations) {
  const auto alpha = [](int bits) { return complete(asked("adderquant-ptq", bits)).alpha; };
  EXPECT_EQ(alpha(2), 0.99);
  EXPECT_EQ(alpha(3), 0.995);
  EXPECT_EQ(alpha(4), 0.998);
  EXPECT_EQ(alpha(5), 0.9995);
  for (const int bits : {6, 7, 8}) EXPECT_EQ(alpha(bits), 0.9999);
}

TEST(QuantizationOptions, FractionBitsAreOfExponentWeightsOnly) {
  const auto with = [](const std::string& scheme, int fraction_bits) {
    QuantizationOptions options = asked(scheme, 4);
    options.fraction_bits = fraction_bits;
    return message(options);
  };
  EXPECT_EQ(with("apot", 12), "accepted");
  EXPECT_EQ(with("pot", 2), "accepted");
  EXPECT_EQ(with("shiftaddnet", 12), "accepted");
  EXPECT_EQ(with("post", 8), "accepted");
  EXPECT_EQ(with("post", 9), "scheme post: --fraction-bits is 9; allowed: 2 to 8");
  EXPECT_EQ(with("apot", 13), "scheme apot: --fraction-bits is 13; allowed: 2 to 12");
  EXPECT_EQ(with("shift", 1), "scheme shift: --fraction-bits is 1; allowed: 2 to 12");
  EXPECT_THAT(with("adderquant-ptq", 8),
              AllOf(HasSubstr("scheme adderquant-ptq does not take --fraction-bits; it takes"),
                    HasSubstr("--fraction-bits is taken by pot, post, apot, shift, shiftaddnet")));
}

TEST(QuantizationOptions, WidthsHaveToBeGiven) {
  QuantizationOptions options;
  options.scheme = "pot";
  EXPECT_EQ(message(options), "scheme pot: --weight-bits is required");
  options.scheme = "bnn";
  EXPECT_EQ(message(options), "accepted");
  EXPECT_EQ(complete(options).weight_bits, 1);
  EXPECT_THAT(message(asked("apot", 7)), AllOf(HasSubstr("apot"), HasSubstr("7")));
}

TEST(QuantizationOptions, RefusesOptionsThatTheSchemeDoesNotTake) {
  QuantizationOptions options = asked("adderquant-ptq");
  options.shared_scale = SharedScale::weights;
  EXPECT_THAT(message(options), AllOf(HasSubstr("adderquant-ptq does not take --shared-scale"),
                                      HasSubstr("it takes --groups"),
                                      HasSubstr("--shared-scale is taken by qssf-ptq")));
  options.scheme = "qssf-ptq";
  EXPECT_EQ(message(options), "accepted");
  options.groups = 4;
  EXPECT_THAT(message(options), AllOf(HasSubstr("qssf-ptq does not take --groups; it takes "
                                                "--operand-grid, --shared-scale and"),
                                      Not(HasSubstr("--groups,"))));
  options = asked("nonnegative-ptq");
  options.operand_grid = OperandGrid::symmetric;
  EXPECT_THAT(message(options), HasSubstr("scheme nonnegative-ptq does not take --operand-grid"));
  options = asked("best-ptq");
  options.weight_clamp = false;
  EXPECT_THAT(message(options), HasSubstr("scheme best-ptq does not take --weight-clamp"));
  options = asked("uniform-ptq");
  options.alpha = 0.9;
  EXPECT_THAT(message(options), HasSubstr("scheme uniform-ptq does not take --alpha"));
}

TEST(QuantizationOptions, RefusesWhatWouldDoNothing) {
  QuantizationOptions options = asked("best-ptq");
  options.iterations = 5;
  EXPECT_EQ(message(options),
            "scheme best-ptq: --iterations would do nothing; allowed with "
            "--reconstruction block, network");
  options.activation_bits = 4;
  EXPECT_EQ(message(options), "accepted");
  options.iterations = 0;
  EXPECT_THAT(message(options), AllOf(HasSubstr("iterations is 0"), HasSubstr("1 to")));
  options.iterations.reset();
  options.batch_norm = BatchNormEstimation::fitted;
  EXPECT_THAT(message(options), AllOf(HasSubstr("--bn is fitted"), HasSubstr("estimated")));
  options.batch_norm.reset();
  options.weight_rounding = WeightRounding::output_error;
  EXPECT_THAT(message(options),
              AllOf(HasSubstr("--weight-rounding is output-error"), HasSubstr("nearest")));
  options.weight_rounding.reset();
  options.temperature = 0;
  EXPECT_THAT(message(options), AllOf(HasSubstr("--temperature is 0"), HasSubstr("above 0")));
  options.temperature = 2;
  EXPECT_EQ(message(options), "accepted");
  options.reconstruction = Reconstruction::block;
  EXPECT_THAT(message(options),
              HasSubstr("--temperature would do nothing; allowed with --reconstruction network"));
  options.reconstruction.reset();
  options.temperature.reset();
  options.network_iterations = 5;
  EXPECT_THAT(message(options), HasSubstr("--network-iterations would do nothing; allowed with "
                                          "--reconstruction block"));
}

}  // namespace
}  // namespace abacus::quant
