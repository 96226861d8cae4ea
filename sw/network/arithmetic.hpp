// What the convolutions of a network compute. A layer's arithmetic is its kind of tap
// (tlm/tap_kinds.hpp):
//
//   `cnn`: Σ x·w. `adder`: −Σ |x − w| (AdderNet, CVPR 2020, eq. 2).
//   `bnn`: α·Σ sign(x)·sign(w) with sign(0) = +1 and α = mean |w| of the output channel (XNOR-Net,
//   ECCV 2016, eq. 6); a padded position's sign is −1. `shift`: Σ ±x·2^−p (DeepShift, CVPR workshops
//   2021; the shift layers of ShiftAddNet, NeurIPS 2020).
//   `post`: Σ ±x·2^(−n/2) (POST, "Precision Neural Network Quantization via Learnable Adaptive
//   Modules", eq. 17). `apot`: Σ ±x·(2^−p + 2^−q) (APoT, ICLR 2020). Both are ways to quantize the
//   weights of a network that was trained as `cnn`. `table`: Σ of what the network's element says of x and w
//   (tlm/element_table.hpp).
//
// A network's is one of them, or `shiftaddnet`, never a layer's: each of its convolutions is a `shift`
// layer and, directly behind it, an `adder` layer.
#pragma once

#include <string>
#include <vector>

#include "tlm/element_table.hpp"
#include "tlm/tap_kinds.hpp"

namespace abacus::network {

class Arithmetic {
 public:
  // By the names that files and the literature have for layers with such taps.
  static constexpr hw::TapKind cnn = hw::TapKind::product;
  static constexpr hw::TapKind adder = hw::TapKind::absolute_difference;
  static constexpr hw::TapKind bnn = hw::TapKind::sign_product;
  static constexpr hw::TapKind shift = hw::TapKind::shifted;
  static constexpr hw::TapKind post = hw::TapKind::half_shifted;
  static constexpr hw::TapKind apot = hw::TapKind::twice_shifted;
  static constexpr hw::TapKind table = hw::TapKind::tabulated;
  static const Arithmetic shiftaddnet;

  constexpr Arithmetic(hw::TapKind every_layer) : Arithmetic(every_layer, every_layer) {}

  // Of the layers that a convolution becomes; where they are equal, it is one layer.
  constexpr hw::TapKind first() const { return first_; }
  constexpr hw::TapKind second() const { return second_; }
  constexpr bool composite() const { return first_ != second_; }

  friend constexpr bool operator==(Arithmetic a, Arithmetic b) {
    return a.first_ == b.first_ && a.second_ == b.second_;
  }
  friend constexpr bool operator!=(Arithmetic a, Arithmetic b) { return !(a == b); }

 private:
  constexpr Arithmetic(hw::TapKind first, hw::TapKind second) : first_(first), second_(second) {}

  hw::TapKind first_;
  hw::TapKind second_;
};

inline constexpr Arithmetic Arithmetic::shiftaddnet{hw::TapKind::shifted,
                                                    hw::TapKind::absolute_difference};

// As files have it.
std::string to_string(Arithmetic arithmetic);
// All of them by name.
const std::vector<std::string>& arithmetic_names();
// Throws std::invalid_argument naming the text and the allowed values.
Arithmetic arithmetic_from_string(const std::string& text);

// Of the float checkpoint from which a network of that arithmetic is quantized. `element`: of `table`.
Arithmetic checkpoint_arithmetic(Arithmetic arithmetic, const hw::ElementTable* element = nullptr);

}  // namespace abacus::network
