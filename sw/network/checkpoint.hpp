// A trained float network on disk: a safetensors file with the network's parameters under the names
// that network.hpp gives them, and in its metadata all it takes to build the network again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sw/network/dataset.hpp"
#include "sw/network/network.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus::network {

struct Checkpoint {
  Network network;
  std::string dataset;                 // as in dataset_names()
  Normalization normalization;         // with which the network was trained
  double float_accuracy_percent = -1;  // on the test split; −1: not measured
  int epochs = 0;
  std::uint64_t seed = 0;
  std::string command;  // that made the checkpoint
  // Threads and instruction sets that it was made with, which decide its last bits; empty: unknown.
  std::string processor;
  // Parameters that quantization-aware training has changed are no float network of their own: the
  // SHA-256 (64 hexadecimal digits) and accuracy of the checkpoint that they began as; else empty, −1.
  std::string float_origin_sha256;
  double float_origin_accuracy_percent = -1;
  std::map<std::string, Tensor> tensors;  // all float32
};

struct ParameterShape {
  std::string name;
  std::vector<std::int64_t>
      shape;  // weights of a convolution: output × input channel (of a group) × ky × kx
  bool trainable = true;  // false: running statistics
};

// All parameters of the network, layer by layer: `weight` and, as far as there, `bias` of the
// convolutions, in place of `weight` `exponent` and `sign` of the shift layers (shift_functions.hpp);
// `weight`, `bias`, `running_mean`, `running_var` of the batch norms.
std::vector<ParameterShape> parameter_shapes(const Network& network);

// Throws std::runtime_error naming `file`, the tensor, what was found and what was expected when a
// parameter of the network is missing, of another type or shape, not finite or without meaning (a
// variance below 0), or a tensor is none of its parameters.
void check_parameters(const Network& network, const std::map<std::string, Tensor>& tensors,
                      const std::filesystem::path& file);

// The metadata's "format" is "abacus-checkpoint-1". Throws as read_safetensors and check_parameters
// do, and naming file and key for missing or malformed metadata.
Checkpoint load_checkpoint(const std::filesystem::path& file);
void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);

}  // namespace abacus::network
