// The integer network package: what the quantizers (torch) write and everything after them
// (scheduler, reference executor, hardware) works from. docs/arithmetic.md defines what its fields
// compute.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sw/network/integer_limits.hpp"
#include "sw/network/network.hpp"
#include "tlm/element_table.hpp"
#include "tlm/operand_format.hpp"

namespace abacus::network {

// Index into IntegerNetwork::layers that stands for the quantized image.
inline constexpr int image_tensor = -1;
// "No tensor", for layers without a residual.
inline constexpr int no_tensor = -2;
// "No term", among an apot layer's exponents.
inline constexpr int no_exponent = -1;

// A tensor as it is stored between layers.
struct StoredTensor {
  Shape shape;
  int bits = 8;  // 2 … 16
  bool is_signed = true;
  double scale = 1.0;  // real value = scale × integer; hardware never sees it

  int element_bytes() const { return bits <= 8 ? 1 : 2; }
  std::int64_t bytes() const { return shape.elements() * element_bytes(); }
  int lowest() const { return is_signed ? -(1 << (bits - 1)) : 0; }
  int highest() const { return is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1; }
};

// operand = clamp(round_shift(stored · multiplier, shift)); {1, 0} passes values through, and is all
// that a binary layer takes: its operands are the stored values' signs.
struct ReadQuantizer {
  int multiplier = 1;
  int shift = 0;
};

// The step adapter of a convolution (ASQ, "Precision Neural Network Quantization via Learnable Adaptive
// Modules", section 3.2): for each image a factor β of the activations' step, from the mean of each
// input channel through a network of two layers, or of one. docs/arithmetic.md, "Step adapter".
struct AdapterNetwork {
  int pool_multiplier = 1;  // channel sum → mean
  int pool_shift = 0;
  std::vector<std::int16_t> first_weights;  // hidden × input channels, 8 bits; none: one layer
  std::vector<std::int64_t> first_biases;   // one a hidden value
  int first_shift = 0;
  std::vector<std::int16_t> second_weights;  // one a hidden value (an input channel), 8 bits
  std::int64_t second_bias = 0;
  int second_shift = 0;

  int hidden() const { return static_cast<int>(first_biases.size()); }
};

enum class IntegerLayerKind { convolution, add, average_pool, max_pool };

inline constexpr std::array<IntegerLayerKind, 4> integer_layer_kinds = {
    IntegerLayerKind::convolution, IntegerLayerKind::add, IntegerLayerKind::average_pool,
    IntegerLayerKind::max_pool};

std::string to_string(IntegerLayerKind kind);

struct IntegerLayer : hw::OperandFormat {  // of a convolution's operands
  std::string name;  // of the network's layer that it stands for: "layer1.0.conv1"
  IntegerLayerKind kind = IntegerLayerKind::convolution;
  int input = image_tensor;  // tensor that it reads: layer index or image_tensor
  int residual =
      no_tensor;  // convolution: optional; add: the second operand; has the output's shape
  StoredTensor output;

  // Convolution and pools.
  int kernel = 1;
  int stride = 1;
  int padding = 0;

  // Convolution only.
  hw::TapKind arithmetic = Arithmetic::cnn;
  bool edge = false;       // runs on the edge array
  bool depthwise = false;  // output channel o sees input channel o alone
  // Exponent weights only (has_exponent_weights); of other layers both are 0.
  int levels = 0;         // magnitudes: weights are codes −levels … levels, 0 for a weight of 0
  int fraction_bits = 0;  // of the taps and their sum, below the binary point
  // apot only: exponents of a code's two terms, by the low and the high bits of its magnitude, 2^k and
  // 2^l of them with k + l = weight_bits − 1; no_exponent where the term is absent.
  std::vector<int> first_exponents;
  std::vector<int> second_exponents;
  std::vector<std::int16_t>
      weights;  // output channel × input channel (depthwise: 1) × kernel × kernel; bnn: −1 and +1
  std::vector<ReadQuantizer> read_quantizers;  // one a group, at least one
  std::vector<std::int32_t> group;             // one an output channel: index into read_quantizers
  std::optional<AdapterNetwork> adapter;       // then there is one read quantizer: that of β = 1
  std::vector<std::int32_t> multipliers;       // one an output channel
  std::vector<std::int64_t> biases;            // one an output channel

  // Pools and add: multiplier of the (first) operand. Add: its left shift too.
  std::int32_t multiplier = 1;
  std::int32_t left_shift = 0;
  std::int64_t bias = 0;  // pools only

  // Convolution with a residual, and the second operand of add.
  std::int32_t residual_multiplier = 0;
  std::int32_t residual_shift = 0;  // to the left

  int shift = 0;  // to the right, with rounding
  bool relu = false;

  // Convolution: of `channels` input channels, how many an output channel sees.
  int seen_channels(int channels) const { return depthwise ? 1 : channels; }
};

// Where a package came from; reports repeat it and the cache compares it.
struct PackageOrigin {
  std::string network;  // zoo name
  Arithmetic arithmetic = Arithmetic::cnn;
  std::string dataset;
  std::string scheme;   // "adderquant-ptq", "uniform-ptq", …
  int weight_bits = 8;  // of the layers between the edges
  int activation_bits = 8;
  std::string checkpoint_sha256;
  std::string recipe_sha256;  // of everything else that decides the package: scheme, widths,
                              // options, version
  double float_accuracy_percent = -1.0;  // checkpoint's own, test set; −1: unknown
  double fake_quantized_accuracy_percent =
      -1.0;  // torch's, on the quantizer's evaluation images; −1: not measured
};

struct IntegerNetwork {
  PackageOrigin origin;
  StoredTensor image;                     // 8 bits, signed as a rule
  std::vector<std::int16_t> input_table;  // channels × 256: pixel → image tensor's value
  std::vector<IntegerLayer> layers;       // in order of execution; the last one gives the scores
  int classes = 0;
  // What the taps of `table` layers are; of networks that have such layers.
  std::optional<hw::ElementTable> element;

  const StoredTensor& tensor(int index) const {
    return index == image_tensor ? image : layers[static_cast<std::size_t>(index)].output;
  }
};

// Checks every limit of docs/arithmetic.md, shapes, indices and value ranges. Throws
// std::runtime_error naming the layer, the field, what was found and what is allowed; `source` (a
// file's name) stands in front of it.
void validate(const IntegerNetwork& network, const std::string& source);

// Of an element's operands: what its table is as large as. Throws likewise.
void check_widths(const hw::ElementTable& element, const std::string& source);

// One safetensors file; weights as I8 or U8 "LAYER.weights", per-channel values "LAYER.multipliers"
// …, an element's table as I32 "element.taps", the graph as JSON in its metadata. Both check with validate(); write goes through a temporary
// name. `recipe`: all options it was made with, beside the graph, for people and to find it again.
IntegerNetwork read_package(const std::filesystem::path& file);
void write_package(const std::filesystem::path& file, const IntegerNetwork& network,
                   const std::string& recipe = "");

// Image (channels × height × width pixels) → image tensor's values, height × width × channel order.
std::vector<std::int16_t> quantize_image(const IntegerNetwork& network, const std::uint8_t* pixels);

}  // namespace abacus::network
