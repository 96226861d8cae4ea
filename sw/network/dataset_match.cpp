#include "sw/network/dataset_match.hpp"

#include <stdexcept>

namespace abacus::network {
namespace {

std::string text(const Shape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

[[noreturn]] void fail(const std::string& source, const std::string& found,
                       const std::string& allowed, const Dataset& images) {
  throw std::invalid_argument(source + ": found a network for " + found + "; allowed: " + allowed +
                              ", as in " + images.name);
}

}  // namespace

const std::string& known_dataset(const std::string& source, const std::string& name) {
  std::string allowed;
  for (const std::string& known : dataset_names()) {
    if (name == known) return name;
    allowed += (allowed.empty() ? "" : ", ") + known;
  }
  throw std::invalid_argument(source + ": found images of data set \"" + name +
                              "\"; allowed: " + allowed);
}

void check_image_shape(const std::string& source, const Shape& image, const Dataset& images) {
  if (images.count() == 0) throw std::invalid_argument(images.name + ": no images");
  if (image != images.image) {
    fail(source, "images of shape " + text(image), "images of shape " + text(images.image), images);
  }
}

void check_images(const std::string& source, const Shape& image, int classes,
                  const Dataset& images) {
  check_image_shape(source, image, images);
  if (classes != images.classes) {
    fail(source, std::to_string(classes) + " classes", std::to_string(images.classes) + " classes",
         images);
  }
}

void check_images(const std::string& source, const Network& network, const Dataset& images) {
  check_images(source, network.input, network.classes, images);
}

void check_images(const std::string& source, const IntegerNetwork& network, const Dataset& images) {
  check_images(source, network.image.shape, network.classes, images);
}

}  // namespace abacus::network
