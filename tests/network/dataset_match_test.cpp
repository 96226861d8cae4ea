#include "sw/network/dataset_match.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace abacus::network {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Dataset images_of(const Shape& image, int classes, int count) {
  Dataset images;
  images.name = "squares";
  images.image = image;
  images.classes = classes;
  images.labels.resize(static_cast<std::size_t>(count));
  images.pixels.resize(static_cast<std::size_t>(count * image.elements()));
  return images;
}

std::string error_of(const Shape& image, int classes, const Dataset& images) {
  try {
    check_images("a.safetensors", image, classes, images);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(DatasetMatch, TakesTheNetworksOwnImages) {
  EXPECT_EQ(error_of({1, 28, 28}, 10, images_of({1, 28, 28}, 10, 1)), "accepted");
}

// As many elements are not the same images.
TEST(DatasetMatch, RefusesEveryOtherDimension) {
  const Dataset images = images_of({1, 28, 28}, 10, 1);
  for (const Shape& shape : {Shape{1, 4, 4}, Shape{1, 28, 27}, Shape{1, 32, 28}, Shape{3, 28, 28},
                             Shape{28, 28, 1}, Shape{1, 14, 56}}) {
    EXPECT_THAT(error_of(shape, 10, images),
                AllOf(StartsWith("a.safetensors: "),
                      HasSubstr("shape " + std::to_string(shape.channels) + "x" +
                                std::to_string(shape.height) + "x" + std::to_string(shape.width)),
                      HasSubstr("allowed: images of shape 1x28x28, as in squares")));
  }
}

TEST(DatasetMatch, RefusesOtherClassesAndNoImages) {
  const Dataset images = images_of({1, 8, 8}, 10, 1);
  EXPECT_THAT(error_of({1, 8, 8}, 5, images),
              AllOf(HasSubstr("5 classes"), HasSubstr("allowed: 10 classes, as in squares")));
  EXPECT_THAT(error_of({1, 8, 8}, 11, images), HasSubstr("11 classes"));
  EXPECT_THAT(error_of({1, 8, 8}, 10, images_of({1, 8, 8}, 10, 0)), HasSubstr("no images"));
  EXPECT_NO_THROW(check_image_shape("a", {1, 8, 8}, images));
  EXPECT_THROW(check_image_shape("a", {1, 8, 9}, images), std::invalid_argument);
}

TEST(DatasetMatch, KnowsDataSetsByName) {
  EXPECT_EQ(known_dataset("a.safetensors", "cifar100"), "cifar100");
  try {
    known_dataset("a.safetensors", "squares");
    ADD_FAILURE() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                AllOf(StartsWith("a.safetensors: found images of data set \"squares\""),
                      HasSubstr("fashion-mnist, cifar10, cifar100")));
  }
}

TEST(DatasetMatch, AsksFloatAndIntegerNetworksAlike) {
  const Dataset images = images_of({1, 28, 28}, 10, 1);
  Network network = make_network("lenet", Arithmetic::cnn, {1, 28, 28}, 10);
  EXPECT_NO_THROW(check_images("a", network, images));
  network.classes = 9;
  EXPECT_THROW(check_images("a", network, images), std::invalid_argument);
  IntegerNetwork package;
  package.image.shape = {1, 28, 28};
  package.classes = 10;
  EXPECT_NO_THROW(check_images("a", package, images));
  package.image.shape = {1, 4, 4};
  EXPECT_THROW(check_images("a", package, images), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::network
