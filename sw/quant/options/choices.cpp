#include "sw/quant/options/choices.hpp"

namespace abacus::quant {

const std::vector<std::string>& batch_norm_estimation_names() {
  static const std::vector<std::string> names = {"kept", "estimated", "corrected", "fitted"};
  return names;
}

const std::vector<std::string>& group_method_names() {
  static const std::vector<std::string> names = {"max", "mean", "all", "uniform"};
  return names;
}

const std::vector<std::string>& activation_range_names() {
  static const std::vector<std::string> names = {"percentile", "alpha-max"};
  return names;
}

const std::vector<std::string>& shared_scale_names() {
  static const std::vector<std::string> names = {"activations", "weights"};
  return names;
}

const std::vector<std::string>& range_search_names() {
  static const std::vector<std::string> names = {"none", "output-error"};
  return names;
}

const std::vector<std::string>& weight_rounding_names() {
  static const std::vector<std::string> names = {"nearest", "output-error"};
  return names;
}

const std::vector<std::string>& reconstruction_names() {
  static const std::vector<std::string> names = {"none", "block", "network"};
  return names;
}

}  // namespace abacus::quant
