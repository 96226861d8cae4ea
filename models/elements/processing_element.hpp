// A kind of processing element: what one lane of the array does with an activation and a weight.
//
//   kind       tap                                             actions
//   adder      |(a << activation_shift) − (w << weight_shift)| 1 absolute difference a tap
//   mac        a · w                                           1 multiplication a tap
//   xnor       a · w of −1 and +1, as the XNOR of their bits   1 XNOR a tap, 1 addition a tree's sum
//   shift      ±(|a| << fraction_bits) >> p, p = |w| − 1       1 shift a tap; the sign is the tree's
//                                                              carry-in
//   shift-add  that of adder or that of shift                  as theirs
//   post       ±|a|·2^(−n/2), n = |w| − 1                      n even: 1 shift; odd: 1 table read
//                                                              (models/post_lut; PeArray counts it)
//   apot       sum of one or two such shifts                   1 or 2 shifts, 1 addition for two
//
// A shift-add lane has both units in front of one tree, accumulator and weight buffer, and a command
// uses one of them: ShiftAddNet's layers, shift and adder by turns, run one after the other.
//
// An xnor element's tree counts the p taps of n that agree; 2p − n, the sum of the products, takes
// one more addition (doubling is wiring).
//
// A new kind needs: a value in ProcessingElementKind (tlm/hardware_config.hpp), its tap in
// TapFormat::tap() and its operands in plan_taps() (kernels.cpp; a new TapKernel only where none of
// the existing ones fits), and a class here. CONTRIBUTING.md walks through it.
#pragma once

#include <cstdint>
#include <string>

#include "models/array/kernels.hpp"
#include "models/energy/activity.hpp"

namespace abacus {

class ProcessingElement {
 public:
  virtual ~ProcessingElement() = default;
  ProcessingElement() = default;
  ProcessingElement(const ProcessingElement&) = delete;
  ProcessingElement& operator=(const ProcessingElement&) = delete;

  std::string name() const { return to_string(kind()); }
  // Whether its lanes compute taps of that kind.
  bool computes(ProcessingElementKind taps) const { return abacus::computes(kind(), taps); }
  virtual ProcessingElementKind kind() const = 0;
  // Empty, or why the lane cannot compute such taps.
  virtual std::string refuse(const TapFormat& format) const = 0;
  // Widths of its operands.
  virtual int fewest_bits() const { return 2; }
  virtual int most_bits() const { return 8; }
  // Width of a tap's result, as it enters the adder tree.
  virtual int tap_bits(const TapFormat& format) const = 0;
  // Counts what the lanes do for `taps` taps, apart from summing them and reading lookup tables.
  virtual void count_taps(Activity& activity, int layer, Component component,
                          const TapFormat& format, std::int64_t taps) const = 0;
  // Counts what happens to `sums` sums between the tree over `lanes` lanes and the accumulator.
  virtual void count_sums(Activity& /*activity*/, int /*layer*/, Component /*component*/,
                          int /*lanes*/, std::int64_t /*sums*/) const {}
};

// The one object of each kind.
const ProcessingElement& processing_element(ProcessingElementKind kind);

}  // namespace abacus
