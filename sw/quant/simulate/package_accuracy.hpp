// The reference executor's accuracy: that of the hardware, bit for bit, or of exponent weights in
// exact arithmetic, which no hardware has.
#pragma once

#include <cstdint>
#include <functional>

#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/reference_executor.hpp"

namespace abacus::quant {

// Percent of the images that the package classifies rightly, on all of torch's threads; accumulators
// have 32 bits. Throws std::invalid_argument for images of another shape or number of classes, or
// none.
double package_accuracy(const network::IntegerNetwork& package, const network::Dataset& images,
                        network::ExponentArithmetic exponents,
                        const std::function<void(std::int64_t)>& done);

}  // namespace abacus::quant
