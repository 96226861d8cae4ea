#include "tests/driver/spent_time_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "tlm/dataflow.hpp"

namespace abacus::test {
namespace {

using models::Cause;
using models::SpentTime;
using models::Unit;

constexpr std::initializer_list<Unit> compute_units = {Unit::compute_array, Unit::compute_edge,
                                                       Unit::compute_vector, Unit::step_adapter};

class Sums {
 public:
  explicit Sums(const SpentTime& spent) {
    for (const SpentTime::Row& row : spent.rows()) {
      for (std::size_t u = 0; u < row.size(); ++u) {
        for (std::size_t c = 0; c < row[u].size(); ++c) sums_[u][c] += row[u][c];
      }
    }
  }
  SpentTime::Ticks of(Unit unit, Cause cause) const {
    return sums_[static_cast<std::size_t>(unit)][static_cast<std::size_t>(cause)];
  }
  SpentTime::Ticks of(std::initializer_list<Unit> units) const {
    SpentTime::Ticks sum = 0;
    for (const Unit unit : units) {
      for (const SpentTime::Ticks ticks : sums_[static_cast<std::size_t>(unit)]) sum += ticks;
    }
    return sum;
  }
  // Lost inside of commands: to memory, bus and tables.
  SpentTime::Ticks stalled(std::initializer_list<Unit> units) const {
    SpentTime::Ticks sum = 0;
    for (const Unit unit : units) {
      for (const Cause cause : {Cause::lookup_table, Cause::activation_sram, Cause::weight_sram,
                                Cause::parameter_sram}) {
        sum += of(unit, cause);
      }
    }
    return sum;
  }

 private:
  SpentTime::Row sums_{};
};

// Beats of the bus for one transfer: rows that follow one another are one run, which is cut at multiples
// of a burst.
std::uint64_t beats(const hw::TransferFields& f, int burst_bytes, int bus_bytes) {
  const auto burst = static_cast<std::uint64_t>(burst_bytes);
  const auto width = static_cast<std::uint64_t>(bus_bytes);
  const bool one_run = f.rows == 1 || f.dram_stride == f.row_bytes;
  const std::uint64_t run_bytes = std::uint64_t{f.row_bytes} * (one_run ? f.rows : 1);
  std::uint64_t sum = 0;
  for (std::uint64_t row = 0; row < (one_run ? 1 : f.rows); ++row) {
    const std::uint64_t begin = f.dram_address + row * f.dram_stride;
    for (std::uint64_t at = begin; at < begin + run_bytes;) {
      const std::uint64_t end = std::min(begin + run_bytes, (at / burst + 1) * burst);
      sum += (at % width + (end - at) + width - 1) / width;
      at = end;
    }
  }
  return sum;
}

std::int64_t issue_cycles(const hw::ConvolveFields& f, const hw::HardwareConfig& hardware) {
  const hw::PeArrayConfig& array = f.edge_array ? hardware.edge_array : hardware.array;
  const hw::ArrayTile tile{
      f.output_height, f.output_width,   f.kernel, f.depthwise ? 1 : f.input_channels,
      f.columns,       f.depthwise != 0, f.stride};
  return hw::dataflow(array.dataflow).issue_cycles(array, tile);
}

std::int64_t vector_cycles(const hw::VectorFields& f, bool pools,
                           const hw::HardwareConfig& hardware) {
  const std::int64_t outputs = std::int64_t{f.height} * f.width * f.channels;
  const std::int64_t operands = pools ? outputs * f.kernel * f.kernel : outputs;
  return (operands + hardware.vector_unit.lanes - 1) / hardware.vector_unit.lanes;
}

}  // namespace

void check_spent_time(const models::Context& context, const hw::HardwareConfig& hardware,
                      const std::vector<hw::Command>& commands, std::uint64_t cycles) {
  const Sums sums(context.spent);
  const SpentTime::Ticks cycle = context.cycle().value();
  EXPECT_EQ(sums.of({Unit::load}), cycles * cycle);
  EXPECT_EQ(sums.of({Unit::store}), cycles * cycle);
  EXPECT_EQ(sums.of({Unit::sequencer}), cycles * cycle);
  EXPECT_EQ(sums.of(compute_units), cycles * cycle);

  std::uint64_t loaded = 0, stored = 0;
  for (const hw::Command& command : commands) {
    if (command.opcode == hw::Opcode::load) {
      loaded +=
          beats(command.transfer, hardware.load_dma.burst_bytes, hardware.bus.bytes_per_cycle);
    } else if (command.opcode == hw::Opcode::store) {
      stored +=
          beats(command.transfer, hardware.store_dma.burst_bytes, hardware.bus.bytes_per_cycle);
    }
  }
  EXPECT_EQ(sums.of(Unit::load, Cause::work), loaded * cycle);
  EXPECT_EQ(sums.of(Unit::store, Cause::work), stored * cycle);
  EXPECT_EQ(sums.of(Unit::sequencer, Cause::work), commands.size() * cycle);

  // What an array issues and the vector unit takes in is work; filling, pipelines and scaling are not.
  std::int64_t array = 0, edge = 0, vector = 0;
  for (const hw::Command& command : commands) {
    if (command.opcode == hw::Opcode::convolve) {
      (command.convolve.edge_array ? edge : array) += issue_cycles(command.convolve, hardware);
    } else if (command.opcode == hw::Opcode::add || command.opcode == hw::Opcode::pool) {
      vector += vector_cycles(command.vector, command.opcode == hw::Opcode::pool, hardware);
    }
  }
  EXPECT_EQ(sums.of(Unit::compute_array, Cause::work), static_cast<std::uint64_t>(array) * cycle);
  EXPECT_EQ(sums.of(Unit::compute_edge, Cause::work), static_cast<std::uint64_t>(edge) * cycle);
  EXPECT_EQ(sums.of(Unit::compute_vector, Cause::work), static_cast<std::uint64_t>(vector) * cycle);

  SpentTime::Ticks stalled = 0;
  for (const models::TimelineEntry& entry : context.timeline) {
    if (entry.unit != Unit::load && entry.unit != Unit::store) stalled += entry.stalled.value();
  }
  EXPECT_EQ(sums.stalled(compute_units), stalled);
}

}  // namespace abacus::test
