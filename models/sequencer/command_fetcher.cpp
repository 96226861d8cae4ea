#include "models/sequencer/command_fetcher.hpp"

#include <algorithm>

namespace abacus::models {

CommandFetcher::CommandFetcher(const sc_core::sc_module_name& name, const hw::DmaConfig& config,
                               Context& context)
    : sc_module(name), engine_("engine", config, context) {}

void CommandFetcher::begin(std::uint64_t address, std::uint32_t count) {
  address_ = address;
  count_ = count;
  requested_ = 0;
  used_ = 0;
  fetch();
}

void CommandFetcher::fetch() {
  const std::uint32_t commands = std::min(commands_per_buffer, count_ - requested_);
  if (commands == 0) return;
  BurstTransfer transfer;
  transfer.address = address_ + std::uint64_t{requested_} * sizeof(hw::Command);
  transfer.row_bytes = commands * sizeof(hw::Command);
  Buffer& buffer = buffers_[requested_ / commands_per_buffer % 2];
  transfer.local = reinterpret_cast<std::uint8_t*>(buffer.data());
  transfer.purpose = hw::TensorPurpose::command;
  requested_ += commands;
  engine_.start(transfer);
}

const hw::Command* CommandFetcher::next() {
  if (used_ % commands_per_buffer == 0) {
    end();
    if (!engine_.ok()) return nullptr;
    fetch();  // the following buffer; the one before is used up
  }
  const Buffer& buffer = buffers_[used_ / commands_per_buffer % 2];
  return &buffer[used_++ % commands_per_buffer];
}

void CommandFetcher::end() {
  while (engine_.busy()) wait(engine_.done());
}

}  // namespace abacus::models
