// The options that schemes of adder layers take, with their defaults.
#pragma once

#include "sw/quant/schemes/scheme_options.hpp"

namespace abacus::quant {

// Of groups and ranges, with AdderQuant's defaults but for the number of groups.
TakenOptions group_options(int groups);

// What is adjusted and learned after that. `reconstruction`: its default.
TakenOptions adjustment_options(RangeSearch range_search,
                                Usual<QuantizationValues, Reconstruction> reconstruction);

// Throws std::invalid_argument for settings out of range, and for those that the reconstruction of the
// network does not allow.
void check_adjustment(const CompletedOptions& options);

}  // namespace abacus::quant
