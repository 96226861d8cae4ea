// The whole modelled system: host, bus, DRAM, accelerator, wired. One object a process (SystemC
// elaborates once).
//
// Bus initiators, in round-robin order: host, sequencer (command fetch), load (DMA), store (DMA).
// Bus targets: DRAM, registers; the on-chip memories for transport_dbg only (tlm/address_map.hpp).
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <systemc>
#include <vector>

#include "models/array/engine.hpp"
#include "models/context.hpp"
#include "models/memory/sram.hpp"
#include "tlm/hardware_config.hpp"
#include "tlm/host_bus.hpp"

namespace abacus::hw {
class BusObserver;
}

namespace abacus::models {

struct PlatformSignal {
  std::string name;
  std::function<void(sc_core::sc_trace_file*)> trace;  // adds it to the file, under its name
};

class Platform : public sc_core::sc_module {
 public:
  // Throws std::invalid_argument naming the part and the parameter that is out of range.
  // engine: what computes the arrays' accumulators (models/array/engine.hpp).
  Platform(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
           hw::TimingLevel level, const std::string& engine = default_engine);
  ~Platform() override;

  // The software that the host's processor runs, in a SystemC thread, once; when it returns the
  // simulation stops. Set before sc_start.
  void set_software(std::function<void(hw::HostBus&)> software);

  // Logs every bus transaction as CSV (tlm/bus_monitor.hpp); timed levels only. `out` must outlive
  // the platform. Before sc_start.
  void log_bus(std::ostream& out);
  // What a trace of signals can show: `load.executing`, `compute.queued`, `store.layer`, `tokens.3`,
  // `sequencer.busy`, … They live as long as the platform.
  std::vector<PlatformSignal> signals() const;
  // Told of every bus transaction when it ends; timed levels only. Not owned.
  void observe_bus(hw::BusObserver& observer);
  const std::string& bus_initiator(int initiator) const;
  // Why the last program ended with status_error; empty where it did not.
  const std::string& error_message() const;

  Context& context();
  const hw::HardwareConfig& config() const;
  Sram& activation_sram();
  Sram& weight_sram();
  Sram& parameter_sram();

  // Reads or writes at an address of the bus (tlm/address_map.hpp; the on-chip memories have windows
  // there) by transport_dbg, without time or counting, for checks and tests; false where the address
  // map has nothing, or not so many bytes.
  bool peek(std::uint64_t address, std::uint8_t* data, std::size_t bytes);
  bool poke(std::uint64_t address, const std::uint8_t* data, std::size_t bytes);

  // Told of each compute command that was carried out, by its place in the program, before any other
  // command may change what it wrote.
  void observe_compute(std::function<void(std::uint32_t)> ended);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace abacus::models
