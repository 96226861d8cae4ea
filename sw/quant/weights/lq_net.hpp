// LQ-Nets (Zhang et al., ECCV 2018): a channel's weights are sums of ±v_i, i = 1 … bits, with a basis
// v that is fitted to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace abacus::quant {

// The basis after `rounds` rounds of the paper's algorithm 1 (QEM): each weight takes the nearest of
// the 2^bits sums, then v = (BᵀB)⁻¹Bᵀw. Starts from `basis`; a basis of zeros stays as it is where the
// weights do not determine one.
std::vector<double> fit_basis(const float* weights, std::size_t count, std::vector<double> basis,
                              int rounds);

// Where fit_basis() starts for a trained channel: the basis of the uniform levels up to twice the
// weights' deviation, v_i ∝ 2^i.
std::vector<double> uniform_basis(const float* weights, std::size_t count, int bits);

// The basis on an integer grid, so that every sum is a signed 8-bit integer times `unit`:
// Σ|integers| ≤ 127. Zeros for a basis of zeros (unit 1).
struct IntegerBasis {
  std::vector<int> integers;
  double unit = 1;
};
IntegerBasis integer_basis(const std::vector<double>& basis);

// All sums ±integers, ascending, without repetition.
std::vector<int> basis_sums(const IntegerBasis& basis);

}  // namespace abacus::quant
