// Achieved against peak bandwidth of the devices that have a name, at the controller's port, with 32 requests under
// way: a table in Markdown (docs/dram.md).
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/dram_stream.hpp"
#include "tlm/dram_devices.hpp"

namespace abacus::benchmarks {
namespace {

constexpr int requests = 40000;
constexpr int outstanding = 32;

using Pattern = std::pair<const char*, std::function<DramRequest(int, DramDice&)>>;

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = {
      {"stream, read",
       [](int i, DramDice&) {
         return DramRequest{static_cast<std::uint64_t>(i) * 256, 256, false};
       }},
      {"stream, write",
       [](int i, DramDice&) {
         return DramRequest{static_cast<std::uint64_t>(i) * 256, 256, true};
       }},
      {"two streams, read and write",
       [](int i, DramDice&) {
         const std::uint64_t place = static_cast<std::uint64_t>(i / 2) * 256;
         return DramRequest{i % 2 == 0 ? place : place + (64u << 20) + 8192, 256, i % 2 != 0};
       }},
      {"stride 4 KiB, read",
       [](int i, DramDice&) {
         return DramRequest{static_cast<std::uint64_t>(i) * 4096 % (128u << 20), 64, false};
       }},
      {"random 64 B, read",
       [](int, DramDice& dice) {
         return DramRequest{dice.below(2u << 20) * 64, 64, false};
       }},
      {"random 256 B, half writes", [](int, DramDice& dice) {
         return DramRequest{dice.below(512u << 10) * 256, 256, dice.below(2) == 0};
       }}};
  return all;
}

}  // namespace

void print_table() {
  std::string head = "| device | controller | peak, GB/s | less refresh |";
  std::string line = "| --- | --- | --- | --- |";
  for (const Pattern& pattern : patterns()) {
    head += ' ' + std::string(pattern.first) + " |";
    line += " --- |";
  }
  std::printf("%s\n%s\n", head.c_str(), line.c_str());
  for (const hw::DramDevice& device : hw::dram_devices()) {
    for (const std::string& controller : hw::dram_controllers()) {
      hw::DramConfig config = device.config;
      config.controller = controller;
      const double peak = config.peak_bandwidth();
      std::printf("| %s | %s | %.1f | %.1f %% |", device.name.c_str(), controller.c_str(), peak,
                  100 * (1 - config.t_rfc / config.t_refi));
      for (const Pattern& pattern : patterns()) {
        DramDice dice(1);
        const DramStreamResult result = dram_stream(config, requests, outstanding,
                                                    [&](int i) { return pattern.second(i, dice); });
        std::printf(" %.1f %% |", 100 * result.gigabytes_a_second() / peak);
      }
      std::printf("\n");
    }
  }
}

}  // namespace abacus::benchmarks

int main() { abacus::benchmarks::print_table(); }
