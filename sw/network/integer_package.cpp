// The file of an integer network: reading and writing.
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/network/integer_network.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus {
namespace {

using Json = nlohmann::ordered_json;

constexpr char format_key[] = "format";
constexpr char format_name[] = "abacus integer network 1";
constexpr char graph_key[] = "network";
constexpr char recipe_key[] = "recipe";
constexpr char input_table_name[] = "input_table";

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw std::runtime_error(file + ": " + what);
}

// A JSON object all of whose keys must be read.
class Fields {
 public:
  Fields(std::string file, std::string place, const Json& json)
      : file_(std::move(file)), place_(std::move(place)), json_(json) {
    if (!json_.is_object())
      fail(file_, place_ + ": found " + json_.dump() + "; allowed: an object");
  }

  const Json& raw(const std::string& key) {
    read_.insert(key);
    const auto found = json_.find(key);
    if (found == json_.end()) fail(file_, place_ + ": \"" + key + "\" is missing");
    return *found;
  }

  // For keys that need not be there.
  bool has(const std::string& key) const { return json_.contains(key); }

  template <typename T>
  T integer(const std::string& key) {
    return integer<T>(key, raw(key));
  }
  // A list of whole numbers.
  template <typename T>
  std::vector<T> integers(const std::string& key) {
    const Json& list = raw(key);
    if (!list.is_array()) wrong(key, list, "a list of whole numbers");
    std::vector<T> values;
    for (const Json& value : list) values.push_back(integer<T>(key, value));
    return values;
  }
  template <typename T>
  T integer(const std::string& key, const Json& value) const {
    constexpr auto low = std::numeric_limits<T>::min();
    constexpr auto high = std::numeric_limits<T>::max();
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high)
                          : value.is_number_integer() && value.get<std::int64_t>() >= low;
    if (!fits) {
      wrong(key, value,
            "whole numbers from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value.get<T>();
  }
  double number(const std::string& key) {
    const Json& value = raw(key);
    if (!value.is_number()) wrong(key, value, "a number");
    return value.get<double>();
  }
  bool boolean(const std::string& key) {
    const Json& value = raw(key);
    if (!value.is_boolean()) wrong(key, value, "true or false");
    return value.get<bool>();
  }
  std::string string(const std::string& key) {
    const Json& value = raw(key);
    if (!value.is_string()) wrong(key, value, "a string");
    return value.get<std::string>();
  }
  Arithmetic arithmetic(const std::string& key) {
    const std::string text = string(key);
    try {
      return arithmetic_from_string(text);
    } catch (const std::invalid_argument& error) {
      fail(file_, place_ + ": \"" + key + "\": " + error.what());
    }
  }
  // Of a layer.
  TapKind tap_kind(const std::string& key) {
    const Arithmetic found = arithmetic(key);
    if (found.composite()) {
      fail(file_, place_ + ": \"" + key + "\" is " + to_string(found) +
                      ", which is a network's; allowed: shift and adder layers of it");
    }
    return found.first();
  }
  Fields object(const std::string& key) { return Fields(file_, place_ + ": " + key, raw(key)); }

  void check_all_read() const {
    for (const auto& item : json_.items()) {
      if (read_.count(item.key()) == 0)
        fail(file_, place_ + ": unknown key \"" + item.key() + "\"");
    }
  }
  [[noreturn]] void wrong(const std::string& key, const Json& value,
                          const std::string& allowed) const {
    fail(file_, place_ + ": \"" + key + "\" is " + value.dump() + "; allowed: " + allowed);
  }

 private:
  std::string file_;
  std::string place_;
  const Json& json_;
  std::set<std::string> read_;
};

// The tensors of a file, each of which must be taken.
class Tensors {
 public:
  Tensors(std::string file, const TensorFile& content)
      : file_(std::move(file)), tensors_(content.tensors) {}

  template <typename T>
  std::vector<T> take(const std::string& name, ElementType type,
                      const std::vector<std::int64_t>& shape) {
    taken_.insert(name);
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail(file_, "tensor \"" + name + "\" is missing");
    const Tensor& tensor = found->second;
    if (tensor.type != type || tensor.shape != shape) {
      fail(file_, "tensor \"" + name + "\" is " + to_string(tensor.type) +
                      Json(tensor.shape).dump() + "; allowed: " + to_string(type) +
                      Json(shape).dump());
    }
    return tensor.values<T>();
  }

  // One value a group: as many as there are.
  std::vector<std::int32_t> take_groups(const std::string& name) {
    const auto found = tensors_.find(name);
    const bool list = found != tensors_.end() && found->second.shape.size() == 1;
    return take<std::int32_t>(name, ElementType::i32,
                              {list ? found->second.shape.front() : std::int64_t{1}});
  }

  void check_all_taken() const {
    for (const auto& named : tensors_) {
      if (taken_.count(named.first) == 0) {
        fail(file_, "tensor \"" + named.first + "\" belongs to no layer");
      }
    }
  }

 private:
  std::string file_;
  const std::map<std::string, Tensor>& tensors_;
  std::set<std::string> taken_;
};

Json to_json(const StoredTensor& tensor) {
  return {{"channels", tensor.shape.channels}, {"height", tensor.shape.height},
          {"width", tensor.shape.width},       {"bits", tensor.bits},
          {"signed", tensor.is_signed},        {"scale", tensor.scale}};
}

StoredTensor read_stored_tensor(Fields fields) {
  StoredTensor tensor;
  tensor.shape = {fields.integer<int>("channels"), fields.integer<int>("height"),
                  fields.integer<int>("width")};
  tensor.bits = fields.integer<int>("bits");
  tensor.is_signed = fields.boolean("signed");
  tensor.scale = fields.number("scale");
  fields.check_all_read();
  return tensor;
}

Json to_json(const PackageOrigin& origin) {
  return {{"network", origin.network},
          {"arithmetic", to_string(origin.arithmetic)},
          {"dataset", origin.dataset},
          {"scheme", origin.scheme},
          {"weight_bits", origin.weight_bits},
          {"activation_bits", origin.activation_bits},
          {"checkpoint_sha256", origin.checkpoint_sha256},
          {"recipe_sha256", origin.recipe_sha256},
          {"float_accuracy_percent", origin.float_accuracy_percent},
          {"fake_quantized_accuracy_percent", origin.fake_quantized_accuracy_percent}};
}

PackageOrigin read_origin(Fields fields) {
  PackageOrigin origin;
  origin.network = fields.string("network");
  origin.arithmetic = fields.arithmetic("arithmetic");
  origin.dataset = fields.string("dataset");
  origin.scheme = fields.string("scheme");
  origin.weight_bits = fields.integer<int>("weight_bits");
  origin.activation_bits = fields.integer<int>("activation_bits");
  origin.checkpoint_sha256 = fields.string("checkpoint_sha256");
  origin.recipe_sha256 = fields.string("recipe_sha256");
  origin.float_accuracy_percent = fields.number("float_accuracy_percent");
  origin.fake_quantized_accuracy_percent = fields.number("fake_quantized_accuracy_percent");
  fields.check_all_read();
  return origin;
}

// Every layer writes every scalar field that it can have, so that what is read back is what was written.
Json to_json(const IntegerLayer& layer) {
  Json json = {{"name", layer.name},
               {"kind", to_string(layer.kind)},
               {"input", layer.input},
               {"residual", layer.residual},
               {"output", to_json(layer.output)},
               {"kernel", layer.kernel},
               {"stride", layer.stride},
               {"padding", layer.padding},
               {"arithmetic", to_string(layer.arithmetic)},
               {"edge", layer.edge},
               {"weight_bits", layer.weight_bits},
               {"weight_signed", layer.weight_signed},
               {"activation_bits", layer.activation_bits},
               {"activation_signed", layer.activation_signed},
               {"weight_shift", layer.weight_shift},
               {"activation_shift", layer.activation_shift},
               {"multiplier", layer.multiplier},
               {"left_shift", layer.left_shift},
               {"bias", layer.bias},
               {"residual_multiplier", layer.residual_multiplier},
               {"residual_shift", layer.residual_shift},
               {"shift", layer.shift},
               {"relu", layer.relu}};
  // Not in other layers, so that packages from before them stay readable.
  if (layer.depthwise) json["depthwise"] = true;
  if (has_exponent_weights(layer.arithmetic)) {
    json["levels"] = layer.levels;
    json["fraction_bits"] = layer.fraction_bits;
  }
  if (layer.arithmetic == Arithmetic::apot) {
    json["first_exponents"] = layer.first_exponents;
    json["second_exponents"] = layer.second_exponents;
  }
  if (layer.adapter) {
    json["adapter"] = {{"pool_multiplier", layer.adapter->pool_multiplier},
                       {"pool_shift", layer.adapter->pool_shift},
                       {"hidden", layer.adapter->hidden()},
                       {"first_shift", layer.adapter->first_shift},
                       {"second_bias", layer.adapter->second_bias},
                       {"second_shift", layer.adapter->second_shift}};
  }
  return json;
}

IntegerLayerKind read_kind(Fields& fields) {
  std::string allowed;
  for (const IntegerLayerKind kind : {IntegerLayerKind::convolution, IntegerLayerKind::add,
                                      IntegerLayerKind::average_pool, IntegerLayerKind::max_pool}) {
    if (fields.string("kind") == to_string(kind)) return kind;
    allowed += (allowed.empty() ? "" : ", ") + to_string(kind);
  }
  fields.wrong("kind", fields.raw("kind"), allowed);
}

// Without its weights; the number of biases says how many hidden values there are.
AdapterNetwork read_adapter(Fields fields) {
  AdapterNetwork adapter;
  adapter.pool_multiplier = fields.integer<int>("pool_multiplier");
  adapter.pool_shift = fields.integer<int>("pool_shift");
  const int hidden = fields.integer<int>("hidden");
  constexpr int most = 1024;
  if (hidden < 0 || hidden > most) {
    fields.wrong("hidden", fields.raw("hidden"), "whole numbers from 0 to " + std::to_string(most));
  }
  adapter.first_biases.resize(static_cast<std::size_t>(hidden));
  adapter.first_shift = fields.integer<int>("first_shift");
  adapter.second_bias = fields.integer<std::int64_t>("second_bias");
  adapter.second_shift = fields.integer<int>("second_shift");
  fields.check_all_read();
  return adapter;
}

IntegerLayer read_layer_fields(Fields fields) {
  IntegerLayer layer;
  layer.name = fields.string("name");
  layer.kind = read_kind(fields);
  layer.input = fields.integer<int>("input");
  layer.residual = fields.integer<int>("residual");
  layer.output = read_stored_tensor(fields.object("output"));
  layer.kernel = fields.integer<int>("kernel");
  layer.stride = fields.integer<int>("stride");
  layer.padding = fields.integer<int>("padding");
  layer.arithmetic = fields.tap_kind("arithmetic");
  layer.edge = fields.boolean("edge");
  layer.weight_bits = fields.integer<int>("weight_bits");
  layer.weight_signed = fields.boolean("weight_signed");
  layer.activation_bits = fields.integer<int>("activation_bits");
  layer.activation_signed = fields.boolean("activation_signed");
  layer.weight_shift = fields.integer<int>("weight_shift");
  layer.activation_shift = fields.integer<int>("activation_shift");
  layer.multiplier = fields.integer<std::int32_t>("multiplier");
  layer.left_shift = fields.integer<std::int32_t>("left_shift");
  layer.bias = fields.integer<std::int64_t>("bias");
  layer.residual_multiplier = fields.integer<std::int32_t>("residual_multiplier");
  layer.residual_shift = fields.integer<std::int32_t>("residual_shift");
  layer.shift = fields.integer<int>("shift");
  layer.relu = fields.boolean("relu");
  if (fields.has("depthwise")) layer.depthwise = fields.boolean("depthwise");
  if (has_exponent_weights(layer.arithmetic)) {
    layer.levels = fields.integer<int>("levels");
    layer.fraction_bits = fields.integer<int>("fraction_bits");
  }
  if (layer.arithmetic == Arithmetic::apot) {
    layer.first_exponents = fields.integers<int>("first_exponents");
    layer.second_exponents = fields.integers<int>("second_exponents");
  }
  if (fields.has("adapter")) layer.adapter = read_adapter(fields.object("adapter"));
  fields.check_all_read();
  return layer;
}

std::vector<std::int64_t> weight_shape(const IntegerLayer& layer, std::int64_t input_channels) {
  const std::int64_t seen = layer.seen_channels(static_cast<int>(input_channels));
  return {layer.output.shape.channels, seen, layer.kernel, layer.kernel};
}

template <typename To, typename From>
std::vector<To> convert(const std::vector<From>& values) {
  std::vector<To> converted;
  converted.reserve(values.size());
  for (const From value : values) converted.push_back(static_cast<To>(value));
  return converted;
}

void write_layer_tensors(TensorFile& content, const IntegerLayer& layer,
                         std::int64_t input_channels) {
  const std::int64_t channels = layer.output.shape.channels;
  const std::int64_t groups = static_cast<std::int64_t>(layer.read_quantizers.size());
  const std::vector<std::int64_t> shape = weight_shape(layer, input_channels);
  std::vector<std::int32_t> read_multipliers;
  std::vector<std::int32_t> read_shifts;
  for (const ReadQuantizer& quantizer : layer.read_quantizers) {
    read_multipliers.push_back(quantizer.multiplier);
    read_shifts.push_back(quantizer.shift);
  }
  auto& tensors = content.tensors;
  tensors[layer.name + ".weights"] =
      layer.weight_signed ? Tensor::from(convert<std::int8_t>(layer.weights), shape)
                          : Tensor::from(convert<std::uint8_t>(layer.weights), shape);
  tensors[layer.name + ".read_multipliers"] = Tensor::from(read_multipliers, {groups});
  tensors[layer.name + ".read_shifts"] = Tensor::from(read_shifts, {groups});
  tensors[layer.name + ".group"] = Tensor::from(layer.group, {channels});
  tensors[layer.name + ".multipliers"] = Tensor::from(layer.multipliers, {channels});
  tensors[layer.name + ".biases"] = Tensor::from(layer.biases, {channels});
  if (!layer.adapter) return;
  const AdapterNetwork& adapter = *layer.adapter;
  const std::string name = layer.name + ".adapter.";
  if (adapter.hidden() != 0) {
    tensors[name + "first_weights"] = Tensor::from(convert<std::int8_t>(adapter.first_weights),
                                                   {adapter.hidden(), input_channels});
    tensors[name + "first_biases"] = Tensor::from(adapter.first_biases, {adapter.hidden()});
  }
  tensors[name + "second_weights"] =
      Tensor::from(convert<std::int8_t>(adapter.second_weights),
                   {static_cast<std::int64_t>(adapter.second_weights.size())});
}

void read_adapter_tensors(Tensors& tensors, const std::string& layer, AdapterNetwork& adapter,
                          std::int64_t input_channels) {
  const std::string name = layer + ".adapter.";
  const std::int64_t hidden = adapter.hidden();
  if (hidden != 0) {
    adapter.first_weights = convert<std::int16_t>(tensors.take<std::int8_t>(
        name + "first_weights", ElementType::i8, {hidden, input_channels}));
    adapter.first_biases =
        tensors.take<std::int64_t>(name + "first_biases", ElementType::i64, {hidden});
  }
  adapter.second_weights = convert<std::int16_t>(tensors.take<std::int8_t>(
      name + "second_weights", ElementType::i8, {hidden == 0 ? input_channels : hidden}));
}

void read_layer_tensors(Tensors& tensors, IntegerLayer& layer, std::int64_t input_channels,
                        const std::string& file) {
  const std::int64_t channels = layer.output.shape.channels;
  const std::vector<std::int64_t> shape = weight_shape(layer, input_channels);
  const std::string weights = layer.name + ".weights";
  layer.weights =
      layer.weight_signed
          ? convert<std::int16_t>(tensors.take<std::int8_t>(weights, ElementType::i8, shape))
          : convert<std::int16_t>(tensors.take<std::uint8_t>(weights, ElementType::u8, shape));
  const auto multipliers = tensors.take_groups(layer.name + ".read_multipliers");
  const auto shifts = tensors.take_groups(layer.name + ".read_shifts");
  if (multipliers.size() != shifts.size()) {
    fail(file, "tensor \"" + layer.name + ".read_shifts\" has " + std::to_string(shifts.size()) +
                   " elements; allowed: " + std::to_string(multipliers.size()) +
                   ", as many as read_multipliers");
  }
  for (std::size_t g = 0; g < multipliers.size(); ++g) {
    layer.read_quantizers.push_back({multipliers[g], shifts[g]});
  }
  layer.group = tensors.take<std::int32_t>(layer.name + ".group", ElementType::i32, {channels});
  layer.multipliers =
      tensors.take<std::int32_t>(layer.name + ".multipliers", ElementType::i32, {channels});
  layer.biases = tensors.take<std::int64_t>(layer.name + ".biases", ElementType::i64, {channels});
  if (layer.adapter) read_adapter_tensors(tensors, layer.name, *layer.adapter, input_channels);
}

Json parse_graph(const std::string& file, const TensorFile& content) {
  const auto format = content.metadata.find(format_key);
  if (format == content.metadata.end() || format->second != format_name) {
    fail(file, std::string("metadata \"") + format_key + "\" is " +
                   (format == content.metadata.end() ? "missing" : "\"" + format->second + "\"") +
                   "; allowed: \"" + format_name + "\" (is this an integer network package?)");
  }
  const auto graph = content.metadata.find(graph_key);
  if (graph == content.metadata.end()) {
    fail(file, std::string("metadata \"") + graph_key + "\" is missing");
  }
  try {
    return Json::parse(graph->second);
  } catch (const Json::parse_error& error) {
    fail(file, std::string("metadata \"") + graph_key + "\" is no valid JSON: " + error.what());
  }
}

}  // namespace

IntegerNetwork read_package(const std::filesystem::path& path) {
  const std::string file = path.string();
  const TensorFile content = read_safetensors(path);
  const Json json = parse_graph(file, content);
  Fields fields(file, "network", json);
  Tensors tensors(file, content);

  IntegerNetwork network;
  network.origin = read_origin(fields.object("origin"));
  network.classes = fields.integer<int>("classes");
  network.image = read_stored_tensor(fields.object("image"));
  network.input_table = tensors.take<std::int16_t>(input_table_name, ElementType::i16,
                                                   {network.image.shape.channels, 256});
  const Json& layers = fields.raw("layers");
  if (!layers.is_array()) fields.wrong("layers", layers, "a list");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string place = "layer " + std::to_string(i);
    IntegerLayer layer = read_layer_fields(Fields(file, place, layers[i]));
    if (layer.kind == IntegerLayerKind::convolution) {
      // The weights' shape needs the input's, so a wrong index cannot wait for validate().
      if (layer.input < image_tensor || layer.input >= static_cast<int>(i)) {
        fail(file, place + " \"" + layer.name + "\": input is " + std::to_string(layer.input) +
                       "; allowed: -1 to " + std::to_string(static_cast<int>(i) - 1));
      }
      read_layer_tensors(tensors, layer, network.tensor(layer.input).shape.channels, file);
    }
    network.layers.push_back(std::move(layer));
  }
  fields.check_all_read();
  tensors.check_all_taken();
  validate(network, file);
  return network;
}

void write_package(const std::filesystem::path& file, const IntegerNetwork& network,
                   const std::string& recipe) {
  validate(network, file.string());
  Json layers = Json::array();
  TensorFile content;
  for (const IntegerLayer& layer : network.layers) {
    layers.push_back(to_json(layer));
    if (layer.kind == IntegerLayerKind::convolution) {
      write_layer_tensors(content, layer, network.tensor(layer.input).shape.channels);
    }
  }
  content.tensors[input_table_name] =
      Tensor::from(network.input_table, {network.image.shape.channels, 256});
  const Json json = {{"origin", to_json(network.origin)},
                     {"classes", network.classes},
                     {"image", to_json(network.image)},
                     {"layers", std::move(layers)}};
  content.metadata[format_key] = format_name;
  content.metadata[graph_key] = json.dump();
  if (!recipe.empty()) content.metadata[recipe_key] = recipe;
  write_safetensors(file, content);
}

}  // namespace abacus
