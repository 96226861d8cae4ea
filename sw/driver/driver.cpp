#include "sw/driver/driver.hpp"

#include "tlm/address_map.hpp"
#include "tlm/register_map.hpp"

namespace abacus::driver {
namespace {

namespace registers = hw::register_map;

// The registers: 32 bits each, little-endian whatever the host's own order.
class Registers {
 public:
  explicit Registers(hw::HostBus& bus) : bus_(bus) {}

  bool read(std::uint32_t offset, std::uint32_t& value) {
    std::uint8_t bytes[4] = {};
    if (!bus_.read(hw::address_map::registers_base + offset, bytes, sizeof bytes)) return false;
    value = 0;
    for (int i = 3; i >= 0; --i) value = (value << 8) | bytes[i];
    return true;
  }

  bool write(std::uint32_t offset, std::uint32_t value) {
    std::uint8_t bytes[4] = {};
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
    return bus_.write(hw::address_map::registers_base + offset, bytes, sizeof bytes);
  }

  // A counter in two registers; it stands still while no program runs.
  bool read_wide(std::uint32_t low_offset, std::uint32_t high_offset, std::uint64_t& value) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    if (!read(low_offset, low) || !read(high_offset, high)) return false;
    value = (std::uint64_t{high} << 32) | low;
    return true;
  }

 private:
  hw::HostBus& bus_;
};

bool start(Registers& device, const ProgramView& program) {
  return device.write(registers::program_address_low,
                      static_cast<std::uint32_t>(program.command_address)) &&
         device.write(registers::program_address_high,
                      static_cast<std::uint32_t>(program.command_address >> 32)) &&
         device.write(registers::program_length, program.command_words) &&
         device.write(registers::doorbell, 1);
}

}  // namespace

const char* to_string(DriverStatus status) {
  switch (status) {
    case DriverStatus::ok:
      return "ok";
    case DriverStatus::no_accelerator:
      return "no accelerator: its identification register holds another value";
    case DriverStatus::bus_error:
      return "bus error";
    case DriverStatus::command_error:
      return "the accelerator refused a command";
    case DriverStatus::busy:
      return "the accelerator is busy";
  }
  return "unknown status";
}

DriverStatus Driver::load(const ProgramView& program) {
  Registers device(bus_);
  std::uint32_t identification = 0;
  if (!device.read(registers::identification, identification)) return DriverStatus::bus_error;
  if (identification != registers::identification_value) return DriverStatus::no_accelerator;
  std::uint32_t status = 0;
  if (!device.read(registers::status, status)) return DriverStatus::bus_error;
  if ((status & registers::status_busy) != 0) return DriverStatus::busy;

  const std::uint64_t address = hw::address_map::dram_base + program.image_address;
  if (!bus_.write(address, program.image, program.image_bytes)) return DriverStatus::bus_error;
  program_ = program;
  return DriverStatus::ok;
}

DriverStatus Driver::run(const std::uint8_t* input, std::uint8_t* scores,
                         RunStatistics& statistics) {
  statistics = RunStatistics{};
  Registers device(bus_);
  std::uint32_t status = 0;
  if (!device.read(registers::status, status)) return DriverStatus::bus_error;
  if ((status & registers::status_busy) != 0) return DriverStatus::busy;

  const std::uint64_t base = hw::address_map::dram_base;
  if (!bus_.write(base + program_.input_address, input, program_.input_bytes) ||
      !start(device, program_)) {
    return DriverStatus::bus_error;
  }
  bus_.wait_for_interrupt();

  if (!device.read(registers::status, status) ||
      !device.read_wide(registers::cycles_low, registers::cycles_high, statistics.cycles) ||
      !device.read_wide(registers::saturations_low, registers::saturations_high,
                        statistics.saturations) ||
      !device.read(registers::error_command, statistics.error_command) ||
      !device.write(registers::interrupt_clear, 1)) {
    return DriverStatus::bus_error;
  }
  if ((status & registers::status_error) != 0) return DriverStatus::command_error;
  if ((status & registers::status_done) == 0) return DriverStatus::busy;
  return bus_.read(base + program_.scores_address, scores, program_.scores_bytes)
             ? DriverStatus::ok
             : DriverStatus::bus_error;
}

}  // namespace abacus::driver
