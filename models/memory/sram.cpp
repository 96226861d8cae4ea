#include "models/memory/sram.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace abacus::models {
namespace {

int checked_banks(Component component, const hw::SramConfig& config) {
  if (config.bytes == 0 || config.banks < 1 || config.port_bytes < 1 || config.latency_cycles < 0) {
    throw std::invalid_argument(
        "memory " + to_string(component) +
        ": bytes, banks and port_bytes must be at least 1, latency_cycles 0");
  }
  return config.banks;
}

}  // namespace

Sram::Sram(const sc_core::sc_module_name& name, Component component, const hw::SramConfig& config,
           Context& context)
    : sc_module(name),
      component_(component),
      config_(config),
      context_(context),
      bytes_(config.bytes),
      ports_(checked_banks(component, config)) {
  debug_socket.register_transport_dbg(this, &Sram::debug);
  debug_socket.register_b_transport(this, &Sram::no_transport);
}

Cause Sram::ports_cause() const {
  if (component_ == Component::weight_sram) return Cause::weight_sram;
  if (component_ == Component::parameter_sram) return Cause::parameter_sram;
  return Cause::activation_sram;
}

sc_core::sc_time Sram::burst(std::int64_t accesses) {
  return time(ports_.burst(cycle(), accesses));
}

std::int64_t Sram::cycle() const {
  const sc_core::sc_time::value_type edge = context_.cycle().value();
  return static_cast<std::int64_t>((sc_core::sc_time_stamp().value() + edge - 1) / edge);
}

sc_core::sc_time Sram::time(std::int64_t cycle) const {
  return sc_core::sc_time::from_value(static_cast<sc_core::sc_time::value_type>(cycle) *
                                      context_.cycle().value());
}

void Sram::count(int layer, Action action, std::int64_t accesses) {
  if (accesses == 0) return;
  context_.activity.count(layer, component_, action, accesses, config_.port_bytes * 8);
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
