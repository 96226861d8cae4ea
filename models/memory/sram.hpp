// On-chip SRAM: single-ported banks, interleaved by port width.
//
// Parameters (SramConfig): bytes; banks; port_bytes, the width of one bank's access; latency_cycles
// from address to data.
// Function: `data()` are the stored bytes; units read and write them directly at the moment their
// command executes.
// Time: a unit books its traffic, and gets the time at which it is served, other units' traffic
// considered: banks × port_bytes a clock cycle, first come, first served. Bank conflicts inside one
// access pattern are not modelled (interleaved, mostly sequential traffic).
// debug_socket (transport_dbg only, address relative to the memory) gives the host a debugging
// window.
// Counts: sram_read and sram_write, one for each started port_bytes.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "models/context.hpp"

namespace abacus::models {

class Sram : public sc_core::sc_module {
 public:
  Sram(const sc_core::sc_module_name& name, Component component, const hw::SramConfig& config,
       Context& context);

  tlm_utils::simple_target_socket_optional<Sram> debug_socket{"debug_socket"};

  std::uint8_t* data() { return bytes_.data(); }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  const hw::SramConfig& config() const { return config_; }
  Component component() const { return component_; }

  // Books `bytes` of traffic that its user would spread evenly over [start, start + duration) if
  // the memory were his alone, and returns when the last byte is served: at least start + duration,
  // and later where banks × port_bytes a cycle, less what others have booked, do not suffice. The
  // user never goes faster than bytes / duration, so it does not catch up on what it lost. At the
  // functional level returns `start`.
  sc_core::sc_time book(const sc_core::sc_time& start, const sc_core::sc_time& duration,
                        std::uint64_t bytes);

  // Accesses of one port that `bytes` bytes take.
  std::int64_t accesses(std::uint64_t bytes) const {
    const auto port = static_cast<std::uint64_t>(config_.port_bytes);
    return static_cast<std::int64_t>((bytes + port - 1) / port);
  }
  // Counts accesses of up to port_bytes each.
  // A pattern of rows that do not follow one another is `rows` patterns of `bytes` each.
  void count_reads(int layer, std::uint64_t bytes, std::uint64_t rows = 1);
  void count_writes(int layer, std::uint64_t bytes, std::uint64_t rows = 1);

  // Fault injection: flips `bit` of the byte at `address` right after the `write`-th next call of
  // wrote() (0: the next) that covers the address. Units call wrote() after they wrote bytes.
  void flip_bit_after_write(std::uint32_t address, int bit, int write);
  void wrote(std::uint32_t address, std::uint32_t bytes) {
    if (!faults_.empty()) apply_faults(address, bytes);
  }
  // Lets units skip the details of what they wrote.
  bool faults_pending() const { return !faults_.empty(); }

 private:
  // Traffic promised to be served at a constant rate.
  struct Booking {
    sc_core::sc_time start, end;
    double bytes_per_cycle;
  };
  struct Fault {
    std::uint32_t address;
    int bit;
    int writes_left;
  };
  void apply_faults(std::uint32_t address, std::uint32_t bytes);
  unsigned debug(tlm::tlm_generic_payload& transaction);
  void no_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);

  Component component_;
  hw::SramConfig config_;
  Context& context_;
  std::vector<std::uint8_t> bytes_;
  std::vector<Booking> bookings_;
  std::vector<Fault> faults_;
};

}  // namespace abacus::models
