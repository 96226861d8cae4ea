// Whether a network and images belong together. All that joins the two asks here first.
#pragma once

#include <string>

#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/network.hpp"

namespace abacus::network {

// Each throws std::invalid_argument, `source` in front (a file's name, or what the network is to whom
// reads it), naming what was found and what the images need; likewise where there are no images.

// `name`, which a file names as its images', must be a data set's.
const std::string& known_dataset(const std::string& source, const std::string& name);

// A network for images of shape `image` that tells `classes` apart.
void check_images(const std::string& source, const Shape& image, int classes,
                  const Dataset& images);
void check_images(const std::string& source, const Network& network, const Dataset& images);
void check_images(const std::string& source, const IntegerNetwork& network, const Dataset& images);

// The shape alone, where nobody looks at a label.
void check_image_shape(const std::string& source, const Shape& image, const Dataset& images);

}  // namespace abacus::network
