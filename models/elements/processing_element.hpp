// A kind of processing element: what one lane of the array does with an activation and a weight. One
// file beside this one a kind:
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
//   table      what the array's table says of both operands    1 element tap
//
// A new kind: its row in tlm/tap_kinds.hpp, its file, its line in processing_element.cpp.
// CONTRIBUTING.md walks through it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/area/area_part.hpp"
#include "models/elements/tap_format.hpp"
#include "tlm/hardware_config.hpp"
#include "tlm/tap_kinds.hpp"

namespace abacus::models {

class ProcessingElement {
 public:
  explicit ProcessingElement(hw::ProcessingElementKind kind) : kind_(kind) {}
  virtual ~ProcessingElement() = default;
  ProcessingElement(const ProcessingElement&) = delete;
  ProcessingElement& operator=(const ProcessingElement&) = delete;

  hw::ProcessingElementKind kind() const { return kind_; }
  std::string name() const { return hw::to_string(kind_); }

  // Function --------------------------------------------------------------------------------------

  // The tap t of docs/arithmetic.md; of an exponent weight in units of 2^−fraction_bits.
  virtual int tap(const TapFormat& format, int activation, int weight) const = 0;
  // Largest |t| over both operands' ranges.
  virtual int largest_tap(const TapFormat& format) const;
  // Whether a weight's tap is read from the lane's lookup table.
  virtual bool reads_table(const TapFormat& /*format*/, int /*weight*/) const { return false; }

  // Whether a tap of which one operand is 0 is 0 whatever the other one is: an array with zero gating then
  // does not compute it.
  virtual bool zero_gives_zero(const TapFormat& /*format*/) const { return false; }

  // Limits ----------------------------------------------------------------------------------------

  // Empty, or why the lane cannot compute such taps.
  virtual std::string refuse(const TapFormat& format) const = 0;
  // Widths of its operands.
  virtual int fewest_bits() const { return 2; }
  virtual int most_bits() const { return 8; }

  // Energy ----------------------------------------------------------------------------------------

  // Width of a tap's result, as it enters the adder tree.
  virtual int tap_bits(const TapFormat& format) const = 0;
  // Counts what the lanes do for `taps` taps, apart from summing them and reading lookup tables.
  virtual void count_taps(Activity& activity, int layer, Component component,
                          const TapFormat& format, std::int64_t taps) const = 0;
  // Counts what happens to `sums` sums between the tree over `lanes` lanes and the accumulator.
  virtual void count_sums(Activity& /*activity*/, int /*layer*/, Component /*component*/,
                          int /*lanes*/, std::int64_t /*sums*/) const {}

  // Area ------------------------------------------------------------------------------------------

  // Width of a tap's result where the operands are the widest that the array takes.
  virtual int widest_tap_bits(const hw::PeArrayConfig& array) const = 0;
  // What a lane's unit is made of, between its operands' registers and the tap's.
  virtual std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& array) const = 0;
  // What a column has besides its lanes, tree and accumulator.
  virtual std::vector<AreaUse> column_parts(const hw::PeArrayConfig& /*array*/) const { return {}; }

 private:
  hw::ProcessingElementKind kind_;
};

// The one object of each kind.
const ProcessingElement& processing_element(hw::ProcessingElementKind kind);
// The one that layers of such taps ask for.
const ProcessingElement& processing_element(hw::TapKind tap);

}  // namespace abacus::models
