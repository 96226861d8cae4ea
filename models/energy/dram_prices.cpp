#include "models/energy/dram_prices.hpp"

#include <array>
#include <cstddef>

#include "tlm/dram_devices.hpp"

namespace abacus::models {
namespace {

// Of which the prices are told in this order.
constexpr std::array<Action, 10> actions = {
    Action::dram_read,           Action::dram_write,
    Action::dram_read_io,        Action::dram_write_io,
    Action::dram_activate,       Action::dram_refresh,
    Action::dram_active_standby, Action::dram_precharge_standby,
    Action::dram_power_down,     Action::dram_self_refresh};

struct DevicePrices {
  const char* device;
  const char* source;  // of the numbers; ahead of what each action is of them
  struct Price {
    double pj;  // of time: mW
    const char* of;
  };
  std::array<Price, actions.size()> prices;
};

// Formulas as in Micron TN-41-01, which datasheet-45nm.toml has for DDR3L.
constexpr std::array<DevicePrices, 4> all = {
    {{"DDR4-2400",
      "Micron, 8Gb DDR4, MT40A512M16, x16, -083E, maxima as DRAMsim3's DDR4_8Gb_x16_2400.ini has "
      "them, "
      "VPP's left out: ",
      {{{783.7, "(IDD4R 243 - IDD3N 47) mA x 1.2 V x 3.332 ns of a burst of 8"},
        {723.7, "(IDD4W 228 - IDD3N 47) mA x 1.2 V x 3.332 ns of a burst of 8"},
        {510,
         "estimate: VDDQ^2 / (RON 34 + RTT 60 ohm) half of the time, 7.7 mW a line; 16 DQ and 4 "
         "DQS lines x 3.332 ns"},
        {561, "estimate: as dram_read_io, with 2 DM lines more"},
        {2068,
         "(IDD0 80 mA x tRC 46.65 ns - IDD3N 47 mA x tRAS 32.49 ns - IDD2N 34 mA x 14.16 ns) x "
         "1.2 V"},
        {97860, "(IDD5AB 280 - IDD3N 47) mA x 1.2 V x tRFC 350 ns"},
        {56.4, "IDD3N 47 mA x 1.2 V"},
        {40.8, "IDD2N 34 mA x 1.2 V"},
        {30, "IDD2P 25 mA x 1.2 V"},
        {36, "IDD6 30 mA x 1.2 V"}}}},
     {"LPDDR4-3200",
      "DRAMSys, memspec JEDEC_8Gb_LPDDR4-3200_16bit (VDD1 1.8 V, VDD2 and VDDQ 1.1 V): ",
      {{{1347.5, "(IDD4R2 275 - IDD3N2 30) mA x 1.1 V x 5 ns of a burst of 16"},
        {990, "(IDD4W2 210 - IDD3N2 30) mA x 1.1 V x 5 ns of a burst of 16"},
        {821, "(IDD4RQ 150 - IDD3NQ 0.75) mA x 1.1 V x 5 ns"},
        {298, "(IDD4WQ 55 - IDD3NQ 0.75) mA x 1.1 V x 5 ns"},
        {1205,
         "IDD0 (3.5 mA x 1.8 V + 45 mA x 1.1 V) x tRC 60.6 ns - IDD3N x tRAS 42.5 ns - IDD2N x "
         "18.1 ns"},
        {22390, "(IDD5 (10 mA x 1.8 V + 90 mA x 1.1 V) - IDD3N) x tRFCab 280 ns"},
        {37.05, "IDD3N: 2.25 mA x 1.8 V + 30 mA x 1.1 V"},
        {33.3, "IDD2N: 2 mA x 1.8 V + 27 mA x 1.1 V"},
        {5.46, "IDD2P: 1.2 mA x 1.8 V + 3 mA x 1.1 V"},
        {1.09, "IDD6: 0.3 mA x 1.8 V + 0.5 mA x 1.1 V"}}}},
     {"LPDDR5-6400",
      "estimate: no public source gives this device's currents; LPDDR4-3200's energy a bit and "
      "power: ",
      {{{1347.5, "256 bits read"},
        {990, "256 bits written"},
        {821, "256 bits read"},
        {298, "256 bits written"},
        {1205, "a row of as many bytes"},
        {16790, "79.95 mW x tRFCab 210 ns"},
        {37.05, "IDD3N"},
        {33.3, "IDD2N"},
        {5.46, "IDD2P"},
        {1.09, "IDD6"}}}},
     {"HBM2",
      "O'Connor et al., Fine-Grained DRAM, MICRO 2017: HBM2 takes 3.92 pJ a bit on average, rows, "
      "data "
      "movement and I/O together: ",
      {{{1003.5, "256 bits"},
        {1003.5, "256 bits"},
        {0, "in dram_read"},
        {0, "in dram_write"},
        {0, "in dram_read"},
        {0, "not given"},
        {0, "not given"},
        {0, "not given"},
        {0, "not given"},
        {0, "not given"}}}}}};

}  // namespace

EnergyTable with_dram_prices(const EnergyTable& table, const std::string& device) {
  EnergyTable priced = table;
  for (const DevicePrices& prices : all) {
    if (device != prices.device) continue;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      // Of a burst: by what it moves.
      const bool burst = i < 4;
      EnergyEntry entry;
      if (burst) entry.law = EnergyLaw::width;
      const double at =
          burst ? static_cast<double>(hw::dram_device_config(device).burst_bits()) : 0;
      entry.points = {{at, prices.prices[i].pj, std::string(prices.source) + prices.prices[i].of}};
      priced = priced.with(actions[i], entry);
    }
  }
  return priced;
}

}  // namespace abacus::models
