// Checks compute commands before anything is read or written. Every function throws CommandError,
// naming the field, what was found and what is allowed.
#pragma once

#include <cstdint>

#include "models/array/pe_array.hpp"
#include "models/timing/compute_time.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

struct SramSizes {
  std::uint32_t activation;
  std::uint32_t weight;
  std::uint32_t parameter;
};

void check_convolve(const hw::ConvolveFields& fields, const PeArray& array, const SramSizes& sizes,
                    const hw::StepAdapterConfig& step_adapter);
// The tile's ScaleRecords, at parameter_address.
void check_scale_records(const hw::ConvolveFields& fields, const std::uint8_t* records);
void check_add(const hw::VectorFields& fields, const SramSizes& sizes,
               const hw::StepAdapterConfig& step_adapter);
void check_pool(const hw::VectorFields& fields, const SramSizes& sizes,
                const hw::StepAdapterConfig& step_adapter);
void check_adapt(const hw::AdaptFields& fields, const SramSizes& sizes,
                 const hw::StepAdapterConfig& step_adapter);

// Rows of the input tensor that a convolve tile's windows see, [first, end); empty if all is
// padding.
struct InputRows {
  int first;
  int end;
};
InputRows input_rows(const hw::ConvolveFields& fields);

// As the array that executes the command sees them, whose table they refer to.
TapFormat tap_format(const hw::ConvolveFields& fields, const hw::PeArrayConfig& array);

}  // namespace abacus::models
