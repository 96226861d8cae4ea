// Descriptions of elements, as users write them.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary_folder.hpp"
#include "tlm/element_table.hpp"

namespace abacus::test {

// Writes `file` (.toml) and its table beside it (.csv); 0.5 pJ a tap, 100 µm² a lane.
inline void write_element(const std::filesystem::path& file, const hw::ElementTable& element) {
  std::filesystem::path table = file;
  table.replace_extension(".csv");
  std::string rows;
  for (int row = 0; row < element.rows(); ++row) {
    for (int column = 0; column < element.columns(); ++column) {
      const auto at = static_cast<std::size_t>(row * element.columns() + column);
      rows += (column == 0 ? "" : ",") + std::to_string(element.taps[at]);
    }
    rows += '\n';
  }
  write_text(table, rows);
  const auto truth = [](bool value) { return value ? "true" : "false"; };
  write_text(file, "name = \"" + element.name + "\"\ntaps = \"" + table.filename().string() +
                       "\"\nweight_bits = " + std::to_string(element.weight_bits) +
                       "\nweight_signed = " + truth(element.weight_signed) +
                       "\nactivation_bits = " + std::to_string(element.activation_bits) +
                       "\nactivation_signed = " + truth(element.activation_signed) +
                       "\ntap_bits = " + std::to_string(element.tap_bits) + "\nscales = \"" +
                       hw::to_string(element.scales) +
                       "\"\naccumulate = " + std::to_string(element.accumulate) +
                       "\nenergy = { tap_pj = 0.5, source = \"a test\" }\n"
                       "area = { lane_um2 = 100, source = \"a test\" }\n");
}

}  // namespace abacus::test
