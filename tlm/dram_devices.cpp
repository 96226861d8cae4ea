#include "tlm/dram_devices.hpp"

#include <algorithm>

namespace abacus::hw {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

constexpr const char* ddr3l_source =
    "JESD79-3F and Micron, 2Gb DDR3L SDRAM, MT41K128M16 (-125, x16, 2 KiB page): speed bin "
    "DDR3-1600 "
    "11-11-11";

// The default.
DramDevice mt41k128m16() {
  DramDevice device;
  device.name = device.config.device;
  device.source = ddr3l_source;
  device.typical = "without tRRD, tFAW and power-down, which DDR3L-1600 has";
  return device;
}

DramDevice ddr3l_1600() {
  DramDevice device;
  device.name = "DDR3L-1600";
  device.source = std::string(ddr3l_source) + "; tRRD 7.5 ns, tFAW 40 ns, tXP 6 ns";
  DramConfig& c = device.config;
  c.device = device.name;
  c.t_rrd_s = 7.5;
  c.t_faw = 40;
  c.t_xp = 6.25;  // on the clock
  return device;
}

// 17-17-17, which Micron's -083E parts have.
DramDevice ddr4_2400() {
  DramDevice device;
  device.name = "DDR4-2400";
  device.source =
      "JESD79-4 and Micron, 8Gb DDR4 SDRAM, MT40A512M16 (-083E, x16, 2 KiB page), in clocks as "
      "DRAMsim3's configs/DDR4_8Gb_x16_2400.ini has them, of which tRFC is 350 ns "
      "as the standard has it for 8 Gb (that file: 16 Gb's 420 clocks)";
  DramConfig& c = device.config;
  const double t_ck = 0.833;
  c.device = device.name;
  c.bytes = 1024 * mebibyte;
  c.banks = 8;
  c.bank_groups = 2;
  c.row_bytes = 2048;
  c.t_ck = t_ck;
  c.t_rcd = 17 * t_ck;
  c.t_rp = 17 * t_ck;
  c.t_cl = 17 * t_ck;
  c.t_cwl = 12 * t_ck;
  c.t_ras = 39 * t_ck;
  c.t_wr = 18 * t_ck;
  c.t_wtr = 3 * t_ck;
  c.t_wtr_l = 9 * t_ck;
  c.t_rtp = 9 * t_ck;
  c.t_rfc = 350;
  c.t_refi = 7800;
  c.t_ccd_l = 6 * t_ck;
  c.t_rrd_s = 7 * t_ck;
  c.t_rrd_l = 8 * t_ck;
  c.t_faw = 36 * t_ck;
  c.t_xp = 8 * t_ck;
  c.mapping = "bank-group-interleaved";
  return device;
}

DramDevice lpddr4_3200() {
  DramDevice device;
  device.name = "LPDDR4-3200";
  device.source =
      "JESD209-4, one channel of 8 Gb, x16, BL16, in clocks as DRAMSys's memspec "
      "JEDEC_8Gb_LPDDR4-3200_16bit has them; tRRD 10 ns and tFAW 40 ns of the standard's 3200 bin";
  device.typical =
      "tCL includes tDQSCK (6 clocks), tCWL includes tDQSS (1) and tDQS2DQ (2): the standard gives "
      "ranges; tRP is tRPpb, also before an all-bank refresh (tRPab is 3 ns longer)";
  DramConfig& c = device.config;
  const double t_ck = 0.625;
  c.device = device.name;
  c.bytes = 1024 * mebibyte;
  c.banks = 8;
  c.row_bytes = 2048;
  c.burst_length = 16;
  c.t_ck = t_ck;
  c.t_rcd = 29 * t_ck;
  c.t_rp = 29 * t_ck;
  c.t_cl = (28 + 6) * t_ck;
  c.t_cwl = (14 + 3) * t_ck;
  c.t_ras = 68 * t_ck;
  c.t_wr = 29 * t_ck;
  c.t_wtr = 16 * t_ck;
  c.t_rtp = 12 * t_ck;
  c.t_rfc = 448 * t_ck;
  c.t_rfc_pb = 224 * t_ck;
  c.t_refi = 3904.375;  // 3.904 us, on the clock
  c.t_rrd_s = 16 * t_ck;
  c.t_faw = 64 * t_ck;
  c.t_xp = 12 * t_ck;
  return device;
}

DramDevice lpddr5_6400() {
  DramDevice device;
  device.name = "LPDDR5-6400";
  device.source =
      "JESD209-5, one channel of 8 Gb, x16, bank-group mode, BL16, CK 800 MHz with WCK 4:1, as "
      "gem5's LPDDR5_6400_1x16_BG_BL16 has them; tRFCpb, tCWL as Ramulator 2's LPDDR5.cpp";
  device.typical =
      "tCL is a base read latency of 17 clocks; a WCK that must be synchronized first, and "
      "ACTIVATE's "
      "two clocks, are left out; tRP is tRPpb, also before an all-bank refresh";
  DramConfig& c = device.config;
  const double t_ck = 1.25;
  c.device = device.name;
  c.bytes = 1024 * mebibyte;
  c.banks = 16;
  c.bank_groups = 4;
  c.row_bytes = 2048;
  c.burst_length = 16;
  c.transfers_per_clock = 8;
  c.t_ck = t_ck;
  c.t_rcd = 15 * t_ck;  // 18 ns
  c.t_rp = 15 * t_ck;   // 18 ns
  c.t_cl = 17 * t_ck;
  c.t_cwl = 11 * t_ck;
  c.t_ras = 34 * t_ck;    // 42 ns
  c.t_wr = 28 * t_ck;     // 34 ns
  c.t_wtr = 5 * t_ck;     // 6.25 ns
  c.t_wtr_l = 10 * t_ck;  // 12 ns
  c.t_rtp = 4 * t_ck;
  c.t_rfc = 210;
  c.t_rfc_pb = 120;
  c.t_refi = 3906.25;
  c.t_ccd_l = 4 * t_ck;
  c.t_rrd_s = 4 * t_ck;  // 5 ns
  c.t_faw = 20;
  c.t_xp = 6 * t_ck;  // 7 ns
  c.mapping = "bank-group-interleaved";
  return device;
}

DramDevice hbm2() {
  DramDevice device;
  device.name = "HBM2";
  device.source =
      "JESD235, one pseudo channel (64 bits, BL4, 2 Gbit/s a pin) of an 8 Gb channel, in clocks of "
      "1 GHz as DRAMSys's memspec HBM2 has them (a vendor's settings read from a graphics card)";
  device.typical =
      "all timings: the standard leaves them to vendors, whose data sheets are not public; tRCD is "
      "that of reads (12 clocks; writes: 6); row and column commands have buses of their own, "
      "which here take turns";
  DramConfig& c = device.config;
  c.device = device.name;
  c.bytes = 512 * mebibyte;
  c.banks = 16;
  c.bank_groups = 4;
  c.row_bytes = 1024;
  c.data_bits = 64;
  c.burst_length = 4;
  c.t_ck = 1;
  c.t_rcd = 12;
  c.t_rp = 14;
  c.t_cl = 17;
  c.t_cwl = 7;
  c.t_ras = 28;
  c.t_wr = 14;
  c.t_wtr = 4;
  c.t_wtr_l = 9;
  c.t_rtp = 5;
  c.t_rfc = 220;
  c.t_rfc_pb = 96;
  c.t_refi = 3900;
  c.t_ccd_l = 3;
  c.t_rrd_s = 4;
  c.t_rrd_l = 6;
  c.t_faw = 16;
  c.t_xp = 8;
  c.mapping = "bank-group-interleaved";
  return device;
}

}  // namespace

const std::vector<DramDevice>& dram_devices() {
  static const std::vector<DramDevice> devices = {mt41k128m16(), ddr3l_1600(),  ddr4_2400(),
                                                  lpddr4_3200(), lpddr5_6400(), hbm2()};
  return devices;
}

const DramDevice* find_dram_device(const std::string& name) {
  const std::vector<DramDevice>& devices = dram_devices();
  const auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](const DramDevice& device) { return device.name == name; });
  return found == devices.end() ? nullptr : &*found;
}

const DramConfig& dram_device_config(const std::string& name) {
  static const DramConfig defaults;
  const DramDevice* device = find_dram_device(name);
  return device == nullptr ? defaults : device->config;
}

}  // namespace abacus::hw
