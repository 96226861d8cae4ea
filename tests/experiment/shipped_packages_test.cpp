#include "sw/experiment/shipped_packages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/experiment/resources.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/safetensors.hpp"
#include "tests/experiment/prepared_scenario.hpp"

namespace abacus::experiment {
namespace {

class ShippedPackages : public ::testing::Test {
 protected:
  ShippedPackages() { std::filesystem::create_directories(folder_); }

  PackageRequest request() const {
    PackageRequest request;
    request.checkpoint = prepared_.checkpoint();
    request.dataset = "fashion-mnist";
    request.recipe = prepared_.recipe();
    request.cache_folder = prepared_.folder() / "no cache";
    return request;
  }
  // What the trainer said stands in the package, and in its hash.
  void ship(const std::string& said = "alpha=0.998", const std::string& hashed = "alpha=0.998") {
    network::write_package(file_, prepared_.package(prepared_.recipe(), hashed), said);
  }

  test::PreparedScenario prepared_;
  std::filesystem::path folder_ = prepared_.folder() / "packages";
  std::filesystem::path file_ = folder_ / "lenet.safetensors";
};

TEST_F(ShippedPackages, AreFoundByCheckpointAndRecipeAndNeedNoTrainer) {
  ship();
  const auto found = find_shipped_package(folder_, request());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, file_);
  EXPECT_EQ(found->full_recipe, "alpha=0.998");
  PackageRequest wanted = request();
  wanted.shipped = found->file;
  EXPECT_NO_THROW(check_obtainable(wanted));
  const Package package = obtain_package(wanted);
  EXPECT_EQ(package.file, file_);
  EXPECT_EQ(package.sha256, network::sha256_file(file_));
  EXPECT_FALSE(std::filesystem::exists(wanted.cache_folder));
}

TEST_F(ShippedPackages, AreNotAnotherRecipes) {
  ship();
  PackageRequest other = request();
  other.recipe.activation_bits += 1;
  EXPECT_FALSE(find_shipped_package(folder_, other));
  other = request();
  other.recipe.options["alpha"] = "0.9";
  EXPECT_FALSE(find_shipped_package(folder_, other));
  other = request();
  other.dataset = "cifar10";
  EXPECT_FALSE(find_shipped_package(folder_, other));
}

TEST_F(ShippedPackages, AreNotAnotherCheckpoints) {
  ship();
  network::Checkpoint checkpoint = network::load_checkpoint(prepared_.checkpoint());
  checkpoint.epochs += 1;
  network::save_checkpoint(prepared_.checkpoint(), checkpoint);
  EXPECT_FALSE(find_shipped_package(folder_, request()));
}

TEST_F(ShippedPackages, MustBeWhatTheirMetadataSays) {
  ship("alpha=0.998", "alpha=0.9");
  EXPECT_FALSE(find_shipped_package(folder_, request()));
}

TEST_F(ShippedPackages, DamagedOnesAndOtherFilesArePassedOver) {
  ship();
  test::write_text(folder_ / "a.safetensors", "damaged");
  test::write_text(folder_ / "README.md", "text");
  EXPECT_TRUE(find_shipped_package(folder_, request()));
  EXPECT_FALSE(find_shipped_package(folder_ / "none", request()));
}

// Where a quantizer or a recipe has changed: scripts/ship-packages makes them anew.
TEST(ShippedScenarios, NeedNoTrainer) {
  const std::filesystem::path scenarios = resource_folder() / "scenarios";
  for (const std::string name : {"first.toml", "demo.toml"}) {
    int made = 0;
    for (const RunSpec& run : read_scenario(scenarios / name).runs) {
      if (run.checkpoint.empty()) continue;
      PackageRequest request;
      request.checkpoint = run.checkpoint;
      request.dataset = run.dataset;
      request.recipe = run.quantization;
      EXPECT_TRUE(find_shipped_package(scenarios / "packages", request))
          << name << ": " << run.name;
      ++made;
    }
    EXPECT_GE(made, 2);
  }
}

}  // namespace
}  // namespace abacus::experiment
