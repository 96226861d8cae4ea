// The list of what a package says of a network: one row a field of its graph and one a tensor, which
// integer_package.cpp reads and writes by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::network {

template <typename Owner, typename Member>
struct PackageField {
  const char* key;
  Member Owner::*member;
  // Whether the graph has it, by the fields before; null: always.
  bool (*present)(const Owner&) = nullptr;
  // Graphs from before the field lack it: `present` says only whether it is written.
  bool may_lack = false;
};
template <typename Owner, typename Member>
PackageField(const char*, Member Owner::*) -> PackageField<Owner, Member>;
template <typename Owner, typename Member>
PackageField(const char*, Member Owner::*, bool (*)(const Owner&)) -> PackageField<Owner, Member>;
template <typename Owner, typename Member>
PackageField(const char*, Member Owner::*, bool (*)(const Owner&), bool)
    -> PackageField<Owner, Member>;

// The fields of a part, as if they were the owner's.
template <typename Owner, typename Member>
struct InlineField {
  Member Owner::*member;
};
template <typename Owner, typename Member>
InlineField(Member Owner::*) -> InlineField<Owner, Member>;

// How many elements a list has, which the tensors hold.
template <typename Owner, typename Element>
struct CountField {
  const char* key;
  std::vector<Element> Owner::*member;
  std::int64_t most;
};
template <typename Owner, typename Element>
CountField(const char*, std::vector<Element> Owner::*, std::int64_t) -> CountField<Owner, Element>;

// The rows of a struct, in the order of the graph's JSON.
template <typename Owner>
inline constexpr auto package_fields = nullptr;

template <>
inline constexpr auto package_fields<Shape> =
    std::tuple{PackageField{"channels", &Shape::channels}, PackageField{"height", &Shape::height},
               PackageField{"width", &Shape::width}};

template <>
inline constexpr auto package_fields<StoredTensor> = std::tuple{
    InlineField{&StoredTensor::shape}, PackageField{"bits", &StoredTensor::bits},
    PackageField{"signed", &StoredTensor::is_signed}, PackageField{"scale", &StoredTensor::scale}};

template <>
inline constexpr auto package_fields<PackageOrigin> =
    std::tuple{PackageField{"network", &PackageOrigin::network},
               PackageField{"arithmetic", &PackageOrigin::arithmetic},
               PackageField{"dataset", &PackageOrigin::dataset},
               PackageField{"scheme", &PackageOrigin::scheme},
               PackageField{"weight_bits", &PackageOrigin::weight_bits},
               PackageField{"activation_bits", &PackageOrigin::activation_bits},
               PackageField{"checkpoint_sha256", &PackageOrigin::checkpoint_sha256},
               PackageField{"recipe_sha256", &PackageOrigin::recipe_sha256},
               PackageField{"float_accuracy_percent", &PackageOrigin::float_accuracy_percent},
               PackageField{"fake_quantized_accuracy_percent",
                            &PackageOrigin::fake_quantized_accuracy_percent}};

template <>
inline constexpr auto package_fields<hw::ElementTable> = std::tuple{
    PackageField{"name", &hw::ElementTable::name},
    PackageField<hw::ElementTable, int>{"weight_bits", &hw::ElementTable::weight_bits},
    PackageField<hw::ElementTable, bool>{"weight_signed", &hw::ElementTable::weight_signed},
    PackageField<hw::ElementTable, int>{"activation_bits", &hw::ElementTable::activation_bits},
    PackageField<hw::ElementTable, bool>{"activation_signed", &hw::ElementTable::activation_signed},
    PackageField{"tap_bits", &hw::ElementTable::tap_bits},
    PackageField{"scales", &hw::ElementTable::scales},
    PackageField{"accumulate", &hw::ElementTable::accumulate}};

template <>
inline constexpr auto package_fields<AdapterNetwork> =
    std::tuple{PackageField{"pool_multiplier", &AdapterNetwork::pool_multiplier},
               PackageField{"pool_shift", &AdapterNetwork::pool_shift},
               CountField{"hidden", &AdapterNetwork::first_biases, 1024},
               PackageField{"first_shift", &AdapterNetwork::first_shift},
               PackageField{"second_bias", &AdapterNetwork::second_bias},
               PackageField{"second_shift", &AdapterNetwork::second_shift}};

inline bool is_depthwise(const IntegerLayer& layer) { return layer.depthwise; }
inline bool has_element(const IntegerNetwork& network) { return network.element.has_value(); }
inline bool has_adapter(const IntegerLayer& layer) { return layer.adapter.has_value(); }
inline bool has_levels(const IntegerLayer& layer) {
  return hw::has_exponent_weights(layer.arithmetic);
}
inline bool has_two_terms(const IntegerLayer& layer) {
  return layer.arithmetic == Arithmetic::apot;
}

// Every layer has every scalar field that it can have, so that what is read back is what was written.
template <>
inline constexpr auto package_fields<IntegerLayer> = std::tuple{
    PackageField{"name", &IntegerLayer::name},
    PackageField{"kind", &IntegerLayer::kind},
    PackageField{"input", &IntegerLayer::input},
    PackageField{"residual", &IntegerLayer::residual},
    PackageField{"output", &IntegerLayer::output},
    PackageField{"kernel", &IntegerLayer::kernel},
    PackageField{"stride", &IntegerLayer::stride},
    PackageField{"padding", &IntegerLayer::padding},
    PackageField{"arithmetic", &IntegerLayer::arithmetic},
    PackageField{"edge", &IntegerLayer::edge},
    PackageField<IntegerLayer, int>{"weight_bits", &IntegerLayer::weight_bits},
    PackageField<IntegerLayer, bool>{"weight_signed", &IntegerLayer::weight_signed},
    PackageField<IntegerLayer, int>{"activation_bits", &IntegerLayer::activation_bits},
    PackageField<IntegerLayer, bool>{"activation_signed", &IntegerLayer::activation_signed},
    PackageField<IntegerLayer, int>{"weight_shift", &IntegerLayer::weight_shift},
    PackageField<IntegerLayer, int>{"activation_shift", &IntegerLayer::activation_shift},
    PackageField{"multiplier", &IntegerLayer::multiplier},
    PackageField{"left_shift", &IntegerLayer::left_shift},
    PackageField{"bias", &IntegerLayer::bias},
    PackageField{"residual_multiplier", &IntegerLayer::residual_multiplier},
    PackageField{"residual_shift", &IntegerLayer::residual_shift},
    PackageField{"shift", &IntegerLayer::shift},
    PackageField{"relu", &IntegerLayer::relu},
    PackageField{"depthwise", &IntegerLayer::depthwise, is_depthwise, true},
    PackageField{"levels", &IntegerLayer::levels, has_levels},
    PackageField{"fraction_bits", &IntegerLayer::fraction_bits, has_levels},
    PackageField{"first_exponents", &IntegerLayer::first_exponents, has_two_terms},
    PackageField{"second_exponents", &IntegerLayer::second_exponents, has_two_terms},
    PackageField{"adapter", &IntegerLayer::adapter, has_adapter, true}};

template <>
inline constexpr auto package_fields<IntegerNetwork> = std::tuple{
    PackageField{"origin", &IntegerNetwork::origin},
    PackageField{"classes", &IntegerNetwork::classes},
    PackageField{"image", &IntegerNetwork::image}, PackageField{"layers", &IntegerNetwork::layers},
    PackageField{"element", &IntegerNetwork::element, has_element, true}};

// Calls visit(row) for each row of a struct.
template <typename Owner, typename Visitor>
void visit_package_fields(Visitor&& visit) {
  std::apply([&](const auto&... fields) { (visit(fields), ...); }, package_fields<Owner>);
}

// The element type that a tensor's values have in the file.
template <typename T>
struct StoredAs {
  using Element = T;
};

// A dimension that the file decides.
inline constexpr std::int64_t any_length = -1;

// One member of each read quantizer, as a list of its own.
template <typename Quantizers>
struct QuantizerColumn {
  Quantizers& quantizers;
  int ReadQuantizer::*member;
};
template <typename Quantizers>
QuantizerColumn(Quantizers&, int ReadQuantizer::*) -> QuantizerColumn<Quantizers>;

// Calls `visit(name, StoredAs<…>, values, shape)` for each tensor of a convolution, which is const or not;
// `values` is a vector or a QuantizerColumn. A shape may depend on tensors that were visited before.
template <typename Layer, typename Visitor>
void visit_package_tensors(Layer& layer, std::int64_t input_channels, Visitor&& visit) {
  using Dimensions = std::vector<std::int64_t>;
  const std::int64_t channels = layer.output.shape.channels;
  const Dimensions weights = {channels, layer.seen_channels(static_cast<int>(input_channels)),
                              layer.kernel, layer.kernel};
  if (layer.weight_signed) {
    visit("weights", StoredAs<std::int8_t>(), layer.weights, weights);
  } else {
    visit("weights", StoredAs<std::uint8_t>(), layer.weights, weights);
  }
  visit("read_multipliers", StoredAs<std::int32_t>(),
        QuantizerColumn{layer.read_quantizers, &ReadQuantizer::multiplier}, Dimensions{any_length});
  visit("read_shifts", StoredAs<std::int32_t>(),
        QuantizerColumn{layer.read_quantizers, &ReadQuantizer::shift},
        Dimensions{static_cast<std::int64_t>(layer.read_quantizers.size())});
  visit("group", StoredAs<std::int32_t>(), layer.group, Dimensions{channels});
  visit("multipliers", StoredAs<std::int32_t>(), layer.multipliers, Dimensions{channels});
  visit("biases", StoredAs<std::int64_t>(), layer.biases, Dimensions{channels});
  if (!layer.adapter) return;
  auto& adapter = *layer.adapter;
  const std::int64_t hidden = adapter.hidden();
  if (hidden != 0) {
    visit("adapter.first_weights", StoredAs<std::int8_t>(), adapter.first_weights,
          Dimensions{hidden, input_channels});
    visit("adapter.first_biases", StoredAs<std::int64_t>(), adapter.first_biases,
          Dimensions{hidden});
  }
  visit("adapter.second_weights", StoredAs<std::int8_t>(), adapter.second_weights,
        Dimensions{hidden == 0 ? input_channels : hidden});
}

}  // namespace abacus::network
