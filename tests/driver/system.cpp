#include "tests/driver/system.hpp"

#include <gtest/gtest.h>

#include <systemc>

#include "sw/experiment/program_view.hpp"
#include "tests/network/random_integer_network.hpp"
#include "tlm/address_map.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::test {
namespace {

network::AccumulatorFormat accumulator_format(const hw::PeArrayConfig& array) {
  return {array.accumulator_bits, array.rows, hw::dataflow(array.dataflow).packs_windows()};
}

// Elements as they stand in memory: one or two bytes, two's complement, little-endian.
std::vector<std::int32_t> decode(const network::StoredTensor& tensor,
                                 const std::vector<std::uint8_t>& bytes) {
  std::vector<std::int32_t> values;
  const std::size_t size = static_cast<std::size_t>(tensor.element_bytes());
  for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
    std::int32_t value = bytes[i];
    if (size == 2) value |= bytes[i + 1] << 8;
    const std::int32_t span = size == 2 ? 1 << 16 : 1 << 8;
    if (tensor.is_signed && value >= span / 2) value -= span;
    values.push_back(value);
  }
  return values;
}

std::vector<std::uint8_t> encode(const network::StoredTensor& tensor,
                                 const std::vector<std::int16_t>& values) {
  std::vector<std::uint8_t> bytes;
  for (const std::int16_t value : values) {
    bytes.push_back(static_cast<std::uint8_t>(value & 0xFF));
    if (tensor.element_bytes() == 2)
      bytes.push_back(static_cast<std::uint8_t>((value >> 8) & 0xFF));
  }
  return bytes;
}

}  // namespace

hw::HardwareConfig hardware_for(network::Arithmetic arithmetic) {
  hw::HardwareConfig hardware;
  hw::PeArrayConfig& array = hardware.array;
  array.kind = {arithmetic.first(), arithmetic.second()};
  if (arithmetic == network::Arithmetic::bnn) array.weight_bits = array.activation_bits = 1;
  if (array.kind.has_exponent_weights()) array.accumulator_bits = 32;
  if (arithmetic == network::Arithmetic::post) array.table.exponents = 63;
  return hardware;
}

System::System(const hw::HardwareConfig& hardware, hw::TimingLevel level)
    : hardware_(hardware), platform_("platform", hardware, level) {}

void System::simulate(const std::function<void()>& body) {
  platform_.set_software([&](hw::HostBus& bus) {
    bus_ = &bus;
    body();
    finished_ = true;
  });
  sc_core::sc_start();
  EXPECT_TRUE(finished_) << "the simulation ended before the software did";
}

void System::load(const network::IntegerNetwork& network) {
  network_ = &network;
  program_ = schedule::schedule(network, hardware_);
  driver_.emplace(*bus_);
  ASSERT_EQ(driver_->load(experiment::program_view(program_)), driver::DriverStatus::ok);
}

driver::RunStatistics System::run(std::uint64_t image_seed) {
  const std::vector<std::uint8_t> pixels = random_pixels(*network_, image_seed);
  image_ = network::quantize_image(*network_, pixels.data());
  const std::vector<std::uint8_t> input = encode(network_->image, image_);
  std::vector<std::uint8_t> scores(program_.scores.bytes);
  constexpr std::int32_t never_computed = 1 << 20;
  outputs_.clear();
  for (const network::IntegerLayer& layer : network_->layers) {
    outputs_.emplace_back(static_cast<std::size_t>(layer.output.shape.elements()), never_computed);
  }
  auto tile = program_.tiles.begin();
  platform_.observe_compute([&](std::uint32_t command) {
    if (tile != program_.tiles.end() && tile->command == command) read_tile(*tile++);
  });
  driver::RunStatistics statistics{};
  const driver::DriverStatus status = driver_->run(input.data(), scores.data(), statistics);
  EXPECT_EQ(status, driver::DriverStatus::ok)
      << to_string(status) << " " << statistics.error_command;
  platform_.observe_compute({});
  EXPECT_TRUE(tile == program_.tiles.end());
  scores_ = decode(network_->layers.back().output, scores);
  return statistics;
}

network::ReferenceResult System::reference_of(const network::IntegerNetwork& other) const {
  return network::execute_reference(other, image_, accumulator_format(hardware_.array),
                                    accumulator_format(hardware_.edge_array));
}

void System::read_tile(const schedule::OutputTile& tile) {
  const std::size_t layer = static_cast<std::size_t>(tile.layer);
  const network::StoredTensor& tensor = network_->layers[layer].output;
  std::vector<std::uint8_t> bytes(tile.bytes(tensor));
  ASSERT_TRUE(platform_.peek(hw::address_map::activation_sram_base + tile.address, bytes.data(),
                             bytes.size()));
  schedule::for_each_value(tile, tensor, bytes, [&](int y, int x, int channel, std::int32_t value) {
    const std::size_t element =
        (static_cast<std::size_t>(y) * tensor.shape.width + x) * tensor.shape.channels + channel;
    outputs_[layer][element] = value;
  });
}

void System::expect_reference(const network::ReferenceResult& expected) {
  for (std::size_t layer = 0; layer < network_->layers.size(); ++layer) {
    const std::vector<std::int32_t>& found = output(layer);
    ASSERT_EQ(found.size(), expected.outputs[layer].size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i], expected.outputs[layer][i])
          << "layer " << layer << " \"" << network_->layers[layer].name << "\" ("
          << network::to_string(network_->layers[layer].kind) << "), element " << i;
    }
  }
  EXPECT_EQ(scores_, expected.outputs.back());
}

}  // namespace abacus::test
