// The levels that weight quantizers round to, ascending, divided by their largest.
#pragma once

#include <cstddef>
#include <vector>

namespace abacus::quant {

// Throw std::invalid_argument for widths outside 2 … 8.

// 0, ±1/n, …, ±1 with n = 2^(bits−1) − 1: symmetric uniform quantization (ASQ, Figure 3a).
std::vector<double> uniform_levels(int bits);

// i/n, i = −n − 1 … n with the same n: all integers of `bits` bits, one more below 0 (LSQ).
std::vector<double> twos_complement_levels(int bits);

// (2i − n) / n, i = 0 … n, n = 2^bits − 1: all 2^bits levels, 0 is none of them (DoReFa-Net, arXiv
// 1606.06160, eq. 9; SAWB, arXiv 1807.06964).
std::vector<double> zero_free_levels(int bits);

// 0, ±2^−i, i = 0 … 2^(bits−1) − 2 (ASQ, eq. 3 and Figure 3b).
std::vector<double> power_of_two_levels(int bits);

// 0, ±2^(−i/2), i = 0 … magnitudes − 1 (ASQ, eq. 17 and Figure 3c). Throws std::invalid_argument for
// less than one or more than 127 magnitudes.
std::vector<double> power_of_root_two_levels(int magnitudes);

// The number of magnitudes that `bits` bits hold beside a sign and 0: 2^(bits−1) − 1.
int default_magnitudes(int bits);

// Sign and a sum of powers of two, one of each term or nothing (APoT, arXiv 1909.13144, eq. 5): for
// bits − 1 = 2k the k terms are {0, 2^−i, 2^−(i+k), 2^−(i+2k)}, i = 1 … k; for 2k + 1 one more term
// {0, 2^−(2k+1)} stands in front of each term's last exponent, as in the authors' code. Of 2 bits
// there remain 0 and ±1. Widths of 4 and 5 bits are those of the paper's Figure 1.
std::vector<double> additive_power_of_two_levels(int bits);

// The terms of additive_power_of_two_levels() before dividing: exponents i of 2^−i, 0 left out.
std::vector<std::vector<int>> additive_terms(int bits);

// Index of the level nearest to `value`; of two that are equally near the higher one. `levels`:
// ascending, not empty.
std::size_t nearest_level(const std::vector<double>& levels, double value);

}  // namespace abacus::quant
