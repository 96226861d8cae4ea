// The whole modelled system: host, bus, DRAM, accelerator, wired. One object a process (SystemC
// elaborates once).
#pragma once

#include <functional>
#include <memory>
#include <systemc>

#include "models/context.hpp"
#include "models/memory/sram.hpp"
#include "tlm/hardware_config.hpp"
#include "tlm/host_bus.hpp"

namespace abacus {

class Platform : public sc_core::sc_module {
 public:
  Platform(const sc_core::sc_module_name& name, const HardwareConfig& config, TimingLevel level);
  ~Platform() override;

  // The software that the host's processor runs, in a SystemC thread, once; when it returns the
  // simulation stops. Set before sc_start.
  void set_software(std::function<void(HostBus&)> software);

  Context& context();
  const HardwareConfig& config() const;
  Sram& activation_sram();
  Sram& weight_sram();
  Sram& parameter_sram();

  // Reads or writes DRAM without time or counting (for checks and tests); false past the device's end.
  bool peek(std::uint64_t address, std::uint8_t* data, std::size_t bytes);
  bool poke(std::uint64_t address, const std::uint8_t* data, std::size_t bytes);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace abacus
