#include "sw/experiment/package_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sw/network/checkpoint.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/support/forked_work.hpp"
#include "tests/experiment/prepared_scenario.hpp"

namespace abacus::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Stands in for abacus-train: a shell script that notes its arguments, one call a line, and then
// does as it was told.
class PackageCache : public ::testing::Test {
 protected:
  void trainer_does(const std::string& command) {
    test::write_text(trainer(), "#!/bin/sh\necho \"$@\" >> " + log() +
                                    "\nfor last in \"$@\"; do :; done\nout=$last\n" + command +
                                    "\n");
    std::filesystem::permissions(trainer(), std::filesystem::perms::owner_all);
  }
  // Copies a package that is right for `recipe`.
  void trainer_writes(const network::IntegerNetwork& network) {
    network::write_package(made(), network);
    trainer_does("cp " + made().string() + " \"$out\"");
  }
  std::filesystem::path trainer() const { return prepared_.folder() / "abacus-train"; }
  std::filesystem::path made() const { return prepared_.folder() / "made.safetensors"; }
  std::string log() const { return (prepared_.folder() / "log").string(); }
  long calls() const {
    if (!std::filesystem::exists(log())) return 0;
    const std::string text = test::read_text(log());
    return std::count(text.begin(), text.end(), '\n');
  }
  std::vector<std::string> cached() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(cache_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  PackageRequest request() const {
    return {prepared_.checkpoint(),
            "fashion-mnist",
            prepared_.recipe(),
            "",
            cache_,
            trainer(),
            true,
            ""};
  }
  std::string error_of(const PackageRequest& wanted) const {
    try {
      obtain_package(wanted);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  }

  test::PreparedScenario prepared_;
  std::filesystem::path cache_ = prepared_.folder() / "empty" / "cache";
};

TEST_F(PackageCache, HasTheTrainerMakeAMissingPackageOnce) {
  trainer_writes(prepared_.package(prepared_.recipe()));
  const Package first = obtain_package(request());
  EXPECT_EQ(first.sha256, network::sha256_file(made()));
  EXPECT_EQ(first.network.layers.size(), prepared_.network().layers.size());
  const Package second = obtain_package(request());
  EXPECT_EQ(second.sha256, first.sha256);
  EXPECT_EQ(calls(), 1);
}

TEST_F(PackageCache, AnotherRecipeIsAnotherPackage) {
  trainer_writes(prepared_.package(prepared_.recipe()));
  obtain_package(request());
  PackageRequest other = request();
  other.recipe.weight_bits = 5;
  trainer_writes(prepared_.package(other.recipe));
  obtain_package(other);
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(cached().size(), 2u);
  obtain_package(request());
  obtain_package(other);
  EXPECT_EQ(calls(), 2);
}

TEST_F(PackageCache, EveryPartOfTheRecipeCounts) {
  const QuantizationRecipe recipe = prepared_.recipe();
  std::set<std::string> hashes{recipe_hash("fashion-mnist", recipe, "alpha 0.999"),
                               recipe_hash("cifar10", recipe, "alpha 0.999"),
                               recipe_hash("fashion-mnist", recipe, "alpha 0.9995")};
  QuantizationRecipe other = recipe;
  other.scheme = "uniform-ptq";
  hashes.insert(recipe_hash("fashion-mnist", other, "alpha 0.999"));
  other = recipe;
  other.activation_bits = 3;
  hashes.insert(recipe_hash("fashion-mnist", other, "alpha 0.999"));
  other = recipe;
  other.storage_bits = 9;
  hashes.insert(recipe_hash("fashion-mnist", other, "alpha 0.999"));
  other = recipe;
  other.options["groups"] = "2";
  hashes.insert(recipe_hash("fashion-mnist", other, "alpha 0.999"));
  other = recipe;
  other.options["alpha"] = "0.99";
  hashes.insert(recipe_hash("fashion-mnist", other, "alpha 0.999"));
  EXPECT_EQ(hashes.size(), 8u);
}

TEST_F(PackageCache, AChangedCheckpointMakesThePackageStale) {
  trainer_writes(prepared_.package(prepared_.recipe()));
  obtain_package(request());
  network::Checkpoint checkpoint = network::load_checkpoint(prepared_.checkpoint());
  checkpoint.epochs += 1;
  network::save_checkpoint(prepared_.checkpoint(), checkpoint);
  trainer_writes(prepared_.package(prepared_.recipe()));
  obtain_package(request());
  EXPECT_EQ(calls(), 2);
}

TEST_F(PackageCache, ADamagedPackageIsMadeAgain) {
  trainer_writes(prepared_.package(prepared_.recipe()));
  const Package package = obtain_package(request());
  test::write_text(package.file, test::read_text(package.file).substr(0, 1000));
  EXPECT_EQ(obtain_package(request()).sha256, package.sha256);
  EXPECT_EQ(calls(), 2);
}

TEST_F(PackageCache, APackageUnderAnotherOnesNameIsMadeAgain) {
  trainer_writes(prepared_.package(prepared_.recipe()));
  const Package package = obtain_package(request());
  QuantizationRecipe other = prepared_.recipe();
  other.weight_bits = 7;
  network::write_package(package.file, prepared_.package(other));
  EXPECT_EQ(obtain_package(request()).sha256, package.sha256);
  EXPECT_EQ(calls(), 2);
}

TEST_F(PackageCache, AFailingTrainerIsAnErrorAndLeavesNothing) {
  trainer_does("echo half > \"$out\"; echo half > \"$out.partial.1\"; exit 3");
  EXPECT_THAT(error_of(request()), HasSubstr("ended with status 3"));
  EXPECT_THAT(cached(), IsEmpty());
}

TEST_F(PackageCache, ATrainerThatWritesNothingIsAnError) {
  trainer_does("exit 0");
  EXPECT_THAT(error_of(request()), HasSubstr("left no package"));
}

TEST_F(PackageCache, ATrainerThatWritesAnotherPackageIsAnErrorAndLeavesNothing) {
  QuantizationRecipe other = prepared_.recipe();
  other.weight_bits = 7;
  trainer_writes(prepared_.package(other));
  EXPECT_THAT(error_of(request()), HasSubstr("another checkpoint or recipe"));
  EXPECT_THAT(cached(), IsEmpty());
}

TEST_F(PackageCache, WithoutTheTrainerTheErrorSaysHowToGetIt) {
  PackageRequest wanted = request();
  wanted.trainer.clear();
  EXPECT_THAT(error_of(wanted), HasSubstr("ABACUS_BUILD_TRAINER"));
}

TEST_F(PackageCache, ChangedDefaultsOfTheTrainerMakeThePackageStale) {
  trainer_does("echo 'alpha 0.999'");
  PackageRequest wanted = request();
  wanted.full_recipe = ask_trainer(wanted);
  EXPECT_EQ(wanted.full_recipe, "alpha 0.999");
  trainer_writes(prepared_.package(prepared_.recipe(), wanted.full_recipe));
  obtain_package(wanted);
  obtain_package(wanted);
  EXPECT_EQ(calls(), 2);  // the question and one package

  wanted.full_recipe = "alpha 0.9995";
  trainer_writes(prepared_.package(prepared_.recipe(), wanted.full_recipe));
  obtain_package(wanted);
  EXPECT_EQ(calls(), 3);
}

TEST_F(PackageCache, TheTrainersRefusalIsPassedOnInItsWords) {
  trainer_does(
      "echo 'a warning' >&2; echo 'abacus-train: alpha is 2; allowed: at most 1' >&2; exit 1");
  try {
    ask_trainer(request());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "abacus-train: alpha is 2; allowed: at most 1");
  }
}

TEST_F(PackageCache, AsksNothingWithoutATrainer) {
  PackageRequest wanted = request();
  wanted.trainer.clear();
  EXPECT_EQ(ask_trainer(wanted), "");
}

TEST_F(PackageCache, TwoProgramsThatWantOnePackageDoNotInterfere) {
  network::write_package(made(), prepared_.package(prepared_.recipe()));
  // Each writes half, waits until the other one has begun, too, and then the rest.
  const std::string begun = (prepared_.folder() / "begun").string();
  trainer_does("head -c 100 " + made().string() + " > \"$out\"; echo >> " + begun +
               "; while [ $(wc -l < " + begun + ") -lt 2 ]; do sleep 0.01; done; cp " +
               made().string() + " \"$out\"");
  const support::Work work = [&](int, const support::Report&) {
    return nlohmann::json(obtain_package(request()).sha256);
  };
  const auto hashes = support::run_forked(2, work, [](std::int64_t) {});
  EXPECT_EQ(hashes[0], network::sha256_file(made()));
  EXPECT_EQ(hashes[1], hashes[0]);
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(cached().size(), 1u);
}

TEST_F(PackageCache, PassesTheWholeRecipeOn) {
  PackageRequest wanted = request();
  wanted.checkpoint = "c";
  wanted.recipe.activation_bits = 3;
  wanted.recipe.storage_bits = 10;
  wanted.recipe.options = {{"groups", "2"}, {"weight_clamp", "false"}};
  wanted.data_root = "d";
  EXPECT_THAT(quantize_arguments(wanted),
              ElementsAre("quantize", "--checkpoint=c", "--scheme=adderquant-ptq",
                          "--weight-bits=4", "--activation-bits=3", "--storage-bits=10",
                          "--groups=2", "--weight-clamp=false", "--data=d"));
}

}  // namespace
}  // namespace abacus::experiment
