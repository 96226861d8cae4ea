// Weight quantizers of ordinary networks' quantization-aware training: from a layer's float weights to
// the levels that its package stores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tlm/tap_kinds.hpp"

namespace abacus::quant {

enum class WeightQuantizer {
  lsq,  // uniform, a learned step a channel (Esser et al., ICLR 2020)
  pact,  // PACT's authors' SAWB: zero-free uniform levels on ±α, α = c₁·√E[w²] + c₂·E|w| of the
  // layer (Choi et al., arXiv 1807.06964, eq. 6)
  dorefa,  // zero-free uniform levels of tanh(w) / max|tanh(w)| (DoReFa-Net, eq. 9)
  pot,     // ±α·2^−i and 0, α a channel's 0.99-quantile of |w| (level_sets.hpp)
  apot,    // sums of powers of two of the layer's weights, normalised to mean 0 and deviation 1, on
           // ±α with a learned α (APoT, eqs. 5, 6 and 10)
  lqnet,   // sums of ±v_i, a basis v a channel (lq_net.hpp)
  post     // ±α·2^(−i/2) and 0, α as of pot (ASQ, eq. 17)
};
// "lsq", "pact", "dorefa", "pot", "apot", "lqnet", "post".
const std::vector<std::string>& weight_quantizer_names();
std::string to_string(WeightQuantizer quantizer);
// Throws std::invalid_argument naming the text and the allowed values.
WeightQuantizer weight_quantizer_from_string(const std::string& text);

// Of a channel's magnitudes: the α of pot and post (ASQ's authors' code).
inline constexpr double exponent_quantile = 0.99;

// How a stored weight n makes a value, in units of its channel's step: n itself, or by the taps of
// exponent weights
//   shifted        0 for n = 0, else sign(n)·2^−(|n|−1)
//   half_shifted   0 for n = 0, else sign(n)·2^−((|n|−1)/2)
//   twice_shifted  sign(n)·(2^−p + 2^−q): p and q by parts of |n|
struct WeightCode {
  std::optional<hw::TapKind> exponents;  // one of these three; none: n itself
  int magnitudes = 0;                    // of exponents: |n| is 0 … magnitudes
  // twice_shifted: p by the low bits of |n|, q by the others; −1 for no such term, which is the first
  // of each. As many as a power of two each.
  std::vector<int> first_exponents, second_exponents;

  double value(int stored) const;
};

struct WeightPlan {
  WeightQuantizer quantizer = WeightQuantizer::lsq;
  int bits = 8;        // 2 … 8; of pact 2, 3, 4, 5 or 8
  int magnitudes = 0;  // post: number of i; 0 stands for the number that the width holds
  // lsq: a channel's step, one a channel. apot: α, one number. pot: none, or α of each channel. lqnet:
  // channel after channel, `bits` numbers of a basis each. Others: none.
  std::vector<double> parameters;
};

// Throws std::invalid_argument naming the quantizer, what was found and what is allowed.
void check(const WeightPlan& plan);

struct QuantizedWeights {
  WeightCode code;
  int bits = 8;                      // that hold the stored weights, sign included
  std::vector<std::int16_t> stored;  // in the order of the weights
  std::vector<double> step;          // one an output channel
};

// `weights`: output channel × whatever each has. Uniform levels without a 0 are stored as odd
// integers, of one bit more than the quantizer's width; of 8 bits, where that would be 9, pact and
// dorefa have the symmetric levels with 0 instead. Sums of powers of two are stored as such up to 5
// bits, which is two terms; of 6 bits as the integers that they are times their smallest power. Throws
// std::invalid_argument as check() does, and for counts that do not fit.
QuantizedWeights quantize_weights(const WeightPlan& plan, const std::vector<float>& weights,
                                  int output_channels);

// Parameters to start the training of trained weights from: LSQ's 2·mean|w| / √Q a channel, Q the
// highest level; APoT's α = 3; LQ-Net's basis after 20 rounds of fitting.
std::vector<double> initial_parameters(const WeightPlan& plan, const std::vector<float>& weights,
                                       int output_channels);

// lqnet: the bases after one more round of fitting to the weights.
std::vector<double> refit_bases(const WeightPlan& plan, const std::vector<float>& weights,
                                int output_channels);

// α of SAWB for a layer's weights.
double sawb_range(const std::vector<float>& weights, int bits);

// APoT's normalisation: mean and deviation (over n − 1) of all of a layer's weights.
struct Moments {
  double mean = 0;
  double deviation = 1;  // at least 1e-12
};
Moments moments(const std::vector<float>& weights);

}  // namespace abacus::quant
