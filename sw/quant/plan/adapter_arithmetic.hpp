// ASQ's adapter in the integers of docs/arithmetic.md, "Step adapter".
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/quant/activations/activation_quantizer.hpp"

namespace abacus::quant {

// β's multipliers need room on either side of those of β = 1: the read multiplier, which is divided by
// β, has 12 of its 16 bits there; the scale unit's, which are multiplied by it, 13 of theirs with the
// sign. So nothing saturates, since β is between smallest_step_factor and largest_step_factor.
inline constexpr int adapted_read_multiplier = 4095;
inline constexpr int adapted_scale_multiplier = 4095;

// The adapter with weights of 8 bits. `input`: the stored tensor whose channel means it takes. Means and
// hidden values have the most bits that can never overflow (of 16-bit tensors a mean drops one); the last
// layer's scale is the power of two that makes its sum β without a multiplication. Throws
// std::range_error for weights that this leaves no room for, std::invalid_argument for another number of
// channels than the tensor's.
network::AdapterNetwork integer_adapter(const AdapterParameters& adapter,
                                        const network::StoredTensor& input);

// β of an image's channel sums (of stored integers), in units of 2^−step_factor_bits:
// smallest_step_factor … largest_step_factor.
int integer_step_factor(const network::AdapterNetwork& adapter,
                        const std::vector<std::int64_t>& sums);

// The read quantizer of β = 1 for stored scale / operand step, with room for other β. Throws
// std::range_error as read_quantizer() does.
network::ReadQuantizer adaptable_read_quantizer(double ratio);

// What β (an integer_step_factor) makes of a read quantizer, and of a scale unit's multiplier.
network::ReadQuantizer adapted(const network::ReadQuantizer& quantizer, int factor);
std::int32_t adapted(std::int32_t multiplier, int factor);

}  // namespace abacus::quant
