#include "sw/quant/options/quantization_options.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "sw/quant/options/reconstruction_options.hpp"

namespace abacus {
namespace {

struct SchemeInformation {
  QuantizationScheme scheme;
  const char* name;
  Arithmetic arithmetic;
};
constexpr SchemeInformation schemes[] = {
    {QuantizationScheme::adderquant_ptq, "adderquant-ptq", Arithmetic::adder},
    {QuantizationScheme::qssf_ptq, "qssf-ptq", Arithmetic::adder},
    {QuantizationScheme::nonnegative_ptq, "nonnegative-ptq", Arithmetic::adder},
    {QuantizationScheme::best_ptq, "best-ptq", Arithmetic::adder},
    {QuantizationScheme::uniform_ptq, "uniform-ptq", Arithmetic::cnn},
    {QuantizationScheme::brecq, "brecq", Arithmetic::cnn},
    {QuantizationScheme::pot, "pot", Arithmetic::cnn},
    {QuantizationScheme::post, "post", Arithmetic::cnn},
    {QuantizationScheme::apot, "apot", Arithmetic::cnn},
    {QuantizationScheme::bnn, "bnn", Arithmetic::bnn},
    {QuantizationScheme::shift, "shift", Arithmetic::shift},
    {QuantizationScheme::shiftaddnet, "shiftaddnet", Arithmetic::shiftaddnet},
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

// Names stand in the order of the enumeration's values.
template <typename Choice>
Choice from_name(const std::string& text, const std::vector<std::string>& names,
                 const std::string& what) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<Choice>(found - names.begin());
  throw std::invalid_argument("unknown " + what + " \"" + text + "\"; allowed: " + joined(names));
}
template <typename Choice>
std::string name_of(Choice choice, const std::vector<std::string>& names) {
  return names.at(static_cast<std::size_t>(choice));
}

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

// The options that not every scheme takes.
enum class Option {
  groups,
  group_method,
  weight_clamp,
  activation_clamp,
  activation_range,
  alpha,
  operand_grid,
  shared_scale,
  range_search,
  weight_rounding,
  reconstruction,
  reconstruction_images,
  iterations,
  temperature,
  network_iterations,
  activation_iterations,
  fraction_bits
};

bool takes(QuantizationScheme scheme, Option option) {
  if (option == Option::fraction_bits) {
    return level_quantizer(scheme).has_value() || scheme == QuantizationScheme::shift ||
           scheme == QuantizationScheme::shiftaddnet;
  }
  switch (scheme) {
    case QuantizationScheme::adderquant_ptq:
      return option != Option::shared_scale && option != Option::activation_iterations;
    case QuantizationScheme::qssf_ptq:
      return option == Option::shared_scale || option == Option::operand_grid;
    case QuantizationScheme::nonnegative_ptq:
    case QuantizationScheme::best_ptq:
      return option != Option::shared_scale && option != Option::operand_grid &&
             option != Option::weight_clamp && option != Option::activation_iterations;
    case QuantizationScheme::brecq:
      return option == Option::reconstruction_images || option == Option::iterations ||
             option == Option::activation_iterations;
    case QuantizationScheme::shiftaddnet:
      return option == Option::groups || option == Option::group_method ||
             option == Option::weight_clamp || option == Option::activation_clamp ||
             option == Option::activation_range || option == Option::alpha ||
             option == Option::operand_grid;
    case QuantizationScheme::uniform_ptq:
    case QuantizationScheme::pot:
    case QuantizationScheme::post:
    case QuantizationScheme::apot:
    case QuantizationScheme::bnn:
    case QuantizationScheme::shift:
      return false;
  }
  throw std::logic_error("quantization scheme without options");
}

template <typename Value>
void refuse_surplus(const std::optional<Value>& value, QuantizationScheme scheme, Option option,
                    const std::string& name) {
  if (!value.has_value() || takes(scheme, option)) return;
  std::vector<std::string> others;
  for (const SchemeInformation& entry : schemes) {
    if (takes(entry.scheme, option)) others.emplace_back(entry.name);
  }
  throw std::invalid_argument(name + " is no option of scheme " + to_string(scheme) +
                              "; allowed with: " + joined(others));
}

template <typename Value>
void set_default(std::optional<Value>& value, QuantizationScheme scheme, Option option,
                 const Value& fallback) {
  if (!takes(scheme, option)) {
    value.reset();
  } else if (!value.has_value()) {
    value = fallback;
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
  return from_name<QuantizationScheme>(text, quantization_scheme_names(), "quantization scheme");
}

std::optional<WeightQuantizer> level_quantizer(QuantizationScheme scheme) {
  switch (scheme) {
    case QuantizationScheme::pot:
      return WeightQuantizer::pot;
    case QuantizationScheme::post:
      return WeightQuantizer::post;
    case QuantizationScheme::apot:
      return WeightQuantizer::apot;
    default:
      return std::nullopt;
  }
}

const std::vector<std::string>& batch_norm_estimation_names() {
  static const std::vector<std::string> names = {"kept", "estimated", "corrected", "fitted"};
  return names;
}
BatchNormEstimation batch_norm_estimation_from_string(const std::string& text) {
  return from_name<BatchNormEstimation>(text, batch_norm_estimation_names(),
                                        "BatchNorm estimation");
}
std::string to_string(BatchNormEstimation choice) {
  return name_of(choice, batch_norm_estimation_names());
}

const std::vector<std::string>& group_method_names() {
  static const std::vector<std::string> names = {"max", "mean", "all", "uniform"};
  return names;
}
GroupMethod group_method_from_string(const std::string& text) {
  return from_name<GroupMethod>(text, group_method_names(), "group method");
}
std::string to_string(GroupMethod choice) { return name_of(choice, group_method_names()); }

const std::vector<std::string>& activation_range_names() {
  static const std::vector<std::string> names = {"percentile", "alpha-max"};
  return names;
}
ActivationRange activation_range_from_string(const std::string& text) {
  return from_name<ActivationRange>(text, activation_range_names(), "activation range");
}
std::string to_string(ActivationRange choice) { return name_of(choice, activation_range_names()); }

const std::vector<std::string>& shared_scale_names() {
  static const std::vector<std::string> names = {"activations", "weights"};
  return names;
}
SharedScale shared_scale_from_string(const std::string& text) {
  return from_name<SharedScale>(text, shared_scale_names(), "shared scale");
}
std::string to_string(SharedScale choice) { return name_of(choice, shared_scale_names()); }

const std::vector<std::string>& range_search_names() {
  static const std::vector<std::string> names = {"none", "output-error"};
  return names;
}
RangeSearch range_search_from_string(const std::string& text) {
  return from_name<RangeSearch>(text, range_search_names(), "range search");
}
std::string to_string(RangeSearch choice) { return name_of(choice, range_search_names()); }

const std::vector<std::string>& weight_rounding_names() {
  static const std::vector<std::string> names = {"nearest", "output-error"};
  return names;
}
WeightRounding weight_rounding_from_string(const std::string& text) {
  return from_name<WeightRounding>(text, weight_rounding_names(), "weight rounding");
}
std::string to_string(WeightRounding choice) { return name_of(choice, weight_rounding_names()); }

const std::vector<std::string>& reconstruction_names() {
  static const std::vector<std::string> names = {"none", "block", "network"};
  return names;
}
Reconstruction reconstruction_from_string(const std::string& text) {
  return from_name<Reconstruction>(text, reconstruction_names(), "reconstruction");
}
std::string to_string(Reconstruction choice) { return name_of(choice, reconstruction_names()); }

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

QuantizationOptions with_defaults(QuantizationOptions options) {
  const QuantizationScheme scheme = options.scheme;
  const bool nonnegative =
      scheme == QuantizationScheme::nonnegative_ptq || scheme == QuantizationScheme::best_ptq;
  const bool best = scheme == QuantizationScheme::best_ptq;
  if (!options.batch_norm.has_value()) {
    options.batch_norm = scheme == QuantizationScheme::brecq ? BatchNormEstimation::kept
                         : best                              ? BatchNormEstimation::corrected
                                                             : BatchNormEstimation::estimated;
  }
  set_default(options.groups, scheme, Option::groups, nonnegative ? 1 : 4);
  set_default(options.group_method, scheme, Option::group_method, GroupMethod::max);
  set_default(options.weight_clamp, scheme, Option::weight_clamp, true);
  set_default(options.activation_clamp, scheme, Option::activation_clamp, true);
  set_default(options.activation_range, scheme, Option::activation_range,
              ActivationRange::percentile);
  set_default(options.alpha, scheme, Option::alpha, default_alpha(options.activation_bits));
  set_default(options.operand_grid, scheme, Option::operand_grid,
              scheme == QuantizationScheme::qssf_ptq ? OperandGrid::symmetric
                                                     : OperandGrid::unsigned_activations);
  set_default(options.shared_scale, scheme, Option::shared_scale, SharedScale::activations);
  set_default(options.range_search, scheme, Option::range_search,
              nonnegative ? RangeSearch::output_error : RangeSearch::none);
  set_default(options.weight_rounding, scheme, Option::weight_rounding, WeightRounding::nearest);
  set_default(
      options.reconstruction, scheme, Option::reconstruction,
      best && options.activation_bits <= 4 ? Reconstruction::network : Reconstruction::none);
  const bool brecq = scheme == QuantizationScheme::brecq;
  if (brecq || options.reconstruction == Reconstruction::block) {
    const ReconstructionOptions adder;
    const BrecqOptions ordinary;
    set_default(options.reconstruction_images, scheme, Option::reconstruction_images,
                brecq ? ordinary.images : adder.images);
    set_default(options.iterations, scheme, Option::iterations,
                brecq ? ordinary.iterations : adder.iterations);
    set_default(options.network_iterations, scheme, Option::network_iterations,
                adder.network_iterations);
    set_default(options.activation_iterations, scheme, Option::activation_iterations,
                ordinary.activation_iterations);
  } else if (options.reconstruction == Reconstruction::network) {
    const NetworkReconstructionOptions network;
    set_default(options.reconstruction_images, scheme, Option::reconstruction_images,
                network.images);
    set_default(options.iterations, scheme, Option::iterations, network.iterations);
    set_default(options.temperature, scheme, Option::temperature, network.temperature);
  }
  return options;
}

void check(const QuantizationOptions& options) {
  const auto range = [](const std::string& name, std::int64_t value, std::int64_t lowest,
                        std::int64_t highest) {
    if (value < lowest || value > highest) {
      throw std::invalid_argument(name + " is " + std::to_string(value) + "; allowed: " +
                                  std::to_string(lowest) + " to " + std::to_string(highest));
    }
  };
  const QuantizationScheme scheme = options.scheme;
  // Of uniform-ptq, training's own quantizers decide (check_quantizers()).
  if (scheme != QuantizationScheme::uniform_ptq) {
    refuse_surplus(options.fraction_bits, scheme, Option::fraction_bits, "fraction bits");
  }
  refuse_surplus(options.groups, scheme, Option::groups, "groups");
  refuse_surplus(options.group_method, scheme, Option::group_method, "group method");
  refuse_surplus(options.weight_clamp, scheme, Option::weight_clamp, "weight clamp");
  refuse_surplus(options.activation_clamp, scheme, Option::activation_clamp, "activation clamp");
  refuse_surplus(options.activation_range, scheme, Option::activation_range, "activation range");
  refuse_surplus(options.alpha, scheme, Option::alpha, "alpha");
  refuse_surplus(options.operand_grid, scheme, Option::operand_grid, "operand grid");
  refuse_surplus(options.shared_scale, scheme, Option::shared_scale, "shared scale");
  refuse_surplus(options.range_search, scheme, Option::range_search, "range search");
  refuse_surplus(options.weight_rounding, scheme, Option::weight_rounding, "weight rounding");
  refuse_surplus(options.reconstruction, scheme, Option::reconstruction, "reconstruction");
  refuse_surplus(options.reconstruction_images, scheme, Option::reconstruction_images,
                 "reconstruction images");
  refuse_surplus(options.iterations, scheme, Option::iterations, "iterations");
  refuse_surplus(options.temperature, scheme, Option::temperature, "temperature");
  refuse_surplus(options.network_iterations, scheme, Option::network_iterations,
                 "network iterations");
  refuse_surplus(options.activation_iterations, scheme, Option::activation_iterations,
                 "activation iterations");
  const Reconstruction reconstruction =
      with_defaults(options).reconstruction.value_or(Reconstruction::none);
  if (scheme == QuantizationScheme::brecq) {
    check(brecq_options(options));
  } else if (reconstruction == Reconstruction::block) {
    check(reconstruction_options(options));
  } else if (reconstruction == Reconstruction::network) {
    check(network_reconstruction_options(options));
    const BatchNormEstimation estimation = *with_defaults(options).batch_norm;
    if (estimation != BatchNormEstimation::estimated &&
        estimation != BatchNormEstimation::corrected) {
      throw std::invalid_argument(
          "bn is " + to_string(estimation) +
          "; allowed with the reconstruction of the network: estimated, corrected");
    }
    // The weights that it learns are rounded to the nearest level at the end.
    if (options.weight_rounding == WeightRounding::output_error) {
      throw std::invalid_argument("weight rounding is " + to_string(*options.weight_rounding) +
                                  "; allowed with the reconstruction of the network: nearest");
    }
  }
  const bool any = scheme == QuantizationScheme::brecq || reconstruction != Reconstruction::none;
  for (const auto& [name, given, allowed, with] :
       {std::tuple<const char*, bool, bool, const char*>{"reconstruction images",
                                                         options.reconstruction_images.has_value(),
                                                         any, "block, network"},
        {"iterations", options.iterations.has_value(), any, "block, network"},
        {"temperature", options.temperature.has_value(), reconstruction == Reconstruction::network,
         "network"},
        {"network iterations", options.network_iterations.has_value(),
         reconstruction == Reconstruction::block, "block"}}) {
    if (given && !allowed) {
      throw std::invalid_argument(
          std::string(name) + " given without a reconstruction that has it; allowed with: " + with);
    }
  }

  if (const std::optional<WeightQuantizer> quantizer = level_quantizer(scheme)) {
    check(WeightPlan{*quantizer, options.weight_bits, 0, {}});
  }
  const bool binary = scheme == QuantizationScheme::bnn;
  const std::string of_bnn = binary ? " of scheme bnn" : "";
  range("weight bits" + of_bnn, options.weight_bits, binary ? 1 : 2, binary ? 1 : 8);
  range("activation bits" + of_bnn, options.activation_bits, binary ? 1 : 2, binary ? 1 : 8);
  range("storage bits", options.storage_bits, 2, 16);
  range("fraction bits", options.fraction_bits.value_or(default_fraction_bits), 2,
        scheme == QuantizationScheme::post ? largest_table_fraction_bits : largest_fraction_bits);
  range("groups", options.groups.value_or(1), 1, 64);
  range("calibration images", options.calibration_images, 1, 1'000'000);
  if (with_defaults(options).batch_norm != BatchNormEstimation::kept) {
    range("BatchNorm images", options.batch_norm_images, 2, 1'000'000);
  }
  const double alpha = options.alpha.value_or(1);
  if (!(alpha > 0 && alpha <= 1)) {
    throw std::invalid_argument("alpha is " + number_text(alpha) + "; allowed: above 0, at most 1");
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

std::string to_string(const QuantizationOptions& given) {
  const QuantizationOptions options = with_defaults(given);
  std::ostringstream text;
  text << "version=2 scheme=" << to_string(options.scheme) << " weight-bits=" << options.weight_bits
       << " activation-bits=" << options.activation_bits << " storage-bits=" << options.storage_bits
       << " batch-norm=" << to_string(*options.batch_norm)
       << " calibration-images=" << options.calibration_images
       << " bn-images=" << options.batch_norm_images
       << " crop-padding=" << options.augmentation.padding << " flip=" << options.augmentation.flip
       << " seed=" << options.seed;
  if (options.groups) text << " groups=" << *options.groups;
  if (options.group_method) text << " group-method=" << to_string(*options.group_method);
  if (options.weight_clamp) text << " weight-clamp=" << *options.weight_clamp;
  if (options.activation_clamp) text << " activation-clamp=" << *options.activation_clamp;
  if (options.activation_range) {
    text << " activation-range=" << to_string(*options.activation_range);
  }
  if (options.alpha) text << " alpha=" << number_text(*options.alpha);
  if (options.operand_grid) text << " operand-grid=" << to_string(*options.operand_grid);
  if (options.shared_scale) text << " shared-scale=" << to_string(*options.shared_scale);
  if (options.range_search) text << " range-search=" << to_string(*options.range_search);
  if (options.weight_rounding) text << " weight-rounding=" << to_string(*options.weight_rounding);
  if (options.reconstruction) text << " reconstruction=" << to_string(*options.reconstruction);
  const auto count = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) text << ' ' << name << '=' << *value;
  };
  count("reconstruction-images", options.reconstruction_images);
  count("iterations", options.iterations);
  if (options.temperature) text << " temperature=" << number_text(*options.temperature);
  count("network-iterations", options.network_iterations);
  count("activation-iterations", options.activation_iterations);
  if (options.fraction_bits) text << " fraction-bits=" << *options.fraction_bits;
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

}  // namespace abacus
