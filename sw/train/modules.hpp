// A Network of sw/network as a libtorch computation: parameters, forward pass with gradients, and
// hooks through which the quantizers watch or replace what flows between the layers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sw/network/network.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/train/adder_functions.hpp"
#include "sw/train/torch.hpp"

namespace abacus::train {

// Number formats of a training pass. Inference is always in float32.
enum class Precision {
  float32,
  // Activations, their gradients and the convolutions' operands in bfloat16, sums within a layer in
  // float32; parameters, BatchNorm's statistics, the classifier and the optimizer stay float32.
  // About twice as fast where the processor multiplies bfloat16. Not for adder networks.
  bfloat16,
  // The adder layers' operands on a grid of eight bits for each layer and batch (adder_conv2d_int8),
  // the shift layers' in bfloat16 but for one with a bias, the classifier; all else float32. About
  // twice as fast where the processor has AVX-512 VNNI. Networks with adder layers only.
  int8
};
// "float32", "bfloat16", "int8". Throws std::invalid_argument naming the text and the allowed values.
Precision precision_from_string(const std::string& text);
std::string to_string(Precision precision);

enum class BatchNormMode {
  training,      // the batch's statistics; running ones follow with momentum 0.1
  inference,     // running statistics
  re_estimation  // the batch's statistics; running ones become their mean over all batches seen
                 // since set_batch_norm_mode
};

// Called while a batch goes through the network; `layer` indexes Network::layers. Any may be empty.
struct ForwardHooks {
  // Before a layer computes; may replace its inputs.
  std::function<void(int layer, std::vector<torch::Tensor>& inputs)> before;
  // In place of a layer's own computation, if what it returns is defined().
  std::function<torch::Tensor(int layer, const std::vector<torch::Tensor>& inputs)> compute;
  // After a layer has computed; may replace its output.
  std::function<void(int layer, torch::Tensor& output)> after;
};

class FloatNetwork {
 public:
  // Parameters start at: adder weights N(0, 1); shift layers' exponents uniform over their range,
  // signs uniform over ±1 (shift_functions.hpp); convolutions Kaiming (normal, fan out); classifier
  // likewise with fan in; batch norms 1 and 0.
  FloatNetwork(const network::Network& network, std::uint64_t seed);
  // Parameters from a checkpoint's tensors, which must have passed check_parameters.
  FloatNetwork(const network::Network& network,
               const std::map<std::string, network::Tensor>& tensors);

  // No copies: they would share their parameters. Make another from tensors().
  FloatNetwork(const FloatNetwork&) = delete;
  FloatNetwork& operator=(const FloatNetwork&) = delete;

  const network::Network& network() const { return network_; }

  // Class scores, N × classes, of normalised images, N×C×H×W.
  torch::Tensor forward(const torch::Tensor& images, const ForwardHooks& hooks = {});
  // One layer's computation alone, with the network's parameters and batch norm mode.
  torch::Tensor compute(int layer, const std::vector<torch::Tensor>& inputs);

  // Parameters and running statistics go there, and forward() computes there, wherever the images are.
  // Parameters are new tensors then: call it before what keeps them is made (Optimizer, QatNetwork).
  void to(torch::Device device);
  torch::Device device() const { return device_; }

  void set_batch_norm_mode(BatchNormMode mode);
  BatchNormMode batch_norm_mode() const { return mode_; }
  // Of all passes but inference. Throws std::invalid_argument if the network cannot run in it.
  void set_precision(Precision precision);

  // A parameter or running statistic by its name in the checkpoint. Throws std::out_of_range.
  const torch::Tensor& parameter(const std::string& name) const;
  // Replaces its values; shapes must agree, else std::invalid_argument.
  void set_parameter(const std::string& name, const torch::Tensor& values);
  const std::vector<std::string>& trainable() const { return trainable_; }
  // Names of the adder layers' weights, which learn at their own rate (trainer.hpp).
  bool is_adder_weight(const std::string& name) const;
  // Names of the shift layers' exponents, which have a range.
  bool is_shift_exponent(const std::string& name) const;

  // Deep copies, for checkpoints.
  std::map<std::string, network::Tensor> tensors() const;

 private:
  void add_convolution(const network::Layer& layer, const network::Convolution& of,
                       at::Generator& generator);
  void add_batch_norm(const network::Layer& layer);
  torch::Tensor convolve(const network::Layer& layer, const network::Convolution& of,
                         const torch::Tensor& x) const;
  // `residual` (if defined) and `relu` only where fuses_batch_norm(input).
  torch::Tensor batch_norm(const network::Layer& layer, const torch::Tensor& input,
                           const torch::Tensor& residual, bool relu);
  // Whether batch_norm.hpp computes it, which takes in what follows.
  bool fuses_batch_norm(const torch::Tensor& input) const;

  network::Network network_;
  torch::Device device_ = torch::kCPU;
  std::map<std::string, torch::Tensor> parameters_;
  std::vector<std::string> trainable_;
  std::map<std::string, bool> adder_weights_;
  BatchNormMode mode_ = BatchNormMode::training;
  Precision precision_ = Precision::float32;
  std::map<std::string, int> batches_seen_;  // re-estimation: by batch norm
};

// Between the two kinds of tensor; deep copies, float32. A torch tensor may be on any device.
torch::Tensor to_torch(const network::Tensor& tensor);
network::Tensor from_torch(const torch::Tensor& tensor);

}  // namespace abacus::train
