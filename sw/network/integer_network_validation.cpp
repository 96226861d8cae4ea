#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/network/integer_network.hpp"
#include "sw/network/value_rules.hpp"

namespace abacus::network {
namespace {

// Largest size of one dimension; keeps every sum over channels of 16-bit products within 32 bits.
constexpr std::int64_t largest_dimension = 32767;
// Largest magnitude of an operand after its shift: the adder's subtraction is 11 bits wide.
constexpr int largest_shifted_operand = 512;

std::string text(const Shape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

struct Range {
  std::int64_t lowest;
  std::int64_t highest;
};

std::string text(const Range& range) {
  return std::to_string(range.lowest) + " to " + std::to_string(range.highest);
}

Range integer_range(int bits, bool is_signed) {
  if (is_signed) return {-(std::int64_t{1} << (bits - 1)), (std::int64_t{1} << (bits - 1)) - 1};
  return {0, (std::int64_t{1} << bits) - 1};
}

constexpr Range read_multiplier_range = {1, largest_read_multiplier};
constexpr Range read_shift_range = {0, largest_read_shift};
constexpr Range scale_multiplier_range = {smallest_scale_multiplier, largest_scale_multiplier};
constexpr Range vector_multiplier_range = {0, largest_vector_multiplier};
constexpr Range window_range = {1, 255};
constexpr Range left_shift_range = {0, largest_left_shift};
constexpr Range bias_range = {-largest_bias, largest_bias};
constexpr Range operand_bits_range = {2, 8};
constexpr Range binary_bits_range = {1, 1};
constexpr Range table_bits_range = {1, hw::ElementTable::most_operand_bits};
constexpr Range tap_bits_range = {1, hw::ElementTable::most_tap_bits};
constexpr Range stored_bits_range = {2, 16};
constexpr Range operand_shift_range = {0, 7};
constexpr Range shift_range = {0, largest_shift};
constexpr Range fraction_bits_range = {0, largest_fraction_bits};
// What lookup tables are built for.
constexpr Range table_fraction_bits_range = {smallest_table_fraction_bits,
                                             largest_table_fraction_bits};
constexpr Range exponent_range = {no_exponent, 30};
constexpr int most_term_exponents = 16;
constexpr Range adapter_weight_range = {-128, 127};
constexpr Range adapter_bias_range = {-largest_adapter_bias, largest_adapter_bias};
constexpr Range adapter_hidden_range = {0, 1024};
constexpr std::int64_t largest_channel_sum = (std::int64_t{1} << 31) - 1;

// Reports errors about one place: a layer, or the network as a whole.
class Place {
 public:
  Place(std::string source, std::string name)
      : source_(std::move(source)), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& field, const std::string& found,
                         const std::string& allowed) const {
    throw std::runtime_error(source_ + ": " + name_ + ": " + field + " is " + found +
                             "; allowed: " + allowed);
  }
  void check(const std::string& field, std::int64_t value, const Range& range) const {
    if (value < range.lowest || value > range.highest) {
      fail(field, std::to_string(value), text(range));
    }
  }
  template <typename T>
  void check_each(const std::string& field, const std::vector<T>& values,
                  const Range& range) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] < range.lowest || values[i] > range.highest) {
        fail(field + "[" + std::to_string(i) + "]", std::to_string(values[i]), text(range));
      }
    }
  }
  void check_count(const std::string& field, std::size_t found, std::int64_t expected) const {
    if (static_cast<std::int64_t>(found) != expected) {
      fail("length of " + field, std::to_string(found), std::to_string(expected));
    }
  }
  void check_shape(const std::string& field, const Shape& found, const Shape& expected) const {
    if (found != expected) fail(field, text(found), text(expected));
  }
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::string name_;
};

void validate_tensor(const Place& place, const std::string& field, const StoredTensor& tensor) {
  place.check(field + " channels", tensor.shape.channels, {1, largest_dimension});
  place.check(field + " height", tensor.shape.height, {1, largest_dimension});
  place.check(field + " width", tensor.shape.width, {1, largest_dimension});
  place.check(field + " bits", tensor.bits, stored_bits_range);
  const std::string scale = field + " scale";
  if (const auto wrong = wrong_value<double>(scale, {tensor.scale})) {
    place.fail(scale, std::to_string(wrong->value), wrong->expected);
  }
}

// Checks kernel, stride and padding against the input and returns height and width of the output.
Shape window_output(const Place& place, const IntegerLayer& layer, const Shape& input,
                    int channels) {
  place.check("kernel", layer.kernel, window_range);
  place.check("stride", layer.stride, window_range);
  place.check("padding", layer.padding, {0, layer.kernel - 1});
  const int height = input.height + 2 * layer.padding - layer.kernel;
  const int width = input.width + 2 * layer.padding - layer.kernel;
  if (height < 0 || width < 0) {
    place.fail("kernel", std::to_string(layer.kernel),
               "at most the padded input, " + text(input) + " with padding " +
                   std::to_string(layer.padding));
  }
  return {channels, height / layer.stride + 1, width / layer.stride + 1};
}

Range bits_range(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::table) return table_bits_range;
  return arithmetic == Arithmetic::bnn ? binary_bits_range : operand_bits_range;
}

// Signs only: −1 and +1 on either side.
void validate_binary(const Place& place, const IntegerLayer& layer) {
  if (!layer.weight_signed) place.fail("weight_signed with arithmetic bnn", "false", "true");
  if (!layer.activation_signed) {
    place.fail("activation_signed with arithmetic bnn", "false", "true");
  }
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    if (layer.weights[i] != -1 && layer.weights[i] != 1) {
      place.fail("weights[" + std::to_string(i) + "] with arithmetic bnn",
                 std::to_string(layer.weights[i]), "-1 and 1");
    }
  }
  for (std::size_t g = 0; g < layer.read_quantizers.size(); ++g) {
    const std::string field = "read_quantizers[" + std::to_string(g) + "].";
    place.check(field + "multiplier with arithmetic bnn", layer.read_quantizers[g].multiplier,
                {1, 1});
    place.check(field + "shift with arithmetic bnn", layer.read_quantizers[g].shift, {0, 0});
  }
}

// The exponents of an apot layer: parts of the code's magnitude choose them.
void validate_terms(const Place& place, const IntegerLayer& layer) {
  const std::size_t codes = std::size_t{1} << (layer.weight_bits - 1);
  const auto check_list = [&](const std::string& field, const std::vector<int>& exponents,
                              int fewest) {
    const int count = static_cast<int>(exponents.size());
    if (count < fewest || count > most_term_exponents || (count & (count - 1)) != 0) {
      place.fail("length of " + field, std::to_string(count),
                 "powers of two from " + std::to_string(fewest) + " to " +
                     std::to_string(most_term_exponents));
    }
    place.check_each(field, exponents, exponent_range);
    if (exponents.front() != no_exponent) {
      place.fail(field + "[0]", std::to_string(exponents.front()), "-1, since code 0 is weight 0");
    }
  };
  check_list("first_exponents", layer.first_exponents, 2);
  check_list("second_exponents", layer.second_exponents, 1);
  if (layer.first_exponents.size() * layer.second_exponents.size() != codes) {
    place.fail("lengths of first_exponents and second_exponents",
               std::to_string(layer.first_exponents.size()) + " and " +
                   std::to_string(layer.second_exponents.size()),
               "a product of " + std::to_string(codes) + ", 2^(weight_bits - 1)");
  }
}

// Codes of exponents, and the fraction that the scale unit's fields must have room for.
void validate_exponents(const Place& place, const IntegerLayer& layer) {
  const std::string with = " with arithmetic " + to_string(layer.arithmetic);
  if (!layer.weight_signed) place.fail("weight_signed" + with, "false", "true");
  place.check("levels" + with, layer.levels, {1, (1 << (layer.weight_bits - 1)) - 1});
  place.check_each("weights" + with, layer.weights, {-layer.levels, layer.levels});
  const bool table = layer.arithmetic == Arithmetic::post;
  place.check("fraction_bits" + with, layer.fraction_bits,
              table ? table_fraction_bits_range : fraction_bits_range);
  if (layer.arithmetic == Arithmetic::apot) validate_terms(place, layer);
  place.check("shift + fraction_bits", layer.shift + layer.fraction_bits, shift_range);
  if (layer.residual != no_tensor) {
    place.check("residual_shift + fraction_bits", layer.residual_shift + layer.fraction_bits,
                left_shift_range);
  }
  place.check_each("biases with " + std::to_string(layer.fraction_bits) + " fraction_bits",
                   layer.biases,
                   {-(largest_bias >> layer.fraction_bits), largest_bias >> layer.fraction_bits});
}

// The element's operands, and no others: a lane is built for its table.
void validate_table(const Place& place, const IntegerLayer& layer,
                    const std::optional<hw::ElementTable>& element) {
  if (!element) place.fail("arithmetic", "table", "other ones in a network without an element");
  const auto check = [&](const char* field, int found, int wanted) {
    place.check(field + std::string(" with element ") + element->name, found, {wanted, wanted});
  };
  check("weight_bits", layer.weight_bits, element->weight_bits);
  check("weight_signed", layer.weight_signed, element->weight_signed);
  check("activation_bits", layer.activation_bits, element->activation_bits);
  check("activation_signed", layer.activation_signed, element->activation_signed);
}

void validate_operands(const Place& place, const IntegerLayer& layer) {
  const std::string arithmetic = to_string(layer.arithmetic);
  if (layer.arithmetic != Arithmetic::cnn && layer.edge) {
    place.fail("arithmetic", arithmetic, "cnn on the edge array");
  }
  const std::string with = layer.arithmetic == Arithmetic::bnn ? " with arithmetic bnn" : "";
  place.check("weight_bits" + with, layer.weight_bits, bits_range(layer.arithmetic));
  place.check("activation_bits" + with, layer.activation_bits, bits_range(layer.arithmetic));
  if (layer.arithmetic == Arithmetic::bnn) validate_binary(place, layer);
  if (hw::has_exponent_weights(layer.arithmetic)) {
    validate_exponents(place, layer);
  } else {
    place.check("levels with arithmetic " + arithmetic, layer.levels, {0, 0});
    place.check("fraction_bits with arithmetic " + arithmetic, layer.fraction_bits, {0, 0});
  }
  if (layer.arithmetic != Arithmetic::apot) {
    place.check_count("first_exponents with arithmetic " + arithmetic, layer.first_exponents.size(),
                      0);
    place.check_count("second_exponents with arithmetic " + arithmetic,
                      layer.second_exponents.size(), 0);
  }
  if (layer.arithmetic != Arithmetic::adder) {
    place.check("activation_shift with arithmetic " + arithmetic, layer.activation_shift, {0, 0});
    place.check("weight_shift with arithmetic " + arithmetic, layer.weight_shift, {0, 0});
    return;
  }
  place.check("activation_shift", layer.activation_shift, operand_shift_range);
  place.check("weight_shift", layer.weight_shift, operand_shift_range);
  if (layer.activation_shift != 0 && layer.weight_shift != 0) {
    place.fail(
        "activation_shift and weight_shift",
        std::to_string(layer.activation_shift) + " and " + std::to_string(layer.weight_shift),
        "at least one of them 0");
  }
  const auto check_shifted = [&](const std::string& field, int bits, bool is_signed, int shift) {
    const Range range = integer_range(bits, is_signed);
    const Range shifted = {range.lowest * (1 << shift), range.highest * (1 << shift)};
    if (shifted.lowest < -largest_shifted_operand || shifted.highest > largest_shifted_operand) {
      place.fail("range of the shifted " + field, text(shifted),
                 text(Range{-largest_shifted_operand, largest_shifted_operand}));
    }
  };
  check_shifted("activations", layer.activation_bits, layer.activation_signed,
                layer.activation_shift);
  check_shifted("weights", layer.weight_bits, layer.weight_signed, layer.weight_shift);
}

std::int64_t rounded_shift(std::int64_t value, int shift) {
  return shift == 0 ? value : (value + (std::int64_t{1} << (shift - 1))) >> shift;
}

void validate_adapter(const Place& place, const IntegerNetwork& network,
                      const IntegerLayer& layer) {
  const AdapterNetwork& adapter = *layer.adapter;
  if (layer.arithmetic == Arithmetic::adder || layer.arithmetic == Arithmetic::bnn ||
      layer.arithmetic == Arithmetic::table) {
    place.fail("adapter with arithmetic " + to_string(layer.arithmetic), "given",
               "none, since it scales products");
  }
  if (layer.input == image_tensor)
    place.fail("input of a layer with an adapter", "the image",
               "a tensor that another layer stores");
  if (layer.read_quantizers.size() != 1) {
    place.fail("number of read_quantizers of a layer with an adapter",
               std::to_string(layer.read_quantizers.size()), "1");
  }
  const StoredTensor& input = network.tensor(layer.input);
  const std::int64_t largest =
      std::max(-std::int64_t{input.lowest()}, std::int64_t{input.highest()});
  const std::int64_t sum = largest * input.shape.height * input.shape.width;
  if (sum > largest_channel_sum) {
    place.fail("largest channel sum of the adapter's input", std::to_string(sum),
               "up to " + std::to_string(largest_channel_sum));
  }
  place.check("adapter pool_multiplier", adapter.pool_multiplier, vector_multiplier_range);
  place.check("adapter pool_shift", adapter.pool_shift, shift_range);
  // So that no mean saturates, whatever the image: nobody counts that.
  const Range mean_range = {smallest_adapter_value, largest_adapter_value};
  const std::int64_t gain =
      std::int64_t{adapter.pool_multiplier} * input.shape.height * input.shape.width;
  for (const int value : {input.lowest(), input.highest()}) {
    const std::int64_t mean = rounded_shift(value * gain, adapter.pool_shift);
    place.check("adapter mean of values of " + std::to_string(value), mean, mean_range);
  }
  place.check("adapter hidden", adapter.hidden(), adapter_hidden_range);
  const std::int64_t channels = input.shape.channels;
  place.check_count("adapter first_weights", adapter.first_weights.size(),
                    adapter.hidden() * channels);
  place.check_each("adapter first_weights", adapter.first_weights, adapter_weight_range);
  place.check_each("adapter first_biases", adapter.first_biases, adapter_bias_range);
  place.check("adapter first_shift", adapter.first_shift, shift_range);
  place.check_count("adapter second_weights", adapter.second_weights.size(),
                    adapter.hidden() == 0 ? channels : adapter.hidden());
  place.check_each("adapter second_weights", adapter.second_weights, adapter_weight_range);
  place.check("adapter second_bias", adapter.second_bias, adapter_bias_range);
  place.check("adapter second_shift", adapter.second_shift, shift_range);
}

void validate_convolution(const Place& place, const IntegerNetwork& network,
                          const IntegerLayer& layer) {
  const Shape& input = network.tensor(layer.input).shape;
  const int channels = layer.output.shape.channels;
  place.check_shape("output shape", layer.output.shape,
                    window_output(place, layer, input, channels));
  validate_operands(place, layer);
  if (layer.arithmetic == Arithmetic::table) validate_table(place, layer, network.element);

  if (layer.depthwise) {
    place.check("output channels of a depthwise convolution", channels,
                {input.channels, input.channels});
    if (layer.edge) place.fail("depthwise", "true", "false on the edge array");
    if (layer.read_quantizers.size() != 1) {
      place.fail("number of read_quantizers of a depthwise convolution",
                 std::to_string(layer.read_quantizers.size()), "1");
    }
  }
  place.check_count(
      "weights", layer.weights.size(),
      std::int64_t{channels} * layer.seen_channels(input.channels) * layer.kernel * layer.kernel);
  if (layer.arithmetic != Arithmetic::bnn && !hw::has_exponent_weights(layer.arithmetic)) {
    place.check_each("weights", layer.weights,
                     integer_range(layer.weight_bits, layer.weight_signed));
  }
  if (layer.read_quantizers.empty()) place.fail("number of read_quantizers", "0", "1 or more");
  for (std::size_t g = 0; g < layer.read_quantizers.size(); ++g) {
    const std::string field = "read_quantizers[" + std::to_string(g) + "].";
    place.check(field + "multiplier", layer.read_quantizers[g].multiplier, read_multiplier_range);
    place.check(field + "shift", layer.read_quantizers[g].shift, read_shift_range);
  }
  if (layer.adapter) validate_adapter(place, network, layer);
  place.check_count("group", layer.group.size(), channels);
  place.check_each("group", layer.group,
                   {0, static_cast<std::int64_t>(layer.read_quantizers.size()) - 1});
  place.check_count("multipliers", layer.multipliers.size(), channels);
  place.check_each("multipliers", layer.multipliers, scale_multiplier_range);
  place.check_count("biases", layer.biases.size(), channels);
  place.check_each("biases", layer.biases, bias_range);
}

void validate_add(const Place& place, const IntegerNetwork& network, const IntegerLayer& layer) {
  place.check_shape("output shape", layer.output.shape, network.tensor(layer.input).shape);
  place.check("multiplier", layer.multiplier, vector_multiplier_range);
  place.check("left_shift", layer.left_shift, left_shift_range);
  place.check("bias of an add", layer.bias, {0, 0});
  if (layer.residual == no_tensor) place.fail("residual", "no tensor", "a second operand");
}

void validate_pool(const Place& place, const IntegerNetwork& network, const IntegerLayer& layer) {
  const Shape& input = network.tensor(layer.input).shape;
  place.check("padding of a pool", layer.padding, {0, 0});
  place.check_shape("output shape", layer.output.shape,
                    window_output(place, layer, input, input.channels));
  place.check("multiplier", layer.multiplier, vector_multiplier_range);
  place.check("left_shift of a pool", layer.left_shift, {0, 0});
  place.check("bias", layer.bias, bias_range);
  if (layer.residual != no_tensor) {
    place.fail("residual of a pool", std::to_string(layer.residual), "none");
  }
  if (layer.relu) place.fail("relu of a pool", "true", "false");
}

void validate_layer(const Place& place, const IntegerNetwork& network, std::size_t index) {
  const IntegerLayer& layer = network.layers[index];
  const Range earlier = {image_tensor, static_cast<std::int64_t>(index) - 1};
  place.check("input", layer.input, earlier);
  validate_tensor(place, "output", layer.output);
  if (layer.residual != no_tensor) {
    place.check("residual", layer.residual, earlier);
    place.check_shape("shape of the residual", network.tensor(layer.residual).shape,
                      layer.output.shape);
  }
  place.check("residual_multiplier", layer.residual_multiplier, vector_multiplier_range);
  place.check("residual_shift", layer.residual_shift, left_shift_range);
  place.check("shift", layer.shift, shift_range);

  if (layer.kind == IntegerLayerKind::convolution) {
    validate_convolution(place, network, layer);
    return;
  }
  if (layer.depthwise) place.fail("depthwise of a layer that is no convolution", "true", "false");
  place.check_count("weights", layer.weights.size(), 0);
  place.check_count("read_quantizers", layer.read_quantizers.size(), 0);
  place.check_count("group", layer.group.size(), 0);
  place.check_count("multipliers", layer.multipliers.size(), 0);
  place.check_count("biases", layer.biases.size(), 0);
  if (layer.adapter) place.fail("adapter of a layer that is no convolution", "given", "none");
  if (layer.kind == IntegerLayerKind::add) {
    validate_add(place, network, layer);
  } else {
    validate_pool(place, network, layer);
  }
}

// In a ShiftAddNet an adder layer directly follows each shift layer and reads what that stored: a
// signed tensor without ReLU and residual, which nothing else reads.
void validate_shift_add(const Place& place, const IntegerNetwork& network, std::size_t index) {
  const IntegerLayer& layer = network.layers[index];
  if (layer.kind != IntegerLayerKind::convolution || layer.arithmetic != Arithmetic::shift) return;
  const std::string with = " of a shift layer in a shiftaddnet";
  if (!layer.output.is_signed) place.fail("output signed" + with, "false", "true");
  if (layer.relu) place.fail("relu" + with, "true", "false");
  if (layer.residual != no_tensor) {
    place.fail("residual" + with, std::to_string(layer.residual), "none");
  }
  const int number = static_cast<int>(index);
  for (std::size_t i = index + 1; i < network.layers.size(); ++i) {
    const IntegerLayer& other = network.layers[i];
    const bool partner = i == index + 1 && other.kind == IntegerLayerKind::convolution &&
                         other.arithmetic == Arithmetic::adder && other.input == number &&
                         other.residual != number;
    if (!partner && (i == index + 1 || other.input == number || other.residual == number)) {
      place.fail("reader" + with, "layer " + std::to_string(i) + " \"" + other.name + "\"",
                 "an adder layer directly behind it, and no other");
    }
  }
  if (index + 1 == network.layers.size()) {
    place.fail("reader" + with, "none", "an adder layer directly behind it");
  }
}

void validate_element(const Place& place, const IntegerNetwork& network) {
  if (!network.element) return;
  const hw::ElementTable& element = *network.element;
  if (network.origin.arithmetic != Arithmetic::table) {
    place.fail("element of a network of arithmetic " + to_string(network.origin.arithmetic),
               "given", "none");
  }
  if (element.name.empty()) place.fail("name", "empty", "any text");
  check_widths(element, place.source());
  place.check("tap_bits", element.tap_bits, tap_bits_range);
  if (element.accumulate != 1 && element.accumulate != -1) {
    place.fail("accumulate", std::to_string(element.accumulate), "1, -1");
  }
  place.check_count("taps", element.taps.size(),
                    std::int64_t{1} * element.rows() * element.columns());
  place.check_each("taps", element.taps, {element.lowest_tap(), element.highest_tap()});
}

void validate_origin(const Place& place, const PackageOrigin& origin) {
  const std::string with = origin.arithmetic == Arithmetic::bnn ? " with arithmetic bnn" : "";
  place.check("weight_bits" + with, origin.weight_bits, bits_range(origin.arithmetic));
  place.check("activation_bits" + with, origin.activation_bits, bits_range(origin.arithmetic));
  const auto check_accuracy = [&](const std::string& field, double percent) {
    if (!((percent >= 0 && percent <= 100) || percent == -1)) {
      place.fail(field, std::to_string(percent), "0 to 100, or -1 for unknown");
    }
  };
  check_accuracy("float_accuracy_percent", origin.float_accuracy_percent);
  check_accuracy("fake_quantized_accuracy_percent", origin.fake_quantized_accuracy_percent);
}

}  // namespace

void check_widths(const hw::ElementTable& element, const std::string& source) {
  const Place place(source, "element");
  place.check("weight_bits", element.weight_bits, table_bits_range);
  place.check("activation_bits", element.activation_bits, table_bits_range);
}

void validate(const IntegerNetwork& network, const std::string& source) {
  validate_origin(Place(source, "origin"), network.origin);
  const Place whole(source, "network");
  validate_tensor(whole, "image", network.image);
  whole.check_count("input_table", network.input_table.size(),
                    std::int64_t{network.image.shape.channels} * 256);
  whole.check_each("input_table", network.input_table,
                   {network.image.lowest(), network.image.highest()});
  validate_element(Place(source, "element"), network);
  if (network.layers.empty()) whole.fail("number of layers", "0", "1 or more");

  std::set<std::string> names;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const std::string& name = network.layers[i].name;
    const std::string number = "layer " + std::to_string(i);
    if (name.empty()) Place(source, number).fail("name", "empty", "a name of its own");
    const Place place(source, number + " \"" + name + "\"");
    if (!names.insert(name).second) {
      place.fail("name", "that of an earlier layer", "a name of its own");
    }
    validate_layer(place, network, i);
    if (network.origin.arithmetic == Arithmetic::shiftaddnet) validate_shift_add(place, network, i);
  }
  whole.check("number of classes", network.classes, {1, largest_dimension});
  const std::int64_t scores = network.layers.back().output.shape.elements();
  if (scores != network.classes) {
    whole.fail("number of the last layer's elements", std::to_string(scores),
               std::to_string(network.classes) + ", one a class");
  }
}

}  // namespace abacus::network
