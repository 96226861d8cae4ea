// What a quantization scheme says of itself: a row, which stands in a file of its own in
// sw/quant/schemes/. Everything that asks about a scheme asks its row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/options/option_table.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/plan/quantized_network.hpp"

namespace abacus::quant {

struct LayerToPlan;       // sw/quant/calibrate/make_plan.hpp
struct QuantizationWork;  // sw/quant/schemes/stages.hpp

struct QuantizationScheme {
  std::string name;                                           // "adderquant-ptq"
  network::Arithmetic arithmetic = network::Arithmetic::cnn;  // of the networks that it is for
  // Where that is for the options to say; none: always `arithmetic`.
  std::function<network::Arithmetic(const CompletedOptions&)> arithmetic_by;
  std::string networks;  // those, in words
  std::string summary;   // one line for the documentation
  std::vector<TakenQuantizationOption> options;
  // Of one convolution between the edges. Throws std::invalid_argument as make_plan() does.
  std::function<ConvolutionPlan(const LayerToPlan&, const CompletedOptions&)> plan;
  // From the plan to the network on its grids, with everything that is adjusted or learned.
  std::function<QuantizedNetwork(const QuantizationWork&, QuantizationPlan)> realize;
  // Throws std::invalid_argument for options that do not go together; none: all do.
  std::function<void(const CompletedOptions&)> check;
  // Whether `abacus-train qat` can start from its plan.
  bool trains = false;

  // The options that a user may give, or null where it is none of them.
  const TakenQuantizationOption* find(const QuantizationOption& option) const;
};

// All of them, in the order of help and documentation; sw/quant/schemes/registry.cpp lists them.
const std::vector<QuantizationScheme>& quantization_schemes();
std::vector<std::string> quantization_scheme_names();

// Throws std::invalid_argument naming the text and the allowed values; so does the next.
const QuantizationScheme& find_scheme(const std::string& name);

// Training's name of a scheme that it can start from has no "-ptq": "adderquant", "qssf",
// "nonnegative", "uniform".
std::string training_name(const QuantizationScheme& scheme);
std::vector<std::string> training_scheme_names();
const QuantizationScheme& find_training_scheme(const std::string& name);

// The schemes that take an option, by name.
std::vector<std::string> schemes_with(const QuantizationOption& option);

// Throws std::invalid_argument naming `source` (the checkpoint's file), scheme and arithmetic if the
// scheme is not for the checkpoint's kind of network.
void check_scheme(const CompletedOptions& options, const network::Checkpoint& checkpoint,
                  const std::string& source);

}  // namespace abacus::quant
