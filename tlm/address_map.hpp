// Where things stand on the bus. Plain constants, for hardware models, scheduler and driver alike.
#pragma once

#include <cstdint>

namespace abacus::hw::address_map {

inline constexpr std::uint64_t dram_base = 0x0000'0000;
inline constexpr std::uint64_t dram_limit = 0x4000'0000;  // exclusive; the device may be smaller
inline constexpr std::uint64_t registers_base = 0x4000'0000;
inline constexpr std::uint64_t registers_size = 0x1000;
// Windows on the on-chip memories, for debugging (transport_dbg) only.
inline constexpr std::uint64_t activation_sram_base = 0x5000'0000;
inline constexpr std::uint64_t weight_sram_base = 0x5100'0000;
inline constexpr std::uint64_t parameter_sram_base = 0x5200'0000;

}  // namespace abacus::hw::address_map
