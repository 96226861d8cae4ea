#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace abacus::quant {

// Told what is being done and how much of it: images.
using QuantizationProgress =
    std::function<void(const std::string& stage, std::int64_t done, std::int64_t total)>;

}  // namespace abacus::quant
