// The file of an integer network: reading and writing, by the rows of package_fields.hpp.
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "sw/network/integer_network.hpp"
#include "sw/network/package_fields.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/reading/json_text.hpp"
#include "sw/reading/section.hpp"

namespace abacus::network {
namespace {

using Json = nlohmann::ordered_json;

constexpr char format_key[] = "format";
constexpr char format_name[] = "abacus integer network 1";
constexpr char graph_key[] = "network";
constexpr char recipe_key[] = "recipe";
constexpr char input_table_name[] = "input_table";
constexpr char element_taps_name[] = "element.taps";

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw std::runtime_error(file + ": " + what);
}

// The graph: values to and from JSON.

template <typename Owner>
void add_fields(Json& json, const Owner& owner);
template <typename Owner>
void read_fields(reading::Section& section, Owner& owner);

template <typename T>
Json to_json(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_enum_v<T>) {
    return to_string(value);
  } else {
    Json json;
    add_fields(json, value);
    return json;
  }
}

Json to_json(Arithmetic value) { return to_string(value); }

template <typename T>
Json to_json(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(to_json(value));
  return list;
}

template <typename T>
Json to_json(const std::optional<T>& value) {
  return to_json(*value);
}

template <typename T>
void read(const reading::Value& from, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = from.truth();
  } else if constexpr (std::is_integral_v<T>) {
    value = from.whole<T>();
  } else if constexpr (std::is_floating_point_v<T>) {
    value = from.number();
  } else {
    reading::Section section = from.section();
    read_fields(section, value);
    section.refuse_unknown_keys();
  }
}

void read(const reading::Value& from, std::string& value) { value = from.any_text(); }

void read(const reading::Value& from, Arithmetic& value) {
  value = arithmetic_from_string(from.choice(arithmetic_names()));
}

// Of a layer: a network's of several kinds is none.
void read(const reading::Value& from, hw::TapKind& value) {
  std::vector<std::string> names;
  for (const hw::TapKindRow& row : hw::tap_kinds) names.emplace_back(row.arithmetic);
  value = arithmetic_from_string(from.choice(names)).first();
}

void read(const reading::Value& from, hw::StepRule& value) {
  const std::string name =
      from.choice({std::begin(hw::step_rule_names), std::end(hw::step_rule_names)});
  value =
      name == hw::to_string(hw::StepRule::shared) ? hw::StepRule::shared : hw::StepRule::product;
}

void read(const reading::Value& from, IntegerLayerKind& value) {
  std::vector<std::string> names;
  for (const IntegerLayerKind kind : integer_layer_kinds) names.push_back(to_string(kind));
  const std::string name = from.choice(names);
  for (const IntegerLayerKind kind : integer_layer_kinds) {
    if (to_string(kind) == name) value = kind;
  }
}

template <typename T>
void read(const reading::Value& from, std::vector<T>& values) {
  for (const reading::Value& element : from.list()) read(element, values.emplace_back());
}

template <typename T>
void read(const reading::Value& from, std::optional<T>& value) {
  read(from, value.emplace());
}

// One row to and from JSON.

template <typename Owner, typename Member>
void add_field(Json& json, const PackageField<Owner, Member>& field, const Owner& owner) {
  if (field.present == nullptr || field.present(owner)) {
    json[field.key] = to_json(owner.*field.member);
  }
}

template <typename Owner, typename Member>
void add_field(Json& json, const InlineField<Owner, Member>& field, const Owner& owner) {
  add_fields(json, owner.*field.member);
}

template <typename Owner, typename Element>
void add_field(Json& json, const CountField<Owner, Element>& field, const Owner& owner) {
  json[field.key] = (owner.*field.member).size();
}

template <typename Owner, typename Member>
void read_field(reading::Section& section, const PackageField<Owner, Member>& field, Owner& owner) {
  const bool wanted =
      field.may_lack ? section.has(field.key) : field.present == nullptr || field.present(owner);
  if (wanted) read(section.value(field.key), owner.*field.member);
}

template <typename Owner, typename Member>
void read_field(reading::Section& section, const InlineField<Owner, Member>& field, Owner& owner) {
  read_fields(section, owner.*field.member);
}

template <typename Owner, typename Element>
void read_field(reading::Section& section, const CountField<Owner, Element>& field, Owner& owner) {
  (owner.*field.member)
      .resize(static_cast<std::size_t>(section.value(field.key).integer(0, field.most)));
}

template <typename Owner>
void add_fields(Json& json, const Owner& owner) {
  visit_package_fields<Owner>([&](const auto& field) { add_field(json, field, owner); });
}

template <typename Owner>
void read_fields(reading::Section& section, Owner& owner) {
  visit_package_fields<Owner>([&](const auto& field) { read_field(section, field, owner); });
}

// Tensors.

template <typename To, typename From>
std::vector<To> convert(const std::vector<From>& values) {
  std::vector<To> converted;
  converted.reserve(values.size());
  for (const From value : values) converted.push_back(static_cast<To>(value));
  return converted;
}

template <typename Stored, typename T>
std::vector<Stored> stored(const std::vector<T>& values) {
  return convert<Stored>(values);
}

template <typename Stored>
std::vector<Stored> stored(const QuantizerColumn<const std::vector<ReadQuantizer>>& column) {
  std::vector<Stored> values;
  for (const ReadQuantizer& quantizer : column.quantizers) {
    values.push_back(quantizer.*column.member);
  }
  return values;
}

template <typename Stored, typename T>
void take(const std::vector<Stored>& from, std::vector<T>& values) {
  values = convert<T>(from);
}

template <typename Stored>
void take(const std::vector<Stored>& from,
          const QuantizerColumn<std::vector<ReadQuantizer>>& column) {
  column.quantizers.resize(from.size());
  for (std::size_t g = 0; g < from.size(); ++g) column.quantizers[g].*column.member = from[g];
}

// The tensors of a file, each of which must be taken.
class Tensors {
 public:
  Tensors(std::string file, const TensorFile& content)
      : file_(std::move(file)), tensors_(content.tensors) {}

  // `shape`: may be one dimension of any_length.
  template <typename T>
  std::vector<T> take(const std::string& name, std::vector<std::int64_t> shape) {
    taken_.insert(name);
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail(file_, "tensor \"" + name + "\" is missing");
    const Tensor& tensor = found->second;
    if (shape.front() == any_length) {
      shape.front() = tensor.shape.size() == 1 ? tensor.shape.front() : 1;
    }
    if (tensor.type != element_type<T> || tensor.shape != shape) {
      fail(file_, "tensor \"" + name + "\" is " + to_string(tensor.type) +
                      Json(tensor.shape).dump() + "; allowed: " + to_string(element_type<T>) +
                      Json(shape).dump());
    }
    return tensor.values<T>();
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

void read_tensors(Tensors& tensors, IntegerLayer& layer, std::int64_t input_channels) {
  visit_package_tensors(
      layer, input_channels,
      [&](const char* name, auto stored_as, auto&& values, const auto& shape) {
        take(tensors.take<typename decltype(stored_as)::Element>(layer.name + '.' + name, shape),
             values);
      });
}

void write_tensors(TensorFile& content, const IntegerLayer& layer, std::int64_t input_channels) {
  visit_package_tensors(
      layer, input_channels, [&](const char* name, auto stored_as, const auto& values, auto shape) {
        const auto elements = stored<typename decltype(stored_as)::Element>(values);
        if (shape.front() == any_length) shape = {static_cast<std::int64_t>(elements.size())};
        content.tensors[layer.name + '.' + name] = Tensor::from(elements, shape);
      });
}

reading::Node parse_graph(const std::string& file, const TensorFile& content) {
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
  return reading::parse_json(graph->second, file + ": metadata \"" + graph_key + '"');
}

}  // namespace

IntegerNetwork read_package(const std::filesystem::path& path) {
  const std::string file = path.string();
  const TensorFile content = read_safetensors(path);
  const reading::Node graph = parse_graph(file, content);
  IntegerNetwork network;
  read(reading::Value("", &graph, graph.place()), network);

  Tensors tensors(file, content);
  network.input_table =
      tensors.take<std::int16_t>(input_table_name, {network.image.shape.channels, 256});
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    IntegerLayer& layer = network.layers[i];
    if (layer.kind != IntegerLayerKind::convolution) continue;
    // The weights' shape needs the input's, so a wrong index cannot wait for validate().
    if (layer.input < image_tensor || layer.input >= static_cast<int>(i)) {
      fail(file, "layer " + std::to_string(i) + " \"" + layer.name + "\": input is " +
                     std::to_string(layer.input) + "; allowed: -1 to " +
                     std::to_string(static_cast<int>(i) - 1));
    }
    read_tensors(tensors, layer, network.tensor(layer.input).shape.channels);
  }
  if (network.element) {
    hw::ElementTable& element = *network.element;
    check_widths(element, file);  // which the table's shape needs
    element.taps =
        tensors.take<std::int32_t>(element_taps_name, {element.rows(), element.columns()});
  }
  tensors.check_all_taken();
  validate(network, file);
  return network;
}

void write_package(const std::filesystem::path& file, const IntegerNetwork& network,
                   const std::string& recipe) {
  validate(network, file.string());
  TensorFile content;
  content.tensors[input_table_name] =
      Tensor::from(network.input_table, {network.image.shape.channels, 256});
  for (const IntegerLayer& layer : network.layers) {
    if (layer.kind != IntegerLayerKind::convolution) continue;
    write_tensors(content, layer, network.tensor(layer.input).shape.channels);
  }
  if (network.element) {
    content.tensors[element_taps_name] =
        Tensor::from(network.element->taps, {network.element->rows(), network.element->columns()});
  }
  content.metadata[format_key] = format_name;
  content.metadata[graph_key] = to_json(network).dump();
  if (!recipe.empty()) content.metadata[recipe_key] = recipe;
  write_safetensors(file, content);
}

}  // namespace abacus::network
