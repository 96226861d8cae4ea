#include "tests/schedule/token_simulator.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>

namespace abacus::test {
namespace {

constexpr std::uint64_t unwritten = 0;
constexpr std::uint64_t unreadable = 1;  // being written right now

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t h = a * 0x9E3779B97F4A7C15ull ^ (b + 0x7F4A7C15F39CC060ull);
  h ^= h >> 29;
  h *= 0xBF58476D1CE4E5B9ull;
  h ^= h >> 32;
  return h | 2;  // never one of the two values above
}

std::size_t unit_of(hw::Opcode opcode) {
  switch (opcode) {
    case hw::Opcode::load:
      return 0;
    case hw::Opcode::store:
      return 2;
    default:
      return 1;
  }
}

const char* const unit_names[] = {"load", "compute", "store"};

// Field of `bits` bits at bit `position`, bit by bit.
int packed_field(const std::vector<std::uint8_t>& bytes, std::uint64_t base, std::uint64_t position,
                 int bits, bool is_signed) {
  int value = 0;
  for (int i = 0; i < bits; ++i) {
    const std::uint64_t bit = position + static_cast<std::uint64_t>(i);
    value |= ((bytes[base + bit / 8] >> (bit % 8)) & 1) << i;
  }
  if (is_signed && value >= 1 << (bits - 1)) value -= 1 << bits;
  return value;
}

}  // namespace

TokenSimulator::TokenSimulator(const network::IntegerNetwork& network,
                               const hw::HardwareConfig& hardware, const schedule::Program& program)
    : network_(network),
      hardware_(hardware),
      program_(program),
      commands_(schedule::commands_of(program)) {
  for (const network::IntegerLayer& layer : network.layers) {
    channel_signatures_.emplace_back();
    for (int o = 0; o < layer.output.shape.channels; ++o) {
      channel_signatures_.back().push_back(signature_of(layer, o));
    }
  }
  for (int tensor = network::image_tensor; tensor < static_cast<int>(network.layers.size());
       ++tensor) {
    contents_.push_back(content_of(tensor));
  }
}

// Which tensor, pixel, channel and byte it is; of a layer's channels, what they are computed with.
std::vector<TokenSimulator::Tag> TokenSimulator::content_of(int tensor) const {
  const network::StoredTensor& stored = network_.tensor(tensor);
  const std::uint64_t channels = static_cast<std::uint64_t>(stored.shape.channels);
  const std::uint64_t element_bytes = static_cast<std::uint64_t>(stored.element_bytes());
  std::vector<Tag> tags(static_cast<std::size_t>(stored.bytes()));
  for (std::uint64_t i = 0; i < tags.size(); ++i) {
    const std::uint64_t element = i / element_bytes;
    const std::uint64_t channel = element % channels;
    const std::uint64_t signature =
        tensor == network::image_tensor
            ? channel
            : channel_signatures_[static_cast<std::size_t>(tensor)][channel];
    tags[i] = mix(mix(static_cast<std::uint64_t>(tensor + 1), element / channels),
                  mix(signature, i % element_bytes));
  }
  return tags;
}

void TokenSimulator::fail(const std::string& what) const {
  throw std::runtime_error("command " + std::to_string(current_) + " (opcode " +
                           std::to_string(static_cast<int>(commands_[current_].opcode)) +
                           ", layer " + std::to_string(commands_[current_].layer) + "): " + what);
}

void TokenSimulator::reset() {
  sram_[0].assign(hardware_.activation_sram.bytes, unwritten);
  sram_[1].assign(hardware_.weight_sram.bytes, unwritten);
  sram_[2].assign(hardware_.parameter_sram.bytes, unwritten);
  dram_.assign(program_.dram_bytes, unwritten);
  for (std::uint64_t i = 0; i < program_.dram_image.size(); ++i) {
    dram_[program_.image_address + i] = program_.image_address + i;
  }
  const std::vector<Tag>& image = content(network::image_tensor);
  std::copy(image.begin(), image.end(),
            dram_.begin() + static_cast<std::ptrdiff_t>(program_.input.address));
  computed_.clear();
  for (const network::IntegerLayer& layer : network_.layers) {
    computed_.emplace_back(static_cast<std::size_t>(layer.output.shape.elements()), 0);
  }
  units_ = {};
  counters_ = {};
  next_ = 0;
  finished_ = false;
  last_weights_ = {};
}

void TokenSimulator::run(const Interleaving& interleaving) {
  reset();
  std::mt19937_64 random(interleaving.seed);
  while (!finished_) {
    std::vector<Event> events = possible_events(interleaving);
    if (events.empty()) {
      std::string heads;
      for (std::size_t u = 0; u < units_.size(); ++u) {
        if (units_[u].queue.empty()) continue;
        heads += std::string(" ") + unit_names[u] + " at command " +
                 std::to_string(units_[u].queue.front());
      }
      throw std::runtime_error("deadlock:" + heads);
    }
    int best = events.front().rank;
    for (const Event& event : events) best = std::min(best, event.rank);
    events.erase(std::remove_if(events.begin(), events.end(),
                                [&](const Event& event) { return event.rank != best; }),
                 events.end());
    perform(events[random() % events.size()]);
  }
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    if (counters_[i] != 0) {
      throw std::runtime_error("counter " + std::to_string(i) + " ends at " +
                               std::to_string(counters_[i]));
    }
  }
  for (std::size_t layer = 0; layer < computed_.size(); ++layer) {
    const auto missing = std::find(computed_[layer].begin(), computed_[layer].end(), 0);
    if (missing != computed_[layer].end()) {
      throw std::runtime_error("layer " + std::to_string(layer) + ": output element " +
                               std::to_string(missing - computed_[layer].begin()) +
                               " was never computed");
    }
  }
  for (std::uint64_t i = 0; i < program_.scores.bytes; ++i) {
    if (dram_[program_.scores.address + i] != contents_.back()[i]) {
      throw std::runtime_error("byte " + std::to_string(i) + " of the scores was never stored");
    }
  }
}

bool TokenSimulator::tokens_there(std::uint16_t mask) const {
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    if (((mask >> i) & 1) != 0 && counters_[i] == 0) return false;
  }
  return true;
}

void TokenSimulator::take_tokens(std::uint16_t mask) {
  for (std::size_t i = 0; i < counters_.size(); ++i) counters_[i] -= (mask >> i) & 1;
}

std::vector<TokenSimulator::Event> TokenSimulator::possible_events(
    const Interleaving& interleaving) const {
  std::vector<Event> events;
  constexpr int first = -1;
  constexpr int last = 100;
  bool all_idle = true;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const Unit& unit = units_[u];
    const int rank = interleaving.rank[u];
    all_idle = all_idle && unit.queue.empty() && !unit.executing;
    if (unit.executing) {
      events.push_back({Event::Kind::end, u, interleaving.linger ? last : rank});
    } else if (!unit.queue.empty() && tokens_there(commands_[unit.queue.front()].wait)) {
      events.push_back({Event::Kind::start, u, rank});
    }
  }
  if (next_ >= commands_.size()) return events;
  const hw::Command& command = commands_[next_];
  if (command.opcode == hw::Opcode::finish) {
    if (all_idle && tokens_there(command.wait)) events.push_back({Event::Kind::dispatch, 0, first});
  } else {
    const std::size_t u = unit_of(command.opcode);
    if (units_[u].queue.size() < static_cast<std::size_t>(hardware_.command_queue)) {
      events.push_back({Event::Kind::dispatch, u, first});
    }
  }
  return events;
}

void TokenSimulator::perform(const Event& event) {
  Unit& unit = units_[event.unit];
  switch (event.kind) {
    case Event::Kind::dispatch:
      if (commands_[next_].opcode == hw::Opcode::finish) {
        take_tokens(commands_[next_].wait);
        finished_ = true;
        current_ = next_;
        if (next_ + 1 != commands_.size()) fail("finish is not the last command");
      } else {
        unit.queue.push_back(next_);
      }
      ++next_;
      break;
    case Event::Kind::start:
      take_tokens(commands_[unit.queue.front()].wait);
      unit.executing = true;
      touch(unit.queue.front(), false);
      break;
    case Event::Kind::end: {
      const std::size_t index = unit.queue.front();
      touch(index, true);
      unit.queue.pop_front();
      unit.executing = false;
      for (std::size_t i = 0; i < counters_.size(); ++i) {
        counters_[i] += (commands_[index].signal >> i) & 1;
      }
      break;
    }
  }
}

void TokenSimulator::touch(std::size_t index, bool ending) {
  current_ = index;
  const hw::Command& command = commands_[index];
  switch (command.opcode) {
    case hw::Opcode::load:
      touch_load(command.transfer, ending);
      break;
    case hw::Opcode::store:
      touch_store(command.transfer, ending);
      break;
    case hw::Opcode::convolve:
      touch_convolve(command, ending);
      break;
    case hw::Opcode::add:
    case hw::Opcode::pool:
      touch_vector(command, ending);
      break;
    case hw::Opcode::adapt:
      touch_adapt(command);
      break;
    case hw::Opcode::finish:
      break;
  }
  const bool computes = command.opcode == hw::Opcode::convolve ||
                        command.opcode == hw::Opcode::add || command.opcode == hw::Opcode::pool;
  if (ending && computes) check_tile(index);
}

void TokenSimulator::check_tile(std::size_t command) {
  const auto tile =
      std::find_if(program_.tiles.begin(), program_.tiles.end(),
                   [&](const schedule::OutputTile& t) { return t.command == command; });
  if (tile == program_.tiles.end() || tile->layer != commands_[command].layer) {
    fail("computes an output tile that the program does not name");
  }
  const network::StoredTensor& output = network_.tensor(tile->layer);
  const std::size_t element_bytes = static_cast<std::size_t>(output.element_bytes());
  const std::size_t width = static_cast<std::size_t>(output.shape.width);
  const std::size_t channels = static_cast<std::size_t>(output.shape.channels);
  for (std::size_t pixel = 0; pixel < tile->rows * width; ++pixel) {
    const std::size_t whole = tile->first_row * width + pixel;
    for (const schedule::OutputTile::Channel& place : tile->channels) {
      const std::size_t element = whole * channels + static_cast<std::size_t>(place.channel);
      const std::size_t at =
          tile->address +
          (pixel * tile->pixel_channels + static_cast<std::size_t>(place.element)) * element_bytes;
      for (std::size_t byte = 0; byte < element_bytes; ++byte) {
        if (sram_[0].at(at + byte) != content(tile->layer).at(element * element_bytes + byte)) {
          fail("its output tile is not where the program says");
        }
      }
      computed_[static_cast<std::size_t>(tile->layer)].at(element) = 1;
    }
  }
}

// The whole adapter stands in the weight memory, and what it adapts to is complete.
void TokenSimulator::touch_adapt(const hw::Command& command) const {
  const hw::AdaptFields& f = command.adapt;
  const network::IntegerLayer& layer = network_.layers[command.layer];
  if (!layer.adapter) fail("adapts a layer that has no adapter");
  const network::AdapterNetwork& adapter = *layer.adapter;
  std::vector<std::uint8_t> wanted;
  for (const std::int64_t bias : adapter.first_biases) {
    for (int i = 0; i < 8; ++i) wanted.push_back(static_cast<std::uint8_t>(bias >> 8 * i));
  }
  for (const std::int16_t w : adapter.first_weights) wanted.push_back(static_cast<std::uint8_t>(w));
  for (const std::int16_t w : adapter.second_weights)
    wanted.push_back(static_cast<std::uint8_t>(w));
  if (f.bytes() != wanted.size()) fail("adapter of another size");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Tag tag = sram_[1].at(f.address + i);
    if (tag < program_.image_address ||
        program_.dram_image.at(tag - program_.image_address) != wanted[i]) {
      fail("reads an adapter that is not there");
    }
  }
  const auto tiles = [&](bool before) {
    int count = 0;
    for (std::size_t i = before ? 0 : current_; i < (before ? current_ : commands_.size()); ++i) {
      const bool tile = commands_[i].opcode == hw::Opcode::convolve ||
                        commands_[i].opcode == hw::Opcode::add ||
                        commands_[i].opcode == hw::Opcode::pool;
      count += tile && commands_[i].layer == layer.input;
    }
    return count;
  };
  if (tiles(true) == 0 || tiles(false) != 0) fail("adapts to a tensor that is not complete");
}

void TokenSimulator::touch_load(const hw::TransferFields& f, bool ending) {
  std::vector<Tag>& memory = sram_[static_cast<std::size_t>(f.memory)];
  for (std::uint64_t row = 0; row < f.rows; ++row) {
    for (std::uint64_t i = 0; i < f.row_bytes; ++i) {
      const std::uint64_t source = f.dram_address + row * f.dram_stride + i;
      const std::uint64_t target = f.onchip_address + row * f.onchip_stride + i;
      if (source >= dram_.size() || dram_[source] == unwritten || dram_[source] == unreadable) {
        fail("loads from DRAM address " + std::to_string(source) + ", which is not written yet");
      }
      if (target >= memory.size()) fail("loads past the end of the memory");
      memory[target] = ending ? dram_[source] : unreadable;
    }
  }
}

void TokenSimulator::touch_store(const hw::TransferFields& f, bool ending) {
  if (f.memory != hw::OnChipMemory::activation) fail("stores from a memory that is not activation");
  const std::vector<Tag>& memory = sram_[0];
  for (std::uint64_t row = 0; row < f.rows; ++row) {
    for (std::uint64_t i = 0; i < f.row_bytes; ++i) {
      const std::uint64_t target = f.dram_address + row * f.dram_stride + i;
      const std::uint64_t source = f.onchip_address + row * f.onchip_stride + i;
      if (source >= memory.size()) fail("stores from past the end of the memory");
      if (memory[source] != expected_tag(target)) {
        fail("stores to DRAM address " + std::to_string(target) + " what is not its content");
      }
      dram_[target] = ending ? memory[source] : unreadable;
    }
  }
}

// Identity of what DRAM address `address`, in some layer's output, must hold.
TokenSimulator::Tag TokenSimulator::expected_tag(std::uint64_t address) const {
  for (std::size_t layer = 0; layer < program_.outputs.size(); ++layer) {
    const std::optional<schedule::TensorPlace>& place = program_.outputs[layer];
    if (!place || address < place->address || address >= place->address + place->bytes) continue;
    return content(static_cast<int>(layer))[address - place->address];
  }
  fail("stores to DRAM address " + std::to_string(address) + ", which is no layer's output");
}

std::uint64_t TokenSimulator::signature_of(const network::IntegerLayer& layer, int channel) const {
  if (layer.kind != network::IntegerLayerKind::convolution)
    return static_cast<std::uint64_t>(channel);
  const std::size_t o = static_cast<std::size_t>(channel);
  const std::size_t taps = layer.weights.size() / layer.multipliers.size();
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < taps; ++i) {
    hash = mix(hash, static_cast<std::uint64_t>(layer.weights[o * taps + i]));
  }
  // The channel that it sees, apart from the weights.
  if (layer.depthwise) hash = mix(hash, o);
  const network::ReadQuantizer& quantizer =
      layer.read_quantizers[static_cast<std::size_t>(layer.group[o])];
  hash = mix(hash, static_cast<std::uint64_t>(layer.multipliers[o]));
  hash = mix(hash, static_cast<std::uint64_t>(layer.biases[o] * (1 << layer.fraction_bits)));
  return mix(hash, static_cast<std::uint64_t>(quantizer.multiplier * 64 + quantizer.shift));
}

std::vector<std::uint64_t> TokenSimulator::column_signatures(const hw::ConvolveFields& f,
                                                             int index) {
  const network::IntegerLayer& layer = network_.layers[static_cast<std::size_t>(index)];
  const std::vector<std::uint8_t>& image = program_.dram_image;
  const auto source_of = [&](std::size_t memory, std::uint64_t address, std::uint64_t bytes) {
    if (address + bytes > sram_[memory].size()) fail("reads past the end of a memory");
    const Tag first = sram_[memory][address];
    for (std::uint64_t i = 0; i < bytes; ++i) {
      if (first < program_.image_address || sram_[memory][address + i] != first + i) {
        fail("reads weights or parameters that are not there");
      }
    }
    return first - program_.image_address;
  };
  // Depthwise, columns stand where channels do.
  const std::size_t inputs = f.depthwise ? 1 : f.input_channels;
  const std::size_t words = ((f.depthwise ? f.columns : inputs) + 7) / 8;
  const std::size_t kernel = f.kernel;
  const std::uint64_t weight_bytes =
      kernel * kernel * words * (f.depthwise ? 1 : f.columns) * f.weight_bits;
  const std::uint64_t weights = source_of(1, f.weight_address, weight_bytes);
  const std::uint64_t records =
      source_of(2, f.parameter_address, std::uint64_t{f.columns} * sizeof(hw::ScaleRecord));

  const std::size_t array = f.edge_array;
  if (f.keep_weights && last_weights_[array] != weights) fail("keeps weights that it never had");
  last_weights_[array] = weights;

  std::vector<std::uint64_t>& signatures = decoded_[{index, {weights, records, f.columns}}];
  if (!signatures.empty()) return signatures;
  for (std::size_t column = 0; column < f.columns; ++column) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t ky = 0; ky < kernel; ++ky) {
        for (std::size_t kx = 0; kx < kernel; ++kx) {
          const std::size_t place = f.depthwise ? column : i;
          const std::uint64_t word =
              f.depthwise ? (ky * kernel + kx) * words + place / 8
                          : ((ky * kernel + kx) * words + i / 8) * f.columns + column;
          const bool sign = layer.arithmetic == network::Arithmetic::bnn;  // a bit: 1 for +1
          const int field = packed_field(image, weights, (word * 8 + place % 8) * f.weight_bits,
                                         f.weight_bits, f.weight_signed && !sign);
          const int weight = sign ? 2 * field - 1 : field;
          hash = mix(hash, static_cast<std::uint64_t>(static_cast<std::int16_t>(weight)));
        }
      }
    }
    if (f.depthwise) hash = mix(hash, f.first_channel + column);
    hw::ScaleRecord record{};
    std::memcpy(&record, image.data() + records + column * sizeof(hw::ScaleRecord), sizeof record);
    hash = mix(hash, static_cast<std::uint64_t>(record.multiplier));
    hash = mix(hash, static_cast<std::uint64_t>(record.bias));
    hash = mix(hash, static_cast<std::uint64_t>(f.read_multiplier * 64 + f.read_shift));
    signatures.push_back(hash);
  }
  if (layer.output.shape.channels < f.columns) fail("more columns than the layer has channels");
  return signatures;
}

void TokenSimulator::check_convolve_fields(const hw::ConvolveFields& f,
                                           const network::IntegerLayer& layer) const {
  const network::StoredTensor& input = network_.tensor(layer.input);
  const auto same = [&](const char* field, std::int64_t found, std::int64_t expected) {
    if (found != expected) {
      fail(std::string(field) + " is " + std::to_string(found) + ", not " +
           std::to_string(expected));
    }
  };
  same("input_height", f.input_height, input.shape.height);
  same("input_width", f.input_width, input.shape.width);
  same("input_channels", f.input_channels, input.shape.channels);
  same("depthwise", f.depthwise, layer.depthwise);
  same("output_width", f.output_width, layer.output.shape.width);
  same("kernel", f.kernel, layer.kernel);
  same("stride", f.stride, layer.stride);
  same("padding", f.padding, layer.padding);
  same("edge_array", f.edge_array, layer.edge);
  same("taps", static_cast<int>(f.taps), static_cast<int>(layer.arithmetic));
  same("weight_bits", f.weight_bits, layer.weight_bits);
  same("weight_signed", f.weight_signed, layer.weight_signed);
  same("activation_bits", f.activation_bits, layer.activation_bits);
  same("activation_signed", f.activation_signed, layer.activation_signed);
  same("weight_shift", f.weight_shift, layer.weight_shift);
  same("activation_shift", f.activation_shift, layer.activation_shift);
  same("fraction_bits", f.fraction_bits, layer.fraction_bits);
  same("levels", f.levels, layer.levels);
  same("has a step register", f.step_register != 0, layer.adapter.has_value());
  for (std::size_t i = 0; i < layer.first_exponents.size(); ++i) {
    same("first exponent", f.exponents[i], layer.first_exponents[i]);
  }
  for (std::size_t i = 0; i < layer.second_exponents.size(); ++i) {
    same("second exponent", f.exponents[hw::term_exponents + i], layer.second_exponents[i]);
  }
  same("shift", f.shift, layer.shift + layer.fraction_bits);
  same("relu", f.relu, layer.relu);
  same("has_residual", f.has_residual, layer.residual != network::no_tensor);
  same("input bits", f.input_format.bits, input.bits);
  same("input sign", f.input_format.is_signed, input.is_signed);
  same("output bits", f.output_format.bits, layer.output.bits);
  same("output sign", f.output_format.is_signed, layer.output.is_signed);
  if (layer.residual != network::no_tensor) {
    same("residual_multiplier", f.residual_multiplier, layer.residual_multiplier);
    same("residual_shift", f.residual_shift, layer.residual_shift + layer.fraction_bits);
    same("residual bits", f.residual_format.bits, network_.tensor(layer.residual).bits);
    same("residual sign", f.residual_format.is_signed, network_.tensor(layer.residual).is_signed);
  }
  const hw::PeArrayConfig& array = f.edge_array ? hardware_.edge_array : hardware_.array;
  if (f.columns < 1 || f.columns > array.columns) fail("a tile with more columns than the array");
}

// Rows [first_row, end_row) of a tensor stand in the activation SRAM, row `row_at_address` at
// `address`.
void TokenSimulator::check_operand_rows(int tensor_index, int first_row, int end_row,
                                        std::uint32_t address, int row_at_address) const {
  const network::StoredTensor& tensor = network_.tensor(tensor_index);
  const std::vector<Tag>& wanted = content(tensor_index);
  const std::int64_t row_bytes = tensor.bytes() / tensor.shape.height;
  for (int row = first_row; row < end_row; ++row) {
    for (std::int64_t i = 0; i < row_bytes; ++i) {
      const std::int64_t at = address + (row - row_at_address) * row_bytes + i;
      if (at < 0 || static_cast<std::size_t>(at) >= sram_[0].size()) fail("reads past the end");
      const std::size_t offset = static_cast<std::size_t>(row * row_bytes + i);
      if (sram_[0][static_cast<std::size_t>(at)] != wanted.at(offset)) {
        fail("row " + std::to_string(row) + " of tensor " + std::to_string(tensor_index) +
             " is not at activation address " + std::to_string(at));
      }
    }
  }
}

void TokenSimulator::check_residual(const hw::ConvolveFields& f, const network::IntegerLayer& layer,
                                    const std::vector<std::uint64_t>& signatures) const {
  const network::StoredTensor& tensor = network_.tensor(layer.residual);
  if (f.output_channels == layer.output.shape.channels) {
    check_operand_rows(layer.residual, f.first_output_row, f.first_output_row + f.output_height,
                       f.residual_address, f.first_output_row);
    return;
  }
  // A compact tile: each column's residual must be that of a channel with the column's signature.
  const std::vector<Tag>& wanted = content(layer.residual);
  const std::uint64_t element_bytes = static_cast<std::uint64_t>(tensor.element_bytes());
  const std::uint64_t channels = static_cast<std::uint64_t>(tensor.shape.channels);
  const std::uint64_t pixels = std::uint64_t{f.output_height} * f.output_width;
  const std::uint64_t first_pixel = std::uint64_t{f.first_output_row} * f.output_width;
  const std::vector<std::uint64_t>& of_channels = channel_signatures_[commands_[current_].layer];
  for (std::uint64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t column = 0; column < f.columns; ++column) {
      const std::uint64_t at =
          f.residual_address + (pixel * f.output_channels + column) * element_bytes;
      bool found = false;
      for (std::uint64_t channel = 0; channel < channels && !found; ++channel) {
        const std::uint64_t element = (first_pixel + pixel) * channels + channel;
        found = of_channels[channel] == signatures[column] &&
                wanted[element * element_bytes] == sram_[0][at];
      }
      if (!found) fail("residual of another channel or pixel, or none");
    }
  }
}

void TokenSimulator::touch_convolve(const hw::Command& command, bool ending) {
  const hw::ConvolveFields& f = command.convolve;
  const network::IntegerLayer& layer = network_.layers[command.layer];
  check_convolve_fields(f, layer);
  const int first = std::max(0, f.first_output_row * f.stride - f.padding);
  const int last =
      std::min<int>(f.input_height - 1, (f.first_output_row + f.output_height - 1) * f.stride -
                                            f.padding + f.kernel - 1);
  check_operand_rows(layer.input, first, last + 1, f.input_address, f.first_input_row);
  const std::vector<std::uint64_t> signatures = column_signatures(f, command.layer);
  if (f.has_residual) check_residual(f, layer, signatures);

  const std::uint64_t element_bytes = f.output_format.bits <= 8 ? 1 : 2;
  const std::uint64_t records = sram_[2][f.parameter_address] - program_.image_address;
  for (std::size_t column = 0; column < f.columns; ++column) {
    hw::ScaleRecord record{};
    std::memcpy(&record, program_.dram_image.data() + records + column * sizeof(hw::ScaleRecord),
                sizeof record);
    if (record.output_channel >= f.output_channels) fail("output channel outside the pixel");
    for (std::uint64_t pixel = 0; pixel < std::uint64_t{f.output_height} * f.output_width;
         ++pixel) {
      const std::uint64_t whole = std::uint64_t{f.first_output_row} * f.output_width + pixel;
      for (std::uint64_t byte = 0; byte < element_bytes; ++byte) {
        const std::uint64_t at =
            f.output_address + (pixel * f.output_channels + record.output_channel) * element_bytes +
            byte;
        if (at >= sram_[0].size()) fail("writes past the end of the activation memory");
        sram_[0][at] = ending ? mix(mix(command.layer + 1u, whole), mix(signatures[column], byte))
                              : unreadable;
      }
    }
  }
}

void TokenSimulator::touch_vector(const hw::Command& command, bool ending) {
  const hw::VectorFields& f = command.vector;
  const network::IntegerLayer& layer = network_.layers[command.layer];
  const network::Shape& shape = layer.output.shape;
  if (f.width != shape.width || f.channels != shape.channels) fail("wrong output size");
  const std::uint64_t element_bytes = static_cast<std::uint64_t>(layer.output.element_bytes());
  // The tile's first row is not in the command; it is the one whose first byte stands there.
  const network::StoredTensor& input = network_.tensor(layer.input);
  const std::vector<Tag>& rows = content(layer.input);
  const std::size_t row_bytes = rows.size() / static_cast<std::size_t>(input.shape.height);
  int first_input = 0;
  while (first_input < input.shape.height &&
         rows[static_cast<std::size_t>(first_input) * row_bytes] != sram_[0].at(f.input_address)) {
    ++first_input;
  }
  if (first_input == input.shape.height) fail("input is not there");
  int first_output = first_input;
  if (command.opcode == hw::Opcode::add) {
    check_operand_rows(layer.input, first_input, first_input + f.height, f.input_address,
                       first_input);
    check_operand_rows(layer.residual, first_input, first_input + f.height, f.second_address,
                       first_input);
  } else {
    if (first_input % f.stride != 0 || f.input_width != input.shape.width) fail("wrong input");
    first_output = first_input / f.stride;
    check_operand_rows(layer.input, first_input, first_input + (f.height - 1) * f.stride + f.kernel,
                       f.input_address, first_input);
  }
  const std::uint64_t pixels = std::uint64_t{f.height} * f.width;
  const std::uint64_t first_pixel =
      static_cast<std::uint64_t>(first_output) * static_cast<std::uint64_t>(f.width);
  for (std::uint64_t i = 0; i < pixels * f.channels * element_bytes; ++i) {
    const std::uint64_t pixel = i / element_bytes / f.channels;
    const std::uint64_t channel = i / element_bytes % f.channels;
    const std::uint64_t at = f.output_address + i;
    if (at >= sram_[0].size()) fail("writes past the end of the activation memory");
    sram_[0][at] = ending ? mix(mix(command.layer + 1u, first_pixel + pixel),
                                mix(channel_signatures_[command.layer][channel], i % element_bytes))
                          : unreadable;
  }
}

}  // namespace abacus::test
