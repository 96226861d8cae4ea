#include "models/blocks/blocks.hpp"

#include "models/array/array_parts.hpp"
#include "models/scale_unit/scale_unit.hpp"
#include "models/step_adapter/step_adapter.hpp"
#include "tlm/command.hpp"

namespace abacus::models {
namespace {

// Widest stored activation.
constexpr double stored_bits = 16;
constexpr double multiplier_bits = ScaleUnit::multiplier_bits;
constexpr double sum_bits = ScaleUnit::sum_bits;
constexpr double bits_a_byte = 8;

AreaUse multiplier(double count, double bits_a, double bits_b) {
  return {AreaPart::multiplier, count, bits_a, bits_b};
}
AreaUse adder(double count, double bits) { return {AreaPart::adder, count, bits}; }
AreaUse shifter(double count, double bits) { return {AreaPart::shifter, count, bits}; }
AreaUse registers(double count, double bits) { return {AreaPart::register_bits, count, bits}; }
AreaUse memory(double count, double bits) { return {AreaPart::memory, count, bits}; }

Block read_quantizer(const hw::PeArrayConfig& array, Unit unit) {
  const double lanes = array.read_width();
  const double product = stored_bits + multiplier_bits;
  return {Component::read_quantizer,
          unit,
          {multiplier(lanes, stored_bits, multiplier_bits), adder(lanes, product),
           shifter(lanes, product), registers(lanes, product)}};
}

Block scale_unit(const hw::PeArrayConfig& array, Unit unit) {
  const double lanes = array.scale_lanes;
  return {Component::scale_unit,
          unit,
          {multiplier(lanes, array.accumulator_bits, multiplier_bits),
           multiplier(lanes, stored_bits, multiplier_bits), adder(3 * lanes, sum_bits),
           shifter(2 * lanes, sum_bits), registers(lanes, sum_bits + stored_bits),
           registers(array.columns, multiplier_bits + sum_bits)}};
}

Block vector_unit(const hw::VectorUnitConfig& config) {
  const double lanes = config.lanes;
  return {Component::vector_unit,
          Unit::compute_vector,
          {multiplier(2 * lanes, stored_bits, multiplier_bits), adder(2 * lanes, sum_bits),
           shifter(3 * lanes, sum_bits), registers(lanes, sum_bits)}};
}

Block step_adapter(const hw::StepAdapterConfig& config) {
  const double lanes = config.lanes;
  return {Component::step_adapter,
          Unit::step_adapter,
          {multiplier(lanes, 16, 8), adder(lanes, 48), registers(lanes, 48),
           memory(1, config.channels * 32.0), memory(1, config.hidden * 16.0),
           memory(1, config.registers * 32.0), adder(1, StepAdapter::divider_cycles),
           registers(1, 2.0 * StepAdapter::divider_cycles)}};
}

Block sram(Component component, const hw::SramConfig& config) {
  const double bank = static_cast<double>(config.bytes) / config.banks;
  return {component,
          std::nullopt,
          {{AreaPart::sram, double{1} * config.banks, bank, config.port_bytes * bits_a_byte}}};
}

double burst_bits(const hw::DmaConfig& config) {
  return double{1} * config.outstanding * config.burst_bytes * bits_a_byte;
}

Block dma(const hw::DmaConfig& config, const hw::BusConfig& bus, Unit unit) {
  return {Component::dma,
          unit,
          {memory(1, burst_bits(config)), registers(1, bus.bytes_per_cycle * bits_a_byte)}};
}

Block bus(const hw::BusConfig& config) {
  constexpr double initiators = 4;
  constexpr double address_bits = 32;
  return {Component::bus,
          std::nullopt,
          {registers(initiators, address_bits + config.bytes_per_cycle * bits_a_byte)}};
}

Block sequencer(const hw::HardwareConfig& hardware) {
  constexpr double units = 3;
  constexpr double command_bits = sizeof(hw::Command) * bits_a_byte;
  constexpr double tokens = 16;
  constexpr double token_bits = 8;
  return {Component::sequencer,
          std::nullopt,
          {memory(units, hardware.command_queue * command_bits),
           memory(1, burst_bits(hardware.load_dma)), registers(1, command_bits),
           registers(tokens, token_bits)}};
}

}  // namespace

double Block::register_bits() const {
  double bits = 0;
  for (const AreaUse& use : parts) {
    if (use.part == AreaPart::register_bits) bits += use.count * use.bits_a;
  }
  return bits;
}

std::vector<Block> accelerator_blocks(const hw::HardwareConfig& hardware) {
  return {{Component::pe_array, Unit::compute_array, array_parts(hardware.array).all()},
          {Component::edge_array, Unit::compute_edge, array_parts(hardware.edge_array).all()},
          read_quantizer(hardware.array, Unit::compute_array),
          read_quantizer(hardware.edge_array, Unit::compute_edge),
          scale_unit(hardware.array, Unit::compute_array),
          scale_unit(hardware.edge_array, Unit::compute_edge),
          vector_unit(hardware.vector_unit),
          step_adapter(hardware.step_adapter),
          sram(Component::activation_sram, hardware.activation_sram),
          sram(Component::weight_sram, hardware.weight_sram),
          sram(Component::parameter_sram, hardware.parameter_sram),
          dma(hardware.load_dma, hardware.bus, Unit::load),
          dma(hardware.store_dma, hardware.bus, Unit::store),
          bus(hardware.bus),
          sequencer(hardware)};
}

std::vector<AreaUse> parts_of(Component component, const hw::HardwareConfig& hardware) {
  std::vector<AreaUse> parts;
  for (const Block& block : accelerator_blocks(hardware)) {
    if (block.component != component) continue;
    parts.insert(parts.end(), block.parts.begin(), block.parts.end());
  }
  return parts;
}

}  // namespace abacus::models
