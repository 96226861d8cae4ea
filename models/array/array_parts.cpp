#include "models/array/array_parts.hpp"

#include "models/elements/processing_element.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::models {
namespace {

AreaUse times(double count, AreaUse use) {
  use.count *= count;
  return use;
}

}  // namespace

std::vector<AreaUse> ArrayParts::all() const {
  std::vector<AreaUse> uses;
  for (const auto* group : {&units, &registers, &adder_trees, &accumulators, &memories}) {
    uses.insert(uses.end(), group->begin(), group->end());
  }
  return uses;
}

ArrayParts array_parts(const hw::PeArrayConfig& array) {
  const double columns = array.columns;
  const double lanes = columns * array.rows;
  const ProcessingElement& element = processing_element(array.kind);
  const int tap = element.widest_tap_bits(array);
  ArrayParts parts;
  for (const AreaUse& use : element.unit_parts(array)) parts.units.push_back(times(lanes, use));
  // A weight that serves several outputs has the next one behind it.
  const int weights = array.accumulators > 1 ? 2 : 1;
  parts.registers = {
      {AreaPart::register_bits, lanes, double{1} * weights * array.weight_bits + tap},
      {AreaPart::register_bits,
       static_cast<double>(hw::dataflow(array.dataflow).activation_registers(array)),
       double{1} * array.activation_bits}};
  if (array.zero_gating) parts.registers.push_back({AreaPart::register_bits, lanes, 1});
  for (const hw::SumLevel& level : hw::dataflow(array.dataflow).sum_levels(array.rows, tap)) {
    const double bits = level.bits;
    parts.adder_trees.push_back({AreaPart::adder, columns * level.additions, bits});
    parts.adder_trees.push_back({AreaPart::register_bits, columns * level.registers, bits});
  }
  const double accumulator = array.accumulator_bits;
  parts.accumulators = {{AreaPart::adder, columns, accumulator}};
  if (array.accumulators == 1) {
    parts.accumulators.push_back({AreaPart::register_bits, columns, accumulator});
  } else {
    parts.accumulators.push_back({AreaPart::memory, columns, array.accumulators * accumulator});
  }
  parts.memories = {
      {AreaPart::memory, lanes, double{1} * array.weights_per_pe * array.weight_bits}};
  for (const AreaUse& use : element.column_parts(array)) {
    (use.part == AreaPart::memory ? parts.memories : parts.adder_trees)
        .push_back(times(columns, use));
  }
  return parts;
}

}  // namespace abacus::models
