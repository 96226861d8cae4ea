#include "sw/network/checkpoint.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "sw/network/value_rules.hpp"
#include "sw/support/overloaded.hpp"
#include "sw/support/whole_number.hpp"

namespace abacus::network {
namespace {

constexpr char kFormat[] = "abacus-checkpoint-1";
constexpr char kOriginHash[] = "float_origin_sha256";
constexpr char kOriginAccuracy[] = "float_origin_accuracy_percent";

std::string to_string(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

// Shortest text that reads back as the same number, so that the same content gives the same bytes.
template <typename T>
std::string number_text(T value, const char* short_format, const char* long_format) {
  char text[40];
  std::snprintf(text, sizeof text, short_format, static_cast<double>(value));
  if (static_cast<T>(std::strtod(text, nullptr)) != value) {
    std::snprintf(text, sizeof text, long_format, static_cast<double>(value));
  }
  return text;
}
std::string float_text(float value) { return number_text(value, "%.6g", "%.9g"); }
std::string double_text(double value) { return number_text(value, "%.15g", "%.17g"); }

// Typed access to metadata with errors that name file and key.
class Metadata {
 public:
  Metadata(const std::filesystem::path& file, const std::map<std::string, std::string>& values)
      : file_(file), values_(values) {}

  const std::string& text(const std::string& key) const {
    const auto at = values_.find(key);
    if (at == values_.end()) {
      throw std::runtime_error(file_.string() + ": metadata has no \"" + key +
                               "\"; expected a checkpoint made by abacus-train");
    }
    return at->second;
  }

  bool has(const std::string& key) const { return values_.count(key) > 0; }

  double number(const std::string& key) const {
    const std::string& value = text(key);
    char* end = nullptr;
    const double result = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0' || !std::isfinite(result)) fail(key, "a number");
    return result;
  }

  std::uint64_t whole(const std::string& key) const {
    const auto result = support::whole_number<std::uint64_t>(text(key));
    if (!result) fail(key, "a whole number");
    return *result;
  }

  int size(const std::string& key) const {
    const std::uint64_t value = whole(key);
    if (value > 1'000'000) fail(key, "a number of at most 1000000");
    return static_cast<int>(value);
  }

  void floats(const std::string& key, int count, std::array<float, 3>& to, bool positive) const {
    std::istringstream in(text(key));
    std::string item;
    int found = 0;
    while (std::getline(in, item, ',')) {
      char* end = nullptr;
      const float value = std::strtof(item.c_str(), &end);
      if (item.empty() || *end != '\0' || !std::isfinite(value) || (positive && value <= 0) ||
          found == count) {
        fail(key, expected_floats(count, positive));
      }
      to[static_cast<std::size_t>(found++)] = value;
    }
    if (found != count) fail(key, expected_floats(count, positive));
  }

  [[noreturn]] void fail(const std::string& key, const std::string& expected) const {
    throw std::runtime_error(file_.string() + ": metadata \"" + key + "\": found \"" + text(key) +
                             "\", expected " + expected);
  }

 private:
  static std::string expected_floats(int count, bool positive) {
    return std::to_string(count) + (positive ? " positive" : "") +
           " number(s) separated by commas, one a channel";
  }

  const std::filesystem::path& file_;
  const std::map<std::string, std::string>& values_;
};

std::string floats_text(const std::array<float, 3>& values, int count) {
  std::string text;
  for (int c = 0; c < count; ++c) {
    text += (c > 0 ? "," : "") + float_text(values[static_cast<std::size_t>(c)]);
  }
  return text;
}

// What readers refuse is not written either.
void check_description(const Checkpoint& checkpoint, const std::filesystem::path& file) {
  const auto fail = [&](const char* what, double found, const char* expected) {
    throw std::runtime_error(file.string() + ": " + what + ": found " + double_text(found) +
                             ", expected " + expected);
  };
  const int channels = checkpoint.network.input.channels;
  if (channels > 3) fail("channels", channels, "at most 3");
  for (int c = 0; c < channels; ++c) {
    const auto at = static_cast<std::size_t>(c);
    const float mean = checkpoint.normalization.mean[at];
    const float deviation = checkpoint.normalization.deviation[at];
    if (!std::isfinite(mean)) fail("mean", mean, "finite numbers");
    if (!std::isfinite(deviation) || deviation <= 0) {
      fail("deviation", deviation, "finite numbers above 0");
    }
  }
  for (const double percent :
       {checkpoint.float_accuracy_percent, checkpoint.float_origin_accuracy_percent}) {
    if (percent != -1 && !(percent >= 0 && percent <= 100)) {
      fail("accuracy in percent", percent, "0 to 100, or -1 for unknown");
    }
  }
}

}  // namespace

std::vector<ParameterShape> parameter_shapes(const Network& network) {
  std::vector<ParameterShape> shapes;
  for (const Layer& layer : network.layers) {
    const std::int64_t channels = layer.output.channels;
    std::visit(
        support::Overloaded{[&](const Convolution& of) {
                              const std::vector<std::int64_t> weights = {
                                  channels, layer.input.channels / of.groups, of.kernel, of.kernel};
                              if (of.arithmetic == Arithmetic::shift) {
                                shapes.push_back({layer.name + ".exponent", weights, true});
                                shapes.push_back({layer.name + ".sign", weights, true});
                              } else {
                                shapes.push_back({layer.name + ".weight", weights, true});
                              }
                              if (of.bias)
                                shapes.push_back({layer.name + ".bias", {channels}, true});
                            },
                            [&](const BatchNorm&) {
                              shapes.push_back({layer.name + ".weight", {channels}, true});
                              shapes.push_back({layer.name + ".bias", {channels}, true});
                              shapes.push_back({layer.name + ".running_mean", {channels}, false});
                              shapes.push_back({layer.name + ".running_var", {channels}, false});
                            },
                            [](const Relu&) {}, [](const Add&) {}, [](const AveragePool&) {},
                            [](const MaxPool&) {}},
        layer.kind);
  }
  return shapes;
}

void check_parameters(const Network& network, const std::map<std::string, Tensor>& tensors,
                      const std::filesystem::path& file) {
  const auto fail = [&](const std::string& name, const std::string& found,
                        const std::string& expected) {
    throw std::runtime_error(file.string() + ": tensor \"" + name + "\": found " + found +
                             ", expected " + expected);
  };
  std::map<std::string, bool> known;
  for (const ParameterShape& parameter : parameter_shapes(network)) {
    known[parameter.name] = true;
    const std::string expected = "f32 " + to_string(parameter.shape);
    const auto at = tensors.find(parameter.name);
    if (at == tensors.end()) fail(parameter.name, "no such tensor", expected);
    const Tensor& tensor = at->second;
    if (tensor.type != ElementType::f32 || tensor.shape != parameter.shape) {
      fail(parameter.name, to_string(tensor.type) + " " + to_string(tensor.shape), expected);
    }
    if (const auto wrong = wrong_value(parameter.name, tensor.values<float>())) {
      fail(parameter.name,
           float_text(static_cast<float>(wrong->value)) + " at element " +
               std::to_string(wrong->index),
           wrong->expected);
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (known.count(name) == 0) {
      fail(name, to_string(tensor.type) + " " + to_string(tensor.shape),
           "no tensor of this name in network " + network.name);
    }
  }
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  TensorFile content = read_safetensors(file);
  const Metadata metadata(file, content.metadata);
  if (metadata.text("format") != kFormat) {
    metadata.fail("format", std::string("\"") + kFormat + "\"");
  }
  Checkpoint checkpoint;
  const Shape image{metadata.size("channels"), metadata.size("height"), metadata.size("width")};
  try {
    checkpoint.network =
        make_network(metadata.text("network"), arithmetic_from_string(metadata.text("arithmetic")),
                     image, metadata.size("classes"));
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(file.string() + ": metadata: " + error.what());
  }
  if (image.channels > 3) metadata.fail("channels", "at most 3");
  checkpoint.dataset = metadata.text("dataset");
  metadata.floats("mean", image.channels, checkpoint.normalization.mean, false);
  metadata.floats("deviation", image.channels, checkpoint.normalization.deviation, true);
  checkpoint.float_accuracy_percent = metadata.number("float_accuracy_percent");
  checkpoint.epochs = metadata.size("epochs");
  checkpoint.seed = metadata.whole("seed");
  checkpoint.command = metadata.text("command");
  if (metadata.has("processor")) checkpoint.processor = metadata.text("processor");
  if (metadata.has(kOriginHash)) {
    checkpoint.float_origin_sha256 = metadata.text(kOriginHash);
    const std::string& hash = checkpoint.float_origin_sha256;
    if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
      metadata.fail(kOriginHash, "64 hexadecimal digits");
    }
    checkpoint.float_origin_accuracy_percent = metadata.number(kOriginAccuracy);
  }
  check_description(checkpoint, file);
  check_parameters(checkpoint.network, content.tensors, file);
  checkpoint.tensors = std::move(content.tensors);
  return checkpoint;
}

void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  check_description(checkpoint, file);
  check_parameters(checkpoint.network, checkpoint.tensors, file);
  const Network& network = checkpoint.network;
  TensorFile content;
  content.metadata = {
      {"format", kFormat},
      {"network", network.name},
      {"arithmetic", to_string(network.arithmetic)},
      {"dataset", checkpoint.dataset},
      {"channels", std::to_string(network.input.channels)},
      {"height", std::to_string(network.input.height)},
      {"width", std::to_string(network.input.width)},
      {"classes", std::to_string(network.classes)},
      {"mean", floats_text(checkpoint.normalization.mean, network.input.channels)},
      {"deviation", floats_text(checkpoint.normalization.deviation, network.input.channels)},
      {"float_accuracy_percent", double_text(checkpoint.float_accuracy_percent)},
      {"epochs", std::to_string(checkpoint.epochs)},
      {"seed", std::to_string(checkpoint.seed)},
      {"command", checkpoint.command}};
  if (!checkpoint.processor.empty()) content.metadata["processor"] = checkpoint.processor;
  if (!checkpoint.float_origin_sha256.empty()) {
    content.metadata[kOriginHash] = checkpoint.float_origin_sha256;
    content.metadata[kOriginAccuracy] = double_text(checkpoint.float_origin_accuracy_percent);
  }
  content.tensors = checkpoint.tensors;
  write_safetensors(file, content);
}

}  // namespace abacus::network
