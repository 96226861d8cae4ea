#include "models/host/host.hpp"

namespace abacus::models {

namespace {

constexpr hw::DmaConfig host_bursts{64, 4};

}  // namespace

Host::Host(const sc_core::sc_module_name& name, Context& context, InterruptLine& interrupt)
    : sc_module(name),
      context_(context),
      interrupt_(interrupt),
      engine_("engine", host_bursts, context) {
  SC_HAS_PROCESS(Host);
  SC_THREAD(run);
}

bool Host::read(std::uint64_t address, std::uint8_t* data, std::size_t bytes) {
  return transfer(tlm::TLM_READ_COMMAND, address, data, bytes);
}

bool Host::write(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) {
  // The engine only reads from the local side of a write.
  return transfer(tlm::TLM_WRITE_COMMAND, address, const_cast<std::uint8_t*>(data), bytes);
}

void Host::wait_for_interrupt() {
  while (!interrupt_.level()) wait(interrupt_.raised());
}

void Host::run() {
  if (software_) {
    software_(*this);
    sc_core::sc_stop();
  }
}

bool Host::transfer(tlm::tlm_command command, std::uint64_t address, std::uint8_t* data,
                    std::size_t bytes) {
  BurstTransfer transfer;
  transfer.command = command;
  transfer.address = address;
  transfer.row_bytes = bytes;
  transfer.local = data;
  const bool ok = engine_.run(transfer);
  if (context_.timed()) context_.settle();
  return ok;
}

}  // namespace abacus::models
