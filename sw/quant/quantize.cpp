#include "sw/quant/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "sw/quant/adder_quantizer.hpp"
#include "sw/quant/calibration.hpp"
#include "sw/quant/quantized_network.hpp"
#include "sw/quant/simulation.hpp"
#include "sw/quant/uniform_quantizer.hpp"
#include "sw/train/modules.hpp"

namespace abacus {
namespace {

constexpr int edge_bits = 8;  // first convolution and classifier
constexpr int image_bits = 8;
constexpr int score_bits = 16;  // the classifier's output; nothing reads it but the host
// Scores may pass the calibrated maximum by this factor.
constexpr double score_headroom = 2;

struct SchemeInformation {
  QuantizationScheme scheme;
  const char* name;
  Arithmetic arithmetic;
};
constexpr SchemeInformation schemes[] = {
    {QuantizationScheme::adderquant_ptq, "adderquant-ptq", Arithmetic::adder},
    {QuantizationScheme::uniform_ptq, "uniform-ptq", Arithmetic::cnn},
};

const SchemeInformation& information(QuantizationScheme scheme) {
  for (const SchemeInformation& entry : schemes) {
    if (entry.scheme == scheme) return entry;
  }
  throw std::logic_error("quantization scheme without a name");
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

double alpha(const QuantizationOptions& options) {
  return options.alpha.value_or(default_alpha(options.activation_bits));
}

// Makes the quantized network out of checkpoint, calibration and options.
class Quantizer {
 public:
  Quantizer(const Checkpoint& checkpoint, const QuantizationOptions& options,
            const CalibrationData& data, const QuantizationProgress& progress)
      : checkpoint_(checkpoint), options_(options), data_(data), progress_(progress) {
    network_.network = checkpoint.network;
    network_.normalization = checkpoint.normalization;
  }

  QuantizedNetwork quantize() {
    const std::vector<FoldedLayer> folded = fold_graph(checkpoint_.network);
    FloatNetwork float_network(checkpoint_.network, checkpoint_.tensors);
    statistics_ = calibrate(float_network, folded, data_, options_.calibration_images,
                            options_.activation_clamp ? alpha(options_) : 1.0,
                            stage("calibration", options_.calibration_images));
    set_image();
    for (const FoldedLayer& layer : folded) add_layer(layer);
    if (options_.batch_norm != BatchNormEstimation::kept) estimate_batch_norms(float_network);
    return std::move(network_);
  }

 private:
  ImagesDone stage(const std::string& name, std::int64_t total) const {
    return [this, name, total](std::int64_t done) {
      if (progress_) progress_(name, done, total);
    };
  }

  std::vector<float> parameter(const std::string& name) const {
    return checkpoint_.tensors.at(name).values<float>();
  }
  std::vector<double> real_parameter(const std::string& name) const {
    const std::vector<float> values = parameter(name);
    return {values.begin(), values.end()};
  }

  void set_image() {
    const Normalization& n = checkpoint_.normalization;
    double largest = 0;
    for (int c = 0; c < checkpoint_.network.input.channels; ++c) {
      const std::size_t i = static_cast<std::size_t>(c);
      for (const float pixel : {0.0F, 1.0F}) {
        largest =
            std::max(largest, std::abs(static_cast<double>((pixel - n.mean[i]) / n.deviation[i])));
      }
    }
    network_.image.shape = checkpoint_.network.input;
    network_.image.bits = image_bits;
    network_.image.is_signed = true;
    network_.image.scale = largest / network_.image.highest();
  }

  // The tensor that a layer stores: its range is calibrated, and a maximum's is its operand's.
  StoredTensor stored_tensor(const FoldedLayer& layer, std::size_t index) const {
    const Shape shape = checkpoint_.network.layers[static_cast<std::size_t>(layer.output)].output;
    const MagnitudeHistogram& magnitudes = statistics_[index].magnitudes;
    StoredTensor tensor;
    if (layer.kind == IntegerLayerKind::max_pool) {
      tensor = network_.tensor(layer.input);
      tensor.shape = shape;
      return tensor;
    }
    tensor.shape = shape;
    tensor.is_signed = !layer.nonnegative;
    if (layer.output + 1 == static_cast<int>(checkpoint_.network.layers.size())) {
      tensor.bits = score_bits;
      tensor.is_signed = true;
      const double largest = magnitudes.maximum() > 0 ? magnitudes.maximum() : 1;
      tensor.scale = largest * score_headroom / tensor.highest();
      return tensor;
    }
    tensor.bits = options_.storage_bits;
    tensor.scale = magnitudes.best_range(tensor.highest()) / tensor.highest();
    return tensor;
  }

  void add_layer(const FoldedLayer& folded) {
    const std::size_t index = network_.layers.size();
    QuantizedLayer layer;
    layer.folded = folded;
    layer.output = stored_tensor(folded, index);
    if (folded.kind == IntegerLayerKind::convolution) {
      set_operands(layer);
      if (folded.batch_norm != no_tensor) {
        const std::string& name =
            checkpoint_.network.layers[static_cast<std::size_t>(folded.batch_norm)].name;
        layer.batch_norm.weight = real_parameter(name + ".weight");
        layer.batch_norm.bias = real_parameter(name + ".bias");
        layer.batch_norm.mean = real_parameter(name + ".running_mean");
        layer.batch_norm.variance = real_parameter(name + ".running_var");
      }
    }
    network_.layers.push_back(std::move(layer));
  }

  void set_operands(QuantizedLayer& layer) const {
    const Layer& from = checkpoint_.network.layers[static_cast<std::size_t>(layer.folded.layer)];
    const StoredTensor& input = network_.tensor(layer.folded.input);
    const std::vector<float> weights = parameter(from.name + ".weight");
    std::vector<float> bias;
    if (from.bias) bias = parameter(from.name + ".bias");
    if (from.arithmetic == Arithmetic::adder) {
      AdderQuantizerOptions adder;
      adder.weight_bits = options_.weight_bits;
      adder.activation_bits = options_.activation_bits;
      adder.activation_signed = input.is_signed;
      adder.groups = options_.groups;
      adder.weight_clamp = options_.weight_clamp;
      const double range = statistics_[static_cast<std::size_t>(layer.folded.input)].quantile;
      layer.convolution = quantize_adder_layer(weights, from.output.channels, range, adder);
      for (std::size_t o = 0; o < bias.size(); ++o) {
        layer.convolution.offset[o] += static_cast<double>(bias[o]);
      }
    } else {
      UniformQuantizerOptions uniform;
      uniform.weight_bits = from.edge ? edge_bits : options_.weight_bits;
      uniform.activation_bits = from.edge ? edge_bits : options_.activation_bits;
      uniform.activation_signed = input.is_signed;
      layer.convolution = quantize_uniform_layer(
          weights, bias, from.output.channels,
          uniform_step(layer.folded.input, uniform.activation_bits), uniform);
    }
    for (const double step : layer.convolution.activation_step) {
      layer.read_quantizers.push_back(read_quantizer(input.scale / step));
    }
  }

  // As stored where the operands are wide enough, so that nothing is rounded twice.
  double uniform_step(int tensor, int bits) const {
    const StoredTensor& input = network_.tensor(tensor);
    if (bits >= input.bits) return input.scale;
    const int levels = highest_integer(bits, input.is_signed);
    return statistics_[static_cast<std::size_t>(tensor)].magnitudes.best_range(levels) / levels;
  }

  void estimate_batch_norms(FloatNetwork& float_network) {
    const std::int64_t count = options_.batch_norm_images;
    const bool corrected = options_.batch_norm == BatchNormEstimation::corrected;
    std::vector<BatchNormChannels> trained;
    for (const QuantizedLayer& layer : network_.layers) trained.push_back(layer.batch_norm);
    Simulation simulation(network_);
    simulation.begin_re_estimation();
    float_network.set_batch_norm_mode(BatchNormMode::re_estimation);
    for_each_batch(
        data_, count,
        [&](const torch::Tensor& images) {
          torch::NoGradGuard no_gradient;
          simulation.forward(images);
          if (corrected) float_network.forward(images);
        },
        stage("BatchNorm", count));
    simulation.end_re_estimation();
    if (!corrected) return;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      QuantizedLayer& layer = network_.layers[i];
      if (layer.folded.batch_norm == no_tensor) continue;
      const std::string& name =
          checkpoint_.network.layers[static_cast<std::size_t>(layer.folded.batch_norm)].name;
      const std::vector<float> mean = values(float_network.parameter(name + ".running_mean"));
      const std::vector<float> variance = values(float_network.parameter(name + ".running_var"));
      for (std::size_t o = 0; o < mean.size(); ++o) {
        layer.batch_norm.mean[o] += trained[i].mean[o] - static_cast<double>(mean[o]);
        // A channel that never varies has no ratio to correct by.
        if (variance[o] > 0) {
          layer.batch_norm.variance[o] *= trained[i].variance[o] / static_cast<double>(variance[o]);
        }
      }
    }
  }

  static std::vector<float> values(const torch::Tensor& tensor) {
    return from_torch(tensor).values<float>();
  }

  const Checkpoint& checkpoint_;
  const QuantizationOptions& options_;
  const CalibrationData& data_;
  const QuantizationProgress& progress_;
  std::vector<TensorStatistics> statistics_;
  QuantizedNetwork network_;
};

double fake_quantized_accuracy(QuantizedNetwork& network, const Dataset& images,
                               const QuantizationProgress& progress) {
  Simulation simulation(network);
  constexpr std::int64_t batch = 200;
  std::int64_t correct = 0;
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    const std::int64_t size = std::min(batch, images.count() - first);
    const Batch part = make_batch(images, network.normalization, first, size);
    correct += simulation.forward(part.images).argmax(1).eq(part.labels).sum().item<std::int64_t>();
    if (progress) progress("evaluation", first + size, images.count());
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(images.count());
}

void check_images(const Checkpoint& checkpoint, const Dataset& images) {
  if (images.count() == 0) throw std::invalid_argument(images.name + ": no images");
  if (images.image != checkpoint.network.input || images.classes != checkpoint.network.classes) {
    throw std::invalid_argument("the network is made for the images and classes of " +
                                checkpoint.dataset + ", which are not those of " + images.name);
  }
}

}  // namespace

const std::vector<std::string>& quantization_scheme_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const SchemeInformation& entry : schemes) result.emplace_back(entry.name);
    return result;
  }();
  return names;
}

std::string to_string(QuantizationScheme scheme) { return information(scheme).name; }

QuantizationScheme quantization_scheme_from_string(const std::string& text) {
  for (const SchemeInformation& entry : schemes) {
    if (text == entry.name) return entry.scheme;
  }
  throw std::invalid_argument("unknown quantization scheme \"" + text +
                              "\"; allowed: " + joined(quantization_scheme_names()));
}

std::string to_string(BatchNormEstimation estimation) {
  switch (estimation) {
    case BatchNormEstimation::kept:
      return "kept";
    case BatchNormEstimation::estimated:
      return "estimated";
    case BatchNormEstimation::corrected:
      return "corrected";
  }
  throw std::logic_error("BatchNorm estimation without a name");
}

BatchNormEstimation batch_norm_estimation_from_string(const std::string& text) {
  for (const BatchNormEstimation estimation :
       {BatchNormEstimation::kept, BatchNormEstimation::estimated,
        BatchNormEstimation::corrected}) {
    if (text == to_string(estimation)) return estimation;
  }
  throw std::invalid_argument("unknown BatchNorm estimation \"" + text +
                              "\"; allowed: kept, estimated, corrected");
}

double default_alpha(int activation_bits) {
  switch (activation_bits) {
    case 2:
      return 0.99;
    case 3:
      return 0.995;
    case 4:
      return 0.998;
    case 5:
      return 0.9995;
    default:
      return 0.9999;
  }
}

void check(const QuantizationOptions& options) {
  const auto range = [](const std::string& name, std::int64_t value, std::int64_t lowest,
                        std::int64_t highest) {
    if (value < lowest || value > highest) {
      throw std::invalid_argument(name + " is " + std::to_string(value) + "; allowed: " +
                                  std::to_string(lowest) + " to " + std::to_string(highest));
    }
  };
  range("weight bits", options.weight_bits, 2, 8);
  range("activation bits", options.activation_bits, 2, 8);
  range("storage bits", options.storage_bits, 2, 16);
  range("groups", options.groups, 1, 64);
  range("calibration images", options.calibration_images, 1, 1'000'000);
  if (options.batch_norm != BatchNormEstimation::kept) {
    range("BatchNorm images", options.batch_norm_images, 2, 1'000'000);
  }
  if (!(alpha(options) > 0 && alpha(options) <= 1)) {
    throw std::invalid_argument("alpha is " + number_text(alpha(options)) +
                                "; allowed: above 0, at most 1");
  }
}

void check_scheme(QuantizationScheme scheme, const Checkpoint& checkpoint,
                  const std::string& source) {
  const SchemeInformation& entry = information(scheme);
  if (entry.arithmetic == checkpoint.network.arithmetic) return;
  throw std::invalid_argument(source + ": its network's arithmetic is " +
                              to_string(checkpoint.network.arithmetic) + "; scheme " + entry.name +
                              " is for " + to_string(entry.arithmetic));
}

std::string to_string(const QuantizationOptions& options) {
  std::ostringstream text;
  text << "version=1 scheme=" << to_string(options.scheme) << " weight-bits=" << options.weight_bits
       << " activation-bits=" << options.activation_bits << " storage-bits=" << options.storage_bits
       << " batch-norm=" << to_string(options.batch_norm)
       << " calibration-images=" << options.calibration_images
       << " bn-images=" << options.batch_norm_images
       << " crop-padding=" << options.augmentation.padding << " flip=" << options.augmentation.flip
       << " seed=" << options.seed;
  if (options.scheme == QuantizationScheme::adderquant_ptq) {
    text << " groups=" << options.groups << " weight-clamp=" << options.weight_clamp
         << " activation-clamp=" << options.activation_clamp
         << " alpha=" << number_text(alpha(options));
  }
  return text.str();
}

Augmentation training_augmentation(const Checkpoint& checkpoint) {
  std::istringstream words(checkpoint.command);
  std::string word;
  words >> word >> word;
  if (word != "train") return {4, true};
  Augmentation augmentation;
  while (words >> word) {
    if (word == "--flip") augmentation.flip = true;
    if (word == "--crop-padding") words >> augmentation.padding;
  }
  return augmentation;
}

IntegerNetwork quantize(const Checkpoint& checkpoint, const Dataset& training,
                        const Dataset* evaluation, const QuantizationOptions& options,
                        const QuantizationProgress& progress) {
  check(options);
  check_scheme(options.scheme, checkpoint, "checkpoint");
  check_images(checkpoint, training);
  if (evaluation != nullptr) check_images(checkpoint, *evaluation);

  const CalibrationData data{training, checkpoint.normalization, options.augmentation,
                             options.seed};
  QuantizedNetwork quantized = Quantizer(checkpoint, options, data, progress).quantize();
  IntegerNetwork result = to_integer_network(quantized);
  result.origin.dataset = checkpoint.dataset;
  result.origin.scheme = to_string(options.scheme);
  result.origin.weight_bits = options.weight_bits;
  result.origin.activation_bits = options.activation_bits;
  result.origin.float_accuracy_percent = checkpoint.float_accuracy_percent;
  if (evaluation != nullptr) {
    result.origin.fake_quantized_accuracy_percent =
        fake_quantized_accuracy(quantized, *evaluation, progress);
  }
  validate(result, "quantized network");
  return result;
}

}  // namespace abacus
