// The accelerator's registers: 32 bits each, offsets from address_map::registers_base.
#pragma once

#include <cstdint>

namespace abacus::hw::register_map {

inline constexpr std::uint32_t identification = 0x00;  // reads `identification_value`
inline constexpr std::uint32_t identification_value = 0xABAC0001;
inline constexpr std::uint32_t program_address_low = 0x08;  // of the first command, in DRAM
inline constexpr std::uint32_t program_address_high = 0x0C;
inline constexpr std::uint32_t program_length = 0x10;  // 32-bit words of its commands
inline constexpr std::uint32_t doorbell = 0x14;        // writing 1 starts the program
inline constexpr std::uint32_t status = 0x18;
inline constexpr std::uint32_t status_busy = 1u << 0;
inline constexpr std::uint32_t status_done = 1u << 1;  // program ended; clears with interrupt_clear
inline constexpr std::uint32_t status_error = 1u << 2;  // a command was refused; see error_command
inline constexpr std::uint32_t interrupt_clear = 0x1C;  // writing 1 lowers the interrupt
inline constexpr std::uint32_t error_command = 0x20;    // index of the command that was refused
inline constexpr std::uint32_t saturations_low =
    0x28;  // accumulator saturations since the doorbell
inline constexpr std::uint32_t saturations_high = 0x2C;
inline constexpr std::uint32_t cycles_low = 0x30;  // clock cycles from doorbell to done
inline constexpr std::uint32_t cycles_high = 0x34;

}  // namespace abacus::hw::register_map
