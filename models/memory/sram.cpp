#include "models/memory/sram.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace abacus::models {

Sram::Sram(const sc_core::sc_module_name& name, Component component, const hw::SramConfig& config,
           Context& context)
    : sc_module(name),
      component_(component),
      config_(config),
      context_(context),
      bytes_(config.bytes) {
  if (config.bytes == 0 || config.banks < 1 || config.port_bytes < 1 || config.latency_cycles < 0) {
    throw std::invalid_argument(
        "memory " + to_string(component) +
        ": bytes, banks and port_bytes must be at least 1, latency_cycles 0");
  }
  debug_socket.register_transport_dbg(this, &Sram::debug);
  debug_socket.register_b_transport(this, &Sram::no_transport);
}

sc_core::sc_time Sram::book(const sc_core::sc_time& start, const sc_core::sc_time& duration,
                            std::uint64_t bytes) {
  if (!context_.timed()) return start;
  if (bytes == 0) return start + duration;
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  bookings_.erase(std::remove_if(bookings_.begin(), bookings_.end(),
                                 [&now](const Booking& b) { return b.end <= now; }),
                  bookings_.end());

  // Rates in bytes a cycle; times in cycles since `start`, so that results do not depend on how
  // long the simulation has run.
  const double cycle = static_cast<double>(context_.cycle().value());
  const double capacity = static_cast<double>(config_.banks) * config_.port_bytes;
  const double duration_cycles = static_cast<double>(duration.value()) / cycle;
  const double wanted = duration == sc_core::SC_ZERO_TIME
                            ? capacity
                            : std::min(capacity, static_cast<double>(bytes) / duration_cycles);
  const auto at = [&](double time) {
    return start + sc_core::sc_time::from_value(
                       static_cast<sc_core::sc_time::value_type>(std::llround(time * cycle)));
  };
  const auto since_start = [&](const sc_core::sc_time& time) {
    return static_cast<double>(static_cast<std::int64_t>(time.value()) -
                               static_cast<std::int64_t>(start.value())) /
           cycle;
  };

  // Walk over the intervals in which the booked rate is constant, served at what is left of it.
  const std::size_t earlier = bookings_.size();
  double time = 0;
  double left = static_cast<double>(bytes);
  while (left > 0) {
    double booked = 0;
    double next_change = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < earlier; ++i) {
      const double from = since_start(bookings_[i].start);
      const double to = since_start(bookings_[i].end);
      if (from > time) {
        next_change = std::min(next_change, from);
      } else if (to > time) {
        booked += bookings_[i].bytes_per_cycle;
        next_change = std::min(next_change, to);
      }
    }
    double rate = std::min(wanted, capacity - booked);
    if (rate < capacity * 1e-9) rate = 0;  // rounding of a full memory
    double end = next_change;
    if (rate > 0) {
      if (time + left / rate <= next_change) {
        end = time + left / rate;
        left = 0;
      } else {
        left -= (next_change - time) * rate;
      }
      if (at(end) > at(time)) bookings_.push_back({at(time), at(end), rate});
    }
    time = end;
  }
  return std::max(at(time), start + duration);
}

void Sram::count_reads(int layer, std::uint64_t bytes, std::uint64_t rows) {
  context_.activity.count(layer, component_, Action::sram_read,
                          accesses(bytes) * static_cast<std::int64_t>(rows),
                          config_.port_bytes * 8);
}

void Sram::count_writes(int layer, std::uint64_t bytes, std::uint64_t rows) {
  context_.activity.count(layer, component_, Action::sram_write,
                          accesses(bytes) * static_cast<std::int64_t>(rows),
                          config_.port_bytes * 8);
}

void Sram::flip_bit_after_write(std::uint32_t address, int bit, int write) {
  if (address >= size() || bit < 0 || bit > 7 || write < 0) {
    throw std::invalid_argument("fault at byte " + std::to_string(address) + ", bit " +
                                std::to_string(bit) + ": " + to_string(component_) + " has " +
                                std::to_string(size()) + " bytes of 8 bits");
  }
  faults_.push_back({address, bit, write});
}

void Sram::apply_faults(std::uint32_t address, std::uint32_t bytes) {
  for (auto fault = faults_.begin(); fault != faults_.end();) {
    const bool covered = fault->address >= address && fault->address - address < bytes;
    if (covered && fault->writes_left-- == 0) {
      bytes_[fault->address] ^= static_cast<std::uint8_t>(1u << fault->bit);
      fault = faults_.erase(fault);
    } else {
      ++fault;
    }
  }
}

unsigned Sram::debug(tlm::tlm_generic_payload& transaction) {
  const std::uint64_t address = transaction.get_address();
  if (address >= size()) return 0;
  const unsigned bytes = static_cast<unsigned>(
      std::min<std::uint64_t>(transaction.get_data_length(), size() - address));
  if (transaction.is_read()) {
    std::memcpy(transaction.get_data_ptr(), data() + address, bytes);
  } else if (transaction.is_write()) {
    std::memcpy(data() + address, transaction.get_data_ptr(), bytes);
  }
  return bytes;
}

void Sram::no_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time&) {
  transaction.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);  // a window for debugging only
}

}  // namespace abacus::models
