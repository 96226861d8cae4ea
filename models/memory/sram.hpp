// On-chip SRAM: single-ported banks, interleaved by port width.
//
// Parameters (SramConfig): bytes; banks; port_bytes, the width of one bank's access; latency_cycles
// from address to data.
// Function: `data()` are the stored bytes; units read and write them directly at the moment their
// command executes.
// Time: an access of a port a cycle and bank, shared as sram_ports.hpp says: a DMA burst's accesses come
// first, the streams of commands share what is left. Which bank an access meets is not modelled
// (interleaved, mostly sequential traffic).
// debug_socket (transport_dbg only, address relative to the memory) gives the host a debugging
// window.
// Counts: sram_read and sram_write, one for each started port_bytes.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "models/activity/spent_time.hpp"
#include "models/context.hpp"
#include "models/memory/sram_ports.hpp"

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
  // What whoever waits for its ports waits for.
  Cause ports_cause() const;

  // Both at timed levels only; from the next clock edge on, where now is none.

  // A DMA burst; returns when its last access is served.
  sc_core::sc_time burst(std::int64_t accesses);

  // A command's traffic, from now until this object's end.
  class Stream {
   public:
    Stream(Sram& sram, std::int64_t accesses)
        : sram_(sram), number_(sram.ports_.open(sram.cycle(), accesses)) {}
    ~Stream() { sram_.ports_.close(number_, sram_.cycle()); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // When its last access is served, as far as is known now; bursts to come can move it on.
    sc_core::sc_time served() { return sram_.time(sram_.ports_.served(number_, sram_.cycle())); }

   private:
    Sram& sram_;
    int number_;
  };

  // Accesses of one port that `bytes` bytes take.
  std::int64_t accesses(std::uint64_t bytes) const {
    const auto port = static_cast<std::uint64_t>(config_.port_bytes);
    return static_cast<std::int64_t>((bytes + port - 1) / port);
  }
  void count_reads(int layer, std::int64_t accesses) { count(layer, Action::sram_read, accesses); }
  void count_writes(int layer, std::int64_t accesses) {
    count(layer, Action::sram_write, accesses);
  }

  // Fault injection: flips `bit` of the byte at `address` right after the `write`-th next call of
  // wrote() (0: the next) that covers the address. Units call wrote() after they wrote bytes.
  void flip_bit_after_write(std::uint32_t address, int bit, int write);
  void wrote(std::uint32_t address, std::uint32_t bytes) {
    if (!faults_.empty()) apply_faults(address, bytes);
  }
  // Lets units skip the details of what they wrote.
  bool faults_pending() const { return !faults_.empty(); }

 private:
  struct Fault {
    std::uint32_t address;
    int bit;
    int writes_left;
  };
  void count(int layer, Action action, std::int64_t accesses);
  std::int64_t cycle() const;  // begins with the next clock edge
  sc_core::sc_time time(std::int64_t cycle) const;
  void apply_faults(std::uint32_t address, std::uint32_t bytes);
  unsigned debug(tlm::tlm_generic_payload& transaction);
  void no_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);

  Component component_;
  hw::SramConfig config_;
  Context& context_;
  std::vector<std::uint8_t> bytes_;
  SramPorts ports_;
  std::vector<Fault> faults_;
};

}  // namespace abacus::models
