#include "sw/quant/qat/qat_quantizers.hpp"

#include <cstddef>
#include <stdexcept>

#include "sw/network/integer_limits.hpp"

namespace abacus::quant {
namespace {

const std::vector<std::string>& step_start_names() {
  static const std::vector<std::string> names = {"lsq", "mse"};
  return names;
}

const std::vector<std::string>& adapter_start_names() {
  static const std::vector<std::string> names = {"one", "fitted"};
  return names;
}

namespace quantizer_option {

template <typename T>
using Integer = IntegerOption<QuantizerValues, T>;
template <typename T>
using Choice = ChoiceOption<QuantizerValues, T>;

constexpr Choice<WeightQuantizer> weights{
    {"weight-quantizer", "how weights are quantized and learned"},
    {&AskedQuantizers::weights, &QatQuantizers::weights},
    weight_quantizer_names};
constexpr Choice<ActivationQuantizer> activations{
    {"activation-quantizer", "how activations are quantized and learned"},
    {&AskedQuantizers::activations, &QatQuantizers::activations},
    activation_quantizer_names};
constexpr Choice<StepStart> step_start{{"step-start",
                                        "where steps of `lsq` and `asq` start: that paper's rule, "
                                        "or the least mean squared error, for "
                                        "short trainings"},
                                       {&AskedQuantizers::step_start, &QatQuantizers::step_start},
                                       step_start_names};
constexpr Choice<AdapterStart> adapter_start{
    {"adapter-start",
     "where adapters start: the authors', at about 1 whatever the image, or where the calibration "
     "images lose least, for short trainings"},
    {&AskedQuantizers::adapter_start, &QatQuantizers::adapter_start},
    adapter_start_names};
constexpr Integer<int> magnitudes{{"post-levels", "magnitudes beside 0"},
                                  {&AskedQuantizers::magnitudes, &QatQuantizers::magnitudes},
                                  {1, 127}};
constexpr Integer<int> fraction_bits{
    {"fraction-bits",
     "of the taps, at most; of `post` just so many. The array must keep as many "
     "(`array.fraction_bits`)",
     "bits"},
    {&AskedQuantizers::fraction_bits, &QatQuantizers::fraction_bits},
    {2, network::largest_fraction_bits}};

}  // namespace quantizer_option

// A default that stands for none of the values to be asked for.
Usual<QuantizerValues, int> by_the_weights(const std::string& words) {
  return {[](const QatQuantizers&) { return 0; }, words};
}

}  // namespace

std::string to_string(StepStart start) { return quantizer_option::step_start.text_of(start); }
std::string to_string(AdapterStart start) { return quantizer_option::adapter_start.text_of(start); }

std::string to_string(const QatQuantizers& quantizers) {
  return to_string(quantizers.weights) + "-" + to_string(quantizers.activations);
}

bool has_step_start(const QatQuantizers& quantizers) {
  return quantizers.weights == WeightQuantizer::lsq ||
         quantizers.activations == ActivationQuantizer::lsq ||
         quantizers.activations == ActivationQuantizer::asq;
}

bool has_fraction(const QatQuantizers& quantizers) {
  return quantizers.weights == WeightQuantizer::pot ||
         quantizers.weights == WeightQuantizer::post || quantizers.weights == WeightQuantizer::apot;
}

const std::vector<TakenOption<QuantizerValues>>& quantizer_options() {
  static const std::vector<TakenOption<QuantizerValues>> rows = {
      takes(quantizer_option::weights, WeightQuantizer::lsq),
      takes(quantizer_option::activations, ActivationQuantizer::lsq),
      takes(quantizer_option::step_start, StepStart::lsq)
          .when(
              has_step_start,
              "--weight-quantizer lsq, --activation-quantizer lsq and --activation-quantizer asq"),
      takes(quantizer_option::adapter_start, AdapterStart::one)
          .when([](const QatQuantizers& q) { return q.activations == ActivationQuantizer::asq; },
                "--activation-quantizer asq"),
      takes(quantizer_option::magnitudes,
            by_the_weights("as many as the width holds: 2^(bits - 1) - 1"))
          .when([](const QatQuantizers& q) { return q.weights == WeightQuantizer::post; },
                "--weight-quantizer post"),
      takes(
          quantizer_option::fraction_bits,
          by_the_weights("8; of post as many as its longest shift drops: 3 up to 4 weight bits, 7 "
                         "at 5, else 8"))
          .when(has_fraction, "--weight-quantizer pot, post and apot")};
  return rows;
}

std::optional<QatQuantizers> complete(const AskedQuantizers& asked) {
  QatQuantizers completed;
  const bool any = asked.weights.has_value() || asked.activations.has_value();
  for (const TakenOption<QuantizerValues>& taken : quantizer_options()) {
    if (any && taken.applies(completed)) {
      taken.complete(asked, completed);
    } else if (taken.option->is_asked(asked)) {
      throw std::invalid_argument(taken.option->flag() + " given " +
                                  (any ? "with quantizers " + to_string(completed)
                                       : std::string("without quantizers that learn")) +
                                  "; allowed with " + taken.with);
    }
  }
  if (!any) return std::nullopt;
  if (completed.weights == WeightQuantizer::post &&
      completed.fraction_bits > network::largest_table_fraction_bits) {
    throw std::invalid_argument(quantizer_option::fraction_bits.flag() + " is " +
                                quantizer_option::fraction_bits.text(completed) +
                                "; allowed with --weight-quantizer post: 2 to " +
                                std::to_string(network::largest_table_fraction_bits) +
                                ", as a lookup table has");
  }
  return completed;
}

void set_quantizers(QuantizationPlan& plan, const network::Checkpoint& checkpoint,
                    const std::vector<network::FoldedLayer>& folded,
                    const std::vector<double>& mean_magnitudes, const QatQuantizers& quantizers,
                    std::uint64_t seed) {
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const network::Layer& layer =
        checkpoint.network.layers[static_cast<std::size_t>(folded[i].layer)];
    if (!layer.is<network::Convolution>() || layer.convolution().edge) continue;
    ConvolutionPlan& of = plan.convolutions[i];
    WeightPlan weights{quantizers.weights, of.weight_bits, quantizers.magnitudes, {}};
    const bool from_rule = quantizers.step_start == StepStart::lsq;
    if (quantizers.weights == WeightQuantizer::lsq && !from_rule) {
      weights.parameters = of.weight_step;
    } else {
      weights.parameters =
          initial_parameters(weights, checkpoint.tensors.at(layer.name + ".weight").values<float>(),
                             layer.output.channels);
    }
    of.weights = weights;
    of.fraction_bits = quantizers.fraction_bits;
    of.activations = quantizers.activations;
    const bool adapts = quantizers.activations == ActivationQuantizer::asq;
    if (adapts) of.adapter = initial_adapter(layer.input.channels, seed << 16 | i);
    if (folded[i].input == network::image_tensor || !from_rule) continue;
    const std::size_t input = static_cast<std::size_t>(folded[i].input);
    // Operands as wide as what is stored pass through as they are.
    const bool narrower = of.activation_bits < plan.outputs[input].bits;
    if (adapts || (narrower && quantizers.activations == ActivationQuantizer::lsq)) {
      of.activation_step = lsq_start(mean_magnitudes[input],
                                     highest_integer(of.activation_bits, of.activation_signed));
    }
  }
}

}  // namespace abacus::quant
