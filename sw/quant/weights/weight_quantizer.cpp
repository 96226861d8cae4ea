#include "sw/quant/weights/weight_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "sw/quant/weights/level_sets.hpp"
#include "sw/quant/weights/lq_net.hpp"

namespace abacus::quant {
namespace {

constexpr double apot_start = 3;
constexpr int basis_rounds = 20;
constexpr double smallest = 1e-12;  // of what is divided by

// SAWB's c₁ and c₂, fitted by its authors to the best ranges of several distributions. Those of 8 bits
// are for levels with a 0.
const std::map<int, std::pair<double, double>>& sawb_coefficients() {
  static const std::map<int, std::pair<double, double>> coefficients = {{2, {3.212, -2.178}},
                                                                        {3, {7.509, -6.892}},
                                                                        {4, {12.68, -12.80}},
                                                                        {5, {17.74, -18.64}},
                                                                        {8, {31.76, -35.04}}};
  return coefficients;
}

// Odd integers of 8 bits' levels would need 9.
bool zero_free(int bits) { return bits < 8; }

// The levels times their denominator, ascending.
std::vector<int> integer_levels(const std::vector<double>& levels, double denominator) {
  std::vector<int> result;
  for (const double level : levels) {
    result.push_back(static_cast<int>(std::lround(level * denominator)));
  }
  return result;
}

int bits_of(const std::vector<int>& levels) {
  int bits = 2;
  while (levels.front() < -(1 << (bits - 1)) || levels.back() > (1 << (bits - 1)) - 1) ++bits;
  return bits;
}

// A layer's weights, channel after channel.
class Layer {
 public:
  Layer(const std::vector<float>& weights, int output_channels)
      : weights_(weights), channels_(static_cast<std::size_t>(output_channels)) {
    if (output_channels < 1 || weights.empty() || weights.size() % channels_ != 0) {
      throw std::invalid_argument("number of weights is " + std::to_string(weights.size()) +
                                  "; allowed: a multiple of the " +
                                  std::to_string(output_channels) + " output channels");
    }
    size_ = weights.size() / channels_;
  }

  std::size_t channels() const { return channels_; }
  std::size_t size() const { return size_; }  // of a channel
  const float* channel(std::size_t o) const { return weights_.data() + o * size_; }

  // Each weight over its channel's step to the nearest of `levels`, which are `stored`.
  void round(const std::vector<double>& levels, const std::vector<int>& stored, std::size_t o,
             double step, QuantizedWeights& result) const {
    for (std::size_t i = 0; i < size_; ++i) {
      const double value = static_cast<double>(channel(o)[i]) / step;
      result.stored.push_back(static_cast<std::int16_t>(stored[nearest_level(levels, value)]));
    }
  }

 private:
  const std::vector<float>& weights_;
  std::size_t channels_;
  std::size_t size_;
};

void check_parameters(const WeightPlan& plan, std::size_t expected) {
  if (plan.parameters.size() != expected) {
    throw std::invalid_argument(to_string(plan.quantizer) + ": found " +
                                std::to_string(plan.parameters.size()) + " parameters, expected " +
                                std::to_string(expected));
  }
}

double positive(const WeightPlan& plan, double step) {
  if (std::isfinite(step) && step > 0) return step;
  throw std::invalid_argument(to_string(plan.quantizer) + ": step is " + std::to_string(step) +
                              "; allowed: finite and above 0");
}

QuantizedWeights quantize_lsq(const WeightPlan& plan, const Layer& layer) {
  check_parameters(plan, layer.channels());
  QuantizedWeights result;
  result.bits = plan.bits;
  const double lowest = -(1 << (plan.bits - 1)), highest = (1 << (plan.bits - 1)) - 1;
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    const double step = positive(plan, plan.parameters[o]);
    result.step.push_back(step);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const double level = std::floor(static_cast<double>(layer.channel(o)[i]) / step + 0.5);
      result.stored.push_back(static_cast<std::int16_t>(std::clamp(level, lowest, highest)));
    }
  }
  return result;
}

// pact and dorefa: one range for the layer.
QuantizedWeights quantize_uniformly(const WeightPlan& plan, const Layer& layer, double range) {
  const std::vector<double> levels =
      zero_free(plan.bits) ? zero_free_levels(plan.bits) : uniform_levels(plan.bits);
  const int highest = zero_free(plan.bits) ? (1 << plan.bits) - 1 : default_magnitudes(plan.bits);
  const std::vector<int> stored = integer_levels(levels, highest);
  QuantizedWeights result;
  result.bits = bits_of(stored);
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    layer.round(levels, stored, o, range, result);
    result.step.push_back(range / highest);
  }
  return result;
}

QuantizedWeights quantize_dorefa(const WeightPlan& plan, const std::vector<float>& weights,
                                 int output_channels) {
  std::vector<float> squashed;
  float largest = 0;
  for (const float weight : weights) {
    squashed.push_back(std::tanh(weight));
    largest = std::max(largest, std::abs(squashed.back()));
  }
  for (float& weight : squashed) weight /= std::max(largest, static_cast<float>(smallest));
  return quantize_uniformly(plan, Layer(squashed, output_channels), 1);
}

// Code of one or two terms' exponents.
WeightCode sum_code(const std::vector<std::vector<int>>& terms) {
  WeightCode code;
  code.exponents = hw::TapKind::twice_shifted;
  code.first_exponents = {-1};
  code.second_exponents = {-1};
  const auto add = [](std::vector<int>& to, const std::vector<int>& term) {
    to.insert(to.end(), term.begin(), term.end());
  };
  add(code.first_exponents, terms[0]);
  if (terms.size() == 2) add(code.second_exponents, terms[1]);
  code.magnitudes =
      static_cast<int>(code.first_exponents.size() * code.second_exponents.size()) - 1;
  return code;
}

// What stands for each level, times `largest`.
std::vector<int> codes_of(const std::vector<double>& levels, const WeightCode& code,
                          double largest) {
  std::vector<int> codes(levels.size(), 0);
  for (int stored = -code.magnitudes; stored <= code.magnitudes; ++stored) {
    codes[nearest_level(levels, code.value(stored) / largest)] = stored;
  }
  return codes;
}

QuantizedWeights quantize_additive(const WeightPlan& plan, const std::vector<float>& weights,
                                   int output_channels) {
  check_parameters(plan, 1);
  const double range = positive(plan, plan.parameters[0]);
  const Moments of = moments(weights);
  std::vector<float> normalised;
  for (const float weight : weights) {
    normalised.push_back(
        static_cast<float>((static_cast<double>(weight) - of.mean) / of.deviation));
  }
  QuantizedWeights result;
  std::vector<int> stored;
  double largest = 0;  // what the highest level is before dividing
  const std::vector<double> levels = additive_power_of_two_levels(plan.bits);
  const std::vector<std::vector<int>> terms = additive_terms(plan.bits);
  if (terms.size() > 2) {
    int smallest_power = 0;
    for (const std::vector<int>& term : terms) {
      smallest_power = std::max(smallest_power, term.back());
    }
    for (const std::vector<int>& term : terms) {
      largest += std::ldexp(1.0, smallest_power - term.front());
    }
    stored = integer_levels(levels, largest);
    result.bits = bits_of(stored);
  } else {
    result.code = sum_code(terms);
    result.bits = plan.bits;
    for (const std::vector<int>& term : terms) largest += std::ldexp(1.0, -term.front());
    stored = codes_of(levels, result.code, largest);
  }
  const Layer layer(normalised, output_channels);
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    layer.round(levels, stored, o, range, result);
    result.step.push_back(range / largest);
  }
  return result;
}

QuantizedWeights quantize_lqnet(const WeightPlan& plan, const Layer& layer) {
  const std::size_t bits = static_cast<std::size_t>(plan.bits);
  check_parameters(plan, layer.channels() * bits);
  QuantizedWeights result;
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    const auto first = plan.parameters.begin() + static_cast<std::ptrdiff_t>(o * bits);
    const IntegerBasis basis =
        integer_basis(std::vector<double>(first, first + static_cast<std::ptrdiff_t>(bits)));
    const std::vector<int> stored = basis_sums(basis);
    const std::vector<double> levels(stored.begin(), stored.end());
    layer.round(levels, stored, o, basis.unit, result);
    result.step.push_back(basis.unit);
  }
  return result;
}

// The exponent_quantile of |w|, linear between the two values at its place.
double exponent_range(const float* weights, std::size_t count) {
  std::vector<double> magnitudes;
  for (std::size_t i = 0; i < count; ++i) {
    magnitudes.push_back(std::abs(static_cast<double>(weights[i])));
  }
  const double place = exponent_quantile * static_cast<double>(count - 1);
  const std::size_t below = static_cast<std::size_t>(place);
  const double share = place - static_cast<double>(below);
  // Training does this for every channel at every step: no more order than needed.
  const auto at = magnitudes.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(magnitudes.begin(), at, magnitudes.end());
  const double above = below + 1 < count ? *std::min_element(at + 1, magnitudes.end()) : *at;
  const double range = (1 - share) * *at + share * above;
  return range > smallest ? range : 1;
}

QuantizedWeights quantize_exponents(const WeightPlan& plan, const Layer& layer) {
  const bool root = plan.quantizer == WeightQuantizer::post;
  QuantizedWeights result;
  result.code.exponents = root ? hw::TapKind::half_shifted : hw::TapKind::shifted;
  result.code.magnitudes = plan.magnitudes > 0 ? plan.magnitudes : default_magnitudes(plan.bits);
  const std::vector<double> levels =
      root ? power_of_root_two_levels(result.code.magnitudes) : power_of_two_levels(plan.bits);
  const std::vector<int> codes = codes_of(levels, result.code, 1);
  result.bits = bits_of({-result.code.magnitudes, result.code.magnitudes});
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    result.step.push_back(plan.parameters.empty() ? exponent_range(layer.channel(o), layer.size())
                                                  : positive(plan, plan.parameters[o]));
    layer.round(levels, codes, o, result.step.back(), result);
  }
  return result;
}

}  // namespace

const std::vector<std::string>& weight_quantizer_names() {
  static const std::vector<std::string> names = {"lsq",  "pact",  "dorefa", "pot",
                                                 "apot", "lqnet", "post"};
  return names;
}

std::string to_string(WeightQuantizer quantizer) {
  return weight_quantizer_names().at(static_cast<std::size_t>(quantizer));
}

WeightQuantizer weight_quantizer_from_string(const std::string& text) {
  std::string allowed;
  for (std::size_t i = 0; i < weight_quantizer_names().size(); ++i) {
    const std::string& name = weight_quantizer_names()[i];
    if (text == name) return static_cast<WeightQuantizer>(i);
    allowed += (allowed.empty() ? "" : ", ") + name;
  }
  throw std::invalid_argument("unknown weight quantizer \"" + text + "\"; allowed: " + allowed);
}

double WeightCode::value(int stored) const {
  if (!exponents) return stored;
  if (stored == 0) return 0;
  const int magnitude = std::abs(stored);
  double value = 0;
  if (exponents == hw::TapKind::twice_shifted) {
    const std::size_t number = static_cast<std::size_t>(magnitude);
    for (const int exponent : {first_exponents.at(number % first_exponents.size()),
                               second_exponents.at(number / first_exponents.size())}) {
      if (exponent >= 0) value += std::ldexp(1.0, -exponent);
    }
  } else {
    value = std::exp2((1.0 - magnitude) / (exponents == hw::TapKind::shifted ? 1 : 2));
  }
  return stored < 0 ? -value : value;
}

void check(const WeightPlan& plan) {
  const std::string name = to_string(plan.quantizer);
  const auto refuse = [&](const std::string& what, int found, const std::string& allowed) {
    throw std::invalid_argument("weight quantizer " + name + ": " + what + " is " +
                                std::to_string(found) + "; allowed: " + allowed);
  };
  if (plan.bits < 2 || plan.bits > 8) refuse("width", plan.bits, "2 to 8 bits");
  if (plan.quantizer == WeightQuantizer::pact && sawb_coefficients().count(plan.bits) == 0) {
    refuse("width", plan.bits, "2, 3, 4, 5 or 8 bits");
  }
  if (plan.quantizer == WeightQuantizer::apot && plan.bits > 6) {
    refuse("width", plan.bits, "2 to 6 bits");
  }
  if (plan.quantizer != WeightQuantizer::post && plan.magnitudes != 0) {
    refuse("number of magnitudes", plan.magnitudes, "none, but with post");
  }
  if (plan.magnitudes < 0 || plan.magnitudes > 127) {
    refuse("number of magnitudes", plan.magnitudes, "1 to 127");
  }
}

QuantizedWeights quantize_weights(const WeightPlan& plan, const std::vector<float>& weights,
                                  int output_channels) {
  check(plan);
  const Layer layer(weights, output_channels);
  switch (plan.quantizer) {
    case WeightQuantizer::lsq:
      return quantize_lsq(plan, layer);
    case WeightQuantizer::pact:
      check_parameters(plan, 0);
      return quantize_uniformly(plan, layer, sawb_range(weights, plan.bits));
    case WeightQuantizer::dorefa:
      check_parameters(plan, 0);
      return quantize_dorefa(plan, weights, output_channels);
    case WeightQuantizer::apot:
      return quantize_additive(plan, weights, output_channels);
    case WeightQuantizer::lqnet:
      return quantize_lqnet(plan, layer);
    case WeightQuantizer::pot:
    case WeightQuantizer::post:
      if (plan.quantizer == WeightQuantizer::post || !plan.parameters.empty()) {
        check_parameters(plan, plan.quantizer == WeightQuantizer::post ? 0 : layer.channels());
      }
      return quantize_exponents(plan, layer);
  }
  throw std::logic_error("weight quantizer of no known kind");
}

std::vector<double> initial_parameters(const WeightPlan& plan, const std::vector<float>& weights,
                                       int output_channels) {
  check(plan);
  const Layer layer(weights, output_channels);
  std::vector<double> parameters;
  if (plan.quantizer == WeightQuantizer::apot) parameters.push_back(apot_start);
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    if (plan.quantizer == WeightQuantizer::lsq) {
      double sum = 0;
      for (std::size_t i = 0; i < layer.size(); ++i) {
        sum += std::abs(static_cast<double>(layer.channel(o)[i]));
      }
      const double step = 2 * sum / static_cast<double>(layer.size()) /
                          std::sqrt(static_cast<double>(default_magnitudes(plan.bits)));
      parameters.push_back(step > smallest ? step : 1);
    } else if (plan.quantizer == WeightQuantizer::lqnet) {
      const std::vector<double> basis =
          fit_basis(layer.channel(o), layer.size(),
                    uniform_basis(layer.channel(o), layer.size(), plan.bits), basis_rounds);
      parameters.insert(parameters.end(), basis.begin(), basis.end());
    }
  }
  return parameters;
}

std::vector<double> refit_bases(const WeightPlan& plan, const std::vector<float>& weights,
                                int output_channels) {
  check(plan);
  const Layer layer(weights, output_channels);
  const std::size_t bits = static_cast<std::size_t>(plan.bits);
  check_parameters(plan, layer.channels() * bits);
  std::vector<double> result;
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    const auto first = plan.parameters.begin() + static_cast<std::ptrdiff_t>(o * bits);
    const std::vector<double> basis =
        fit_basis(layer.channel(o), layer.size(),
                  std::vector<double>(first, first + static_cast<std::ptrdiff_t>(bits)), 1);
    result.insert(result.end(), basis.begin(), basis.end());
  }
  return result;
}

double sawb_range(const std::vector<float>& weights, int bits) {
  const auto [of_root, of_mean] = sawb_coefficients().at(bits);
  double squares = 0, magnitudes = 0;
  for (const float weight : weights) {
    const double value = static_cast<double>(weight);
    squares += value * value;
    magnitudes += std::abs(value);
  }
  const double count = static_cast<double>(weights.size());
  const double range = of_root * std::sqrt(squares / count) + of_mean * magnitudes / count;
  // Weights of one magnitude make the fit negative: then that magnitude is the range.
  if (range > smallest) return range;
  return magnitudes > 0 ? magnitudes / count : 1;
}

Moments moments(const std::vector<float>& weights) {
  const double count = static_cast<double>(weights.size());
  double sum = 0;
  for (const float weight : weights) sum += static_cast<double>(weight);
  Moments result;
  result.mean = sum / count;
  double squares = 0;
  for (const float weight : weights) {
    const double difference = static_cast<double>(weight) - result.mean;
    squares += difference * difference;
  }
  result.deviation = std::max(std::sqrt(squares / std::max(1.0, count - 1)), smallest);
  return result;
}

}  // namespace abacus::quant
