#include "sw/schedule/output_tile.hpp"

namespace abacus::schedule {

std::int32_t stored_element(const network::StoredTensor& tensor, const std::uint8_t* bytes,
                            std::size_t index) {
  if (tensor.element_bytes() == 1) {
    return tensor.is_signed ? static_cast<std::int8_t>(bytes[index]) : bytes[index];
  }
  const auto pattern = static_cast<std::uint16_t>(bytes[2 * index] | (bytes[2 * index + 1] << 8));
  return tensor.is_signed ? static_cast<std::int16_t>(pattern) : pattern;
}

}  // namespace abacus::schedule
