// What stands in a POST lookup table (models/post_lut/post_lut.hpp).
#pragma once

namespace abacus::models {

// The table's entry for a magnitude and odd n = 2·index + 1: the integer nearest to
// magnitude·2^fraction_bits·2^(−n/2).
int post_lut_entry(int magnitude, int index, int fraction_bits);

}  // namespace abacus::models
