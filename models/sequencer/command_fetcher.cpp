#include "models/sequencer/command_fetcher.hpp"

#include <algorithm>

namespace abacus::models {

CommandFetcher::CommandFetcher(const sc_core::sc_module_name& name, const hw::DmaConfig& config,
                               Context& context)
    : sc_module(name), engine_("engine", config, context) {}

void CommandFetcher::begin(std::uint64_t address, std::uint32_t words) {
  address_ = address;
  count_ = words;
  requested_ = 0;
  used_ = 0;
  history_.forget();
  fetch();
}

void CommandFetcher::fetch() {
  const std::uint32_t words = std::min(words_per_buffer, count_ - requested_);
  if (words == 0) return;
  BurstTransfer transfer;
  transfer.address = address_ + std::uint64_t{requested_} * sizeof(std::uint32_t);
  transfer.row_bytes = words * sizeof(std::uint32_t);
  Buffer& buffer = buffers_[requested_ / words_per_buffer % 2];
  transfer.local = reinterpret_cast<std::uint8_t*>(buffer.data());
  transfer.purpose = hw::TensorPurpose::command;
  requested_ += words;
  engine_.start(transfer);
}

CommandFetcher::Answer CommandFetcher::next() {
  if (used_ == count_) return Answer::end;
  std::array<std::uint32_t, hw::most_command_words> words;
  command_words_ = hw::command_header_words;
  for (std::size_t i = 0; i < command_words_; ++i) {
    if (used_ == count_) return Answer::cut_short;
    if (!take(words[i])) return Answer::bus_error;
    if (i + 1 == hw::command_header_words) {
      command_words_ = hw::CommandHistory::words_of(words.data());
    }
  }
  command_ = &history_.decode(words.data());
  return Answer::command;
}

bool CommandFetcher::take(std::uint32_t& word) {
  if (used_ % words_per_buffer == 0) {
    end();
    if (!engine_.ok()) return false;
    fetch();  // the following buffer; the one before is used up
  }
  word = buffers_[used_ / words_per_buffer % 2][used_ % words_per_buffer];
  ++used_;
  return true;
}

void CommandFetcher::end() {
  while (engine_.busy()) wait(engine_.done());
}

}  // namespace abacus::models
