// Compute unit: executes the commands convolve, add, pool and adapt on the PE array, the edge array,
// the vector unit and the step adapter, one at a time, between the on-chip memories.
//
//   activation SRAM → read quantizer → PE array ← weight SRAM
//                                          ↓ accumulators
//   activation SRAM ←────────────────  scale unit ← parameter SRAM, residual (activation SRAM)
//
// Time of a convolve command, in cycles of the clock:
//
//   max(weight fill, parameter fetch)   through the weight and parameter SRAM ports; no fill where
//                                       the command keeps weights or they do not stay in the PEs
//   + latency of the activation SRAM + of the read quantizer (0 where it is not needed)
//   + max(array's issue cycles + its waits for lookup tables, scale unit's cycles,
//         (accesses of the command + those of DMA bursts meanwhile) / ports of each SRAM)
//                                       what the ports and the tables add is stalled
//   + pipeline depth of the array
//
// Traffic: the accesses that the array's dataflow states (tlm/dataflow.hpp), each of as many ports as
// it needs; the residual is read as results are written. A command's traffic of an SRAM is one stream
// (models/memory/sram_ports.hpp), and so is that of the weight and parameter fetch. Time of a vector
// command: elements / lanes cycles or what the ports need, + 4 + the SRAM's latency.
//
// Function: done at once when the command starts, by the units' kernels, on the bytes that the
// memories hold; accumulator saturations are added to the Context.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "models/array/pe_array.hpp"
#include "models/compute/command_check.hpp"
#include "models/execution/execution_unit.hpp"
#include "models/memory/sram.hpp"
#include "models/read_quantizer/read_quantizer.hpp"
#include "models/scale_unit/scale_unit.hpp"
#include "models/step_adapter/step_adapter.hpp"
#include "models/timing/compute_time.hpp"
#include "models/vector_unit/vector_unit.hpp"

namespace abacus::models {

// What the cycles of a convolve command are made of, before contention.
class ComputeUnit : public ExecutionUnit {
 public:
  ComputeUnit(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
              Context& context, TokenCounters& tokens, Sram& activation_sram, Sram& weight_sram,
              Sram& parameter_sram, CpuTarget target = best_cpu_target(),
              const std::string& engine = default_engine);

 protected:
  void execute(const hw::Command& command) override;
  Unit unit_of(const hw::Command& command) const override;

 private:
  // An array with the units that only it uses.
  struct Lane {
    Lane(Component component, const hw::PeArrayConfig& config, CpuTarget target,
         const std::string& engine)
        : array(component, config, target, engine),
          scale_unit(config.scale_lanes, config.accumulator_bits, target) {}
    PeArray array;
    ScaleUnit scale_unit;
  };

  void convolve(const hw::ConvolveFields& fields, int layer);
  void compute_tile(Lane& lane, const hw::ConvolveFields& fields, int layer);
  void spend_convolve(const Lane& lane, const hw::ConvolveFields& fields, int layer);
  void add(const hw::VectorFields& fields, int layer);
  void pool(const hw::VectorFields& fields, int layer);
  void adapt(const hw::AdaptFields& fields, int layer);
  ReadFormat read_format(const hw::ConvolveFields& fields) const;
  // The channels that a depthwise tile reads, side by side, from the first row of its windows on.
  const std::uint8_t* cut_out_channels(const hw::ConvolveFields& fields);
  // The tile's ScaleRecords, with β in their multipliers where the command uses an adapted step.
  const std::uint8_t* scale_records(const hw::ConvolveFields& fields, int layer);
  void gather(const hw::ConvolveFields& fields, const ScalePlan& plan, int layer);
  void gather(const hw::VectorFields& fields, int layer);
  // Counts the accesses and waits for what the command takes.
  void spend(const ComputeTime& time, int layer);
  // Traffic of a command.
  struct Demand {
    Sram& sram;
    std::int64_t accesses;
  };
  // Waits until the command has worked for the phase's cycles and the SRAMs have served its demands, both from
  // now on, and then for its latency.
  void work(const ComputePhase& phase, std::initializer_list<Demand> demands);
  void report_writes(const hw::ConvolveFields& fields, const ScalePlan& plan);
  SramSizes sizes() const {
    return {activation_sram_.size(), weight_sram_.size(), parameter_sram_.size()};
  }
  Lane& lane(const hw::ConvolveFields& fields) { return fields.edge_array ? edge_ : main_; }
  const Lane& lane(const hw::ConvolveFields& fields) const {
    return fields.edge_array ? edge_ : main_;
  }

  hw::HardwareConfig hardware_;
  Sram& activation_sram_;
  Sram& weight_sram_;
  Sram& parameter_sram_;
  Lane main_;
  Lane edge_;
  ReadQuantizer read_quantizer_;
  VectorUnit vector_unit_;
  StepAdapter step_adapter_;
  std::vector<hw::ScaleRecord> adapted_records_;
  AlignedBuffer<std::uint8_t> depthwise_input_;
};

}  // namespace abacus::models
