#include "sw/quant/simulate/activation_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "sw/network/dataset_match.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/network/reference_executor.hpp"
#include "sw/quant/activations/step_ladder.hpp"
#include "sw/quant/plan/fixed_point.hpp"
#include "sw/quant/plan/quantized_convolution.hpp"
#include "sw/train/batches.hpp"

namespace abacus::quant {
namespace {

constexpr std::int64_t images_a_batch = 50;
// Wide enough that no accumulator saturates: what is compared are the grids.
constexpr network::AccumulatorFormat accumulators = {32, 16};

// What one image adds to a layer.
struct LayerOfImage {
  double output_norm = 0, output_error = 0;
  double step_factor = 1, input_norm = 0, input_error = 0;
  std::vector<std::int64_t> levels, stored, quantized;
  std::vector<double> tried_errors;  // squared, by step tried
};

bool is_quantized(const network::IntegerLayer& layer) {
  return layer.kind == network::IntegerLayerKind::convolution && !layer.edge &&
         layer.activation_bits > 1 && layer.read_quantizers.size() == 1;
}

int lowest_operand(const network::IntegerLayer& layer) {
  return lowest_integer(layer.activation_bits, layer.activation_signed);
}

std::size_t operand_count(const network::IntegerLayer& layer) {
  return std::size_t{1} << static_cast<unsigned>(layer.activation_bits);
}

std::size_t bin_of(std::int64_t value, std::int64_t lowest, std::size_t bins) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(value - lowest, 0, static_cast<std::int64_t>(bins) - 1));
}

void compare_output(const network::StoredTensor& tensor, const std::vector<std::int32_t>& integers,
                    const float* real, LayerOfImage& of) {
  double norm = 0, error = 0;
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const double x = real[i];
    const double difference = x - tensor.scale * integers[i];
    norm += x * x;
    error += difference * difference;
  }
  of.output_norm = std::sqrt(norm);
  of.output_error = std::sqrt(error);
}

// docs/arithmetic.md, "Convolution", step 1.
void compare_input(const network::IntegerLayer& layer, const network::StoredTensor& tensor,
                   const std::vector<std::int32_t>& integers, const network::StepResult& adapted,
                   LayerOfImage& of) {
  network::ReadQuantizer quantizer = layer.read_quantizers.front();
  if (layer.adapter) {
    quantizer.multiplier = adapted.read_multiplier;
    of.step_factor = std::ldexp(adapted.factor, -network::step_factor_bits);
  }
  const std::int64_t lowest = lowest_operand(layer);
  const std::int64_t highest = lowest + static_cast<std::int64_t>(operand_count(layer)) - 1;
  const std::int64_t half =
      quantizer.shift == 0 ? 0 : std::int64_t{1} << static_cast<unsigned>(quantizer.shift - 1);
  const double stored_integers_a_level = 1 / ratio(quantizer);
  of.levels.assign(operand_count(layer), 0);
  of.stored.assign(static_cast<std::size_t>(tensor.highest() - tensor.lowest() + 1), 0);
  of.quantized = of.stored;
  double norm = 0, error = 0;
  for (const std::int32_t v : integers) {
    const std::int64_t product = std::int64_t{v} * quantizer.multiplier + half;
    const std::int64_t operand = std::clamp(product >> quantizer.shift, lowest, highest);
    const double back = static_cast<double>(operand) * stored_integers_a_level;
    norm += static_cast<double>(v) * v;
    error += (v - back) * (v - back);
    ++of.levels[bin_of(operand, lowest, of.levels.size())];
    ++of.stored[bin_of(v, tensor.lowest(), of.stored.size())];
    ++of.quantized[bin_of(std::lround(back), tensor.lowest(), of.stored.size())];
  }
  of.input_norm = tensor.scale * std::sqrt(norm);
  of.input_error = tensor.scale * std::sqrt(error);
  const double step = 1 / ratio(layer.read_quantizers.front());
  of.tried_errors = errors_of_tried_steps(of.stored, tensor.lowest(), step,
                                          static_cast<int>(lowest), static_cast<int>(highest));
  for (double& squares : of.tried_errors) squares *= tensor.scale * tensor.scale;
}

void add_counts(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

std::vector<ComparedLayer> empty_comparison(const network::IntegerNetwork& package) {
  std::vector<ComparedLayer> compared(package.layers.size());
  for (std::size_t i = 0; i < compared.size(); ++i) {
    const network::IntegerLayer& layer = package.layers[i];
    ComparedLayer& of = compared[i];
    of.name = layer.name;
    of.has_residual = layer.residual != network::no_tensor;
    of.quantizes = is_quantized(layer);
    if (!of.quantizes) continue;
    const network::StoredTensor& tensor = package.tensor(layer.input);
    const std::size_t bins = static_cast<std::size_t>(tensor.highest() - tensor.lowest() + 1);
    of.lowest_level = lowest_operand(layer);
    of.step = tensor.scale / ratio(layer.read_quantizers.front());
    of.levels = {of.lowest_level - 0.5, 1, std::vector<std::int64_t>(operand_count(layer), 0)};
    of.stored = {(tensor.lowest() - 0.5) * tensor.scale, tensor.scale,
                 std::vector<std::int64_t>(bins, 0)};
    of.quantized = of.stored;
  }
  return compared;
}

// Of one layer: what each step tried has lost so far.
struct Hindsight {
  std::vector<double> sums = std::vector<double>(tried_step_count, 0);  // of squares
  std::vector<ImageStatistics> errors = std::vector<ImageStatistics>(tried_step_count);
};

void add(Hindsight& to, ComparedLayer& layer, const std::vector<double>& squares) {
  for (std::size_t i = 0; i < tried_step_count; ++i) {
    to.sums[i] += squares[i];
    to.errors[i].add(std::sqrt(squares[i]));
  }
  const std::size_t own = least_error(squares);
  layer.own_step_error.add(std::sqrt(squares[own]));
  layer.own_step_factor.add(tried_factor(own));
}

void add(ComparedLayer& to, const LayerOfImage& from) {
  to.output_norm.add(from.output_norm);
  to.output_error.add(from.output_error);
  if (!to.quantizes) return;
  to.step_factor.add(from.step_factor);
  to.input_norm.add(from.input_norm);
  to.input_error.add(from.input_error);
  to.levels_used.add(static_cast<double>(
      std::count_if(from.levels.begin(), from.levels.end(), [](auto n) { return n != 0; })));
  add_counts(to.levels.counts, from.levels);
  add_counts(to.stored.counts, from.stored);
  add_counts(to.quantized.counts, from.quantized);
}

// By the network's layer: the package's layer that stores its output.
std::map<int, std::size_t> matched(const network::IntegerNetwork& package,
                                   const network::Network& network) {
  const std::vector<network::FoldedLayer> folded = network::fold_graph(network);
  std::map<int, std::size_t> stored_by;
  for (std::size_t i = 0; i < std::max(folded.size(), package.layers.size()); ++i) {
    const std::string here = i < package.layers.size() ? package.layers[i].name : "no layer";
    const std::string there = i < folded.size() ? folded[i].name : "no layer";
    const bool same =
        here == there && package.layers[i].output.shape ==
                             network.layers[static_cast<std::size_t>(folded[i].output)].output;
    if (!same) {
      throw std::invalid_argument("layer " + std::to_string(i) + " of the package is " + here +
                                  ", of the float network " + there +
                                  (here == there ? " with another output" : ""));
    }
    stored_by[folded[i].output] = i;
  }
  return stored_by;
}

}  // namespace

void ImageStatistics::add(double value) {
  lowest_ = count_ == 0 ? value : std::min(lowest_, value);
  highest_ = count_ == 0 ? value : std::max(highest_, value);
  ++count_;
  const double before = value - mean_;  // Welford's recurrence
  mean_ += before / static_cast<double>(count_);
  squares_ += before * (value - mean_);
}

double ImageStatistics::deviation() const {
  return count_ < 2 ? 0 : std::sqrt(squares_ / static_cast<double>(count_ - 1));
}

std::vector<ComparedLayer> compare_activations(const network::IntegerNetwork& package,
                                               train::FloatNetwork& network,
                                               const network::Normalization& normalization,
                                               const network::Dataset& images,
                                               const std::function<void(std::int64_t)>& done) {
  network::check_image_shape("package", package.image.shape, images);
  network::check_image_shape("checkpoint", network.network().input, images);
  const std::map<int, std::size_t> stored_by = matched(package, network.network());
  std::vector<ComparedLayer> compared = empty_comparison(package);
  std::vector<Hindsight> hindsight(compared.size());
  torch::NoGradGuard no_gradient;
  const train::BatchNormMode mode = network.batch_norm_mode();
  network.set_batch_norm_mode(train::BatchNormMode::inference);
  for (std::int64_t first = 0; first < images.count(); first += images_a_batch) {
    const std::int64_t size = std::min(images_a_batch, images.count() - first);
    std::vector<torch::Tensor> real(package.layers.size());  // image, height, width, channel
    train::ForwardHooks hooks;
    hooks.after = [&](int layer, torch::Tensor& output) {
      const auto found = stored_by.find(layer);
      if (found != stored_by.end()) {
        real[found->second] = output.permute({0, 2, 3, 1}).contiguous();
      }
    };
    network.forward(train::make_batch(images, normalization, first, size).images, hooks);

    std::vector<std::vector<LayerOfImage>> of_images(static_cast<std::size_t>(size));
    at::parallel_for(0, size, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const std::vector<std::int16_t> image =
            network::quantize_image(package, images.image_data(first + n));
        const std::vector<std::int32_t> image_values(image.begin(), image.end());
        const network::ReferenceResult result =
            network::execute_reference(package, image, accumulators, accumulators);
        std::vector<LayerOfImage> of_image(package.layers.size());
        for (std::size_t i = 0; i < package.layers.size(); ++i) {
          const network::IntegerLayer& layer = package.layers[i];
          const std::int64_t elements = layer.output.shape.elements();
          compare_output(layer.output, result.outputs[i], real[i].data_ptr<float>() + n * elements,
                         of_image[i]);
          if (!is_quantized(layer)) continue;
          compare_input(layer, package.tensor(layer.input),
                        layer.input == network::image_tensor
                            ? image_values
                            : result.outputs[static_cast<std::size_t>(layer.input)],
                        result.steps[i], of_image[i]);
        }
        of_images[static_cast<std::size_t>(n)] = std::move(of_image);
      }
    });
    // In the images' order, so that the sums do not depend on the number of threads.
    for (const std::vector<LayerOfImage>& of_image : of_images) {
      for (std::size_t i = 0; i < compared.size(); ++i) {
        add(compared[i], of_image[i]);
        if (compared[i].quantizes) add(hindsight[i], compared[i], of_image[i].tried_errors);
      }
    }
    if (done) done(first + size);
  }
  for (std::size_t i = 0; i < compared.size(); ++i) {
    if (!compared[i].quantizes) continue;
    compared[i].common_step_error = hindsight[i].errors[least_error(hindsight[i].sums)];
  }
  network.set_batch_norm_mode(mode);
  return compared;
}

}  // namespace abacus::quant
