// A network as all of Abacus sees it: a graph of layers with shapes. The trainer builds its modules
// from it, the quantizers fold it into an integer network, and reports name its layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sw/network/arithmetic.hpp"

namespace abacus::network {

// Size of one image or activation tensor, without the batch; channels × height × width.
struct Shape {
  int channels = 0;
  int height = 0;
  int width = 0;

  std::int64_t elements() const { return std::int64_t{channels} * height * width; }
  bool operator==(const Shape& o) const {
    return channels == o.channels && height == o.height && width == o.width;
  }
  bool operator!=(const Shape& o) const { return !(*this == o); }
};

// The kinds of layers, each with its name and what only it has. Square kernels.

// Also stands for fully connected layers: kernel = whole input, no padding.
struct Convolution {
  static constexpr char name[] = "convolution";
  hw::TapKind arithmetic = Arithmetic::cnn;
  int kernel = 1;
  int stride = 1;
  int padding = 0;  // with zeros (an adder's padded tap adds |w|)
  bool bias = false;
  // The channels fall into so many groups, each of which sees its own inputs alone. 1, or in depthwise
  // convolutions the number of input channels, which is that of output channels.
  int groups = 1;
  // First convolution and classifier: always `cnn`, 8 bits, on the edge array.
  bool edge = false;
};
// Per channel: weight·(x − running_mean)/√(running_var + epsilon) + bias.
struct BatchNorm {
  static constexpr char name[] = "batch_norm";
  static constexpr double epsilon = 1e-5;
};
struct Relu {
  static constexpr char name[] = "relu";
};
// Residual: sum of two inputs.
struct Add {
  static constexpr char name[] = "add";
};
// Mean over kernel × kernel, no padding.
struct AveragePool {
  static constexpr char name[] = "average_pool";
  int kernel = 1;
  int stride = 1;
};
// Likewise the largest.
struct MaxPool {
  static constexpr char name[] = "max_pool";
  int kernel = 1;
  int stride = 1;
};

// What must be done for each kind is a visitor with one function a kind (sw/support/overloaded.hpp).
using LayerKind = std::variant<Convolution, BatchNorm, Relu, Add, AveragePool, MaxPool>;

std::string kind_name(const LayerKind& kind);

// Over which a layer slides.
struct Window {
  int kernel = 1;
  int stride = 1;
  int padding = 0;
};
// Of convolutions and pools; none of other kinds.
std::optional<Window> window_of(const LayerKind& kind);

// One node of the graph. Its parameters in a checkpoint are called `name.weight`, `name.bias`,
// `name.running_mean`, `name.running_var`, as far as its kind has them.
struct Layer {
  std::string name;
  LayerKind kind = Relu{};
  std::vector<int> inputs;  // indices into Network::layers; −1 is the network's input

  Shape input;  // of inputs[0]
  Shape output;

  template <typename Kind>
  bool is() const {
    return std::holds_alternative<Kind>(kind);
  }
  // Null if the layer is of another kind.
  const Convolution* if_convolution() const { return std::get_if<Convolution>(&kind); }
  // A convolution of that arithmetic.
  bool computes(hw::TapKind arithmetic) const {
    return is<Convolution>() && std::get<Convolution>(kind).arithmetic == arithmetic;
  }
  // Throws std::logic_error naming a layer of another kind.
  const Convolution& convolution() const;
};

struct Network {
  std::string name;  // as given to make_network
  Arithmetic arithmetic = Arithmetic::cnn;
  Shape input;
  int classes = 0;
  std::vector<Layer> layers;  // in topological order; the last one gives the class scores

  // Taps (ky, kx, input channel) summed over all outputs of a convolution; 0 for other layers.
  static std::int64_t taps(const Layer& layer);
  // What is trained: weights and biases of convolutions and BatchNorms. Running statistics are none.
  static std::int64_t parameters(const Layer& layer);
};

// Names of the networks that the trainer takes: "lenet", "resnet18", "resnet20", "resnet32",
// "vgg-small".
const std::vector<std::string>& network_names();
// Names that make_network takes: those, and "resnet34", "resnet50" and "mobilenet-v2".
const std::vector<std::string>& workload_names();

// Builds a network of the zoo for the given image size and number of classes. First convolution and
// classifier are ordinary convolutions in every arithmetic. Throws std::invalid_argument for an
// unknown name (listing the known ones) or an image too small for the network.
//
// resnet20/32: He et al., CIFAR variant, stages of 16, 32, 64 channels; 1×1 stride-2 projection
// shortcuts with BatchNorm in the network's own arithmetic; global average pool; classifier is a
// 1×1 convolution without bias, then BatchNorm over the classes (the AdderNet authors' form).
// Layer names follow the authors' checkpoint: conv1, bn1, layer1.0.conv1, …, layer2.0.downsample.0,
// …, fc, bn2.
//
// resnet18/34/50: He et al., the ImageNet variant, blocks and names as in torchvision (resnet50's stride
// is in its 3×3 convolution). mobilenet-v2: Sandler et al. (CVPR 2018), names as in torchvision; its
// ReLU6 is a ReLU here, since what stores the result saturates at the end of a chosen range anyway.
//
// In a shiftaddnet each convolution NAME between the edges is NAME.shift, which has its kernel,
// stride and channels, and NAME.adder, of the same kernel (1×1 behind an unpadded one), stride 1 and
// the output's channels; nothing stands between them (ShiftAddNet, NeurIPS 2020, section 3.1).
//
// Binary networks (bnn) have no ReLU, since the sign in front of each binary convolution is their
// non-linearity, and in resnet18/20/32/34 each 3×3 convolution has a shortcut of its own (Bi-Real Net,
// ECCV 2018).
Network make_network(const std::string& name, Arithmetic arithmetic, Shape input, int classes);

}  // namespace abacus::network
