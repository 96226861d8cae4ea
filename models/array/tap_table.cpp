#include "models/array/tap_table.hpp"

#include "models/elements/processing_element.hpp"

namespace abacus::models {

TapTable::TapTable(const TapFormat& format) : format_(format), taps_(std::size_t{256} * 256) {
  const ProcessingElement& element = processing_element(format.kind);
  for (int field = 0; field < 1 << format.weight_bits; ++field) {
    const int weight = format.decode_weight(field);
    std::int32_t* taps =
        taps_.data() + static_cast<std::size_t>(static_cast<std::uint8_t>(weight)) * 256;
    for (int a = format.lowest_activation(); a <= format.highest_activation(); ++a) {
      taps[static_cast<std::uint8_t>(a)] = element.tap(format, a, weight);
    }
  }
}

}  // namespace abacus::models
