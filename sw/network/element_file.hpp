// The description of a processing element by its user (docs/table.md): a short TOML file, and its table.
//
//   name = "truncated"                 any text
//   taps = "truncated.csv"             or .npy (sw/reading/integer_matrix.hpp); relative to this file
//   weight_bits = 8                    1 … 8
//   weight_signed = true
//   activation_bits = 8                1 … 8
//   activation_signed = false
//   tap_bits = 16                      1 … 24, two's complement
//   scales = "product"                 or "shared"
//   accumulate = 1                     or -1
//   energy = { tap_pj = 0.1, source = "…" }
//   area = { lane_um2 = 200, source = "…" }
#pragma once

#include <filesystem>
#include <string>

#include "tlm/element_table.hpp"

namespace abacus::network {

struct DescribedElement {
  hw::ElementTable table;
  double tap_pj = 0;  // of one tap, up to the adder tree
  std::string energy_source;
  double lane_um2 = 0;  // of a lane's unit, between the operands' registers and the tap's
  std::string area_source;
  std::string sha256;  // of what is computed: all of `table` but the name
};

// Throws InputError naming file, place, what was found and what is allowed.
DescribedElement read_element(const std::filesystem::path& file);

// Of what is computed.
std::string hash_of(const hw::ElementTable& table);

}  // namespace abacus::network
