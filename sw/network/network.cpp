#include "sw/network/network.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/support/overloaded.hpp"

namespace abacus::network {
namespace {

std::string to_string(const Shape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

// Appends layers one by one and works out their shapes.
class Builder {
 public:
  explicit Builder(Network& network) : network_(network) {}

  int convolution(const std::string& name, int from, int channels, int kernel, int stride,
                  int padding) {
    const Arithmetic arithmetic = network_.arithmetic;
    if (!arithmetic.composite()) {
      return convolution(name, window(arithmetic.first(), kernel, stride, padding), from, channels);
    }
    const int shift = convolution(
        name + ".shift", window(arithmetic.first(), kernel, stride, padding), from, channels);
    const int adder_kernel = padding == 0 ? 1 : kernel;
    return convolution(name + ".adder",
                       window(arithmetic.second(), adder_kernel, 1, adder_kernel / 2), shift,
                       channels);
  }

  // First convolution and classifier: ordinary ones, on the edge array.
  int edge_convolution(const std::string& name, int from, int channels, int kernel, int padding,
                       bool bias, int stride = 1) {
    Convolution kind = window(Arithmetic::cnn, kernel, stride, padding);
    kind.edge = true;
    kind.bias = bias;
    return convolution(name, kind, from, channels);
  }

  // Each channel on its own.
  int depthwise_convolution(const std::string& name, int from, int kernel, int stride) {
    const int channels = shape(from).channels;
    const int index = convolution(name, from, channels, kernel, stride, kernel / 2);
    // Of a ShiftAddNet both layers.
    for (int i = from + 1; i <= index; ++i) {
      std::get<Convolution>(network_.layers[static_cast<std::size_t>(i)].kind).groups = channels;
    }
    return index;
  }

  int batch_norm(const std::string& name, int from) {
    return append(make(name, BatchNorm{}, {from}));
  }
  // The non-linearity after BatchNorm or addition. A binary network's is the sign with which its
  // next convolution begins.
  int relu(const std::string& name, int from) {
    if (binary()) return from;
    return append(make(name, Relu{}, {from}));
  }
  bool binary() const { return network_.arithmetic == Arithmetic::bnn; }
  int add(const std::string& name, int a, int b) { return append(make(name, Add{}, {a, b})); }

  int max_pool(const std::string& name, int from, int kernel) {
    return pool<MaxPool>(name, from, kernel);
  }
  int average_pool(const std::string& name, int from, int kernel) {
    return pool<AveragePool>(name, from, kernel);
  }

  const Shape& shape(int index) const {
    return index < 0 ? network_.input : network_.layers[static_cast<std::size_t>(index)].output;
  }

 private:
  Layer make(const std::string& name, const LayerKind& kind, std::vector<int> inputs) const {
    Layer layer;
    layer.name = name;
    layer.kind = kind;
    layer.input = shape(inputs.front());
    layer.output = layer.input;
    layer.inputs = std::move(inputs);
    return layer;
  }

  static Convolution window(hw::TapKind arithmetic, int kernel, int stride, int padding) {
    Convolution kind;
    kind.arithmetic = arithmetic;
    kind.kernel = kernel;
    kind.stride = stride;
    kind.padding = padding;
    return kind;
  }

  static Shape windows(const Shape& input, int channels, int kernel, int stride, int padding) {
    const auto size = [&](int in) { return (in + 2 * padding - kernel) / stride + 1; };
    return {channels, size(input.height), size(input.width)};
  }

  int convolution(const std::string& name, const Convolution& kind, int from, int channels) {
    Layer layer = make(name, kind, {from});
    layer.output = windows(layer.input, channels, kind.kernel, kind.stride, kind.padding);
    return append(layer);
  }

  template <typename Pool>
  int pool(const std::string& name, int from, int kernel) {
    Layer layer = make(name, Pool{kernel, kernel}, {from});
    layer.output = windows(layer.input, layer.input.channels, kernel, kernel, 0);
    return append(layer);
  }

  int append(const Layer& layer) {
    network_.layers.push_back(layer);
    return static_cast<int>(network_.layers.size()) - 1;
  }

  Network& network_;
};

int convolution_bn_relu(Builder& b, const std::string& number, int from, int channels, int kernel,
                        int padding) {
  const int conv = b.convolution("conv" + number, from, channels, kernel, 1, padding);
  return b.relu("relu" + number, b.batch_norm("bn" + number, conv));
}

int first_convolution(Builder& b, int channels, int kernel, int padding, int stride = 1) {
  const int conv = b.edge_convolution("conv1", -1, channels, kernel, padding, false, stride);
  return b.relu("relu1", b.batch_norm("bn1", conv));
}

int shortcut(Builder& b, const std::string& name, int from, int channels, int stride) {
  if (stride == 1 && b.shape(from).channels == channels) return from;
  const int projection = b.convolution(name + ".downsample.0", from, channels, 1, stride, 0);
  return b.batch_norm(name + ".downsample.1", projection);
}

int basic_block(Builder& b, const std::string& name, int from, int channels, int stride) {
  const int conv1 = b.convolution(name + ".conv1", from, channels, 3, stride, 1);
  const int relu1 = b.relu(name + ".relu1", b.batch_norm(name + ".bn1", conv1));
  const int conv2 = b.convolution(name + ".conv2", relu1, channels, 3, 1, 1);
  const int bn2 = b.batch_norm(name + ".bn2", conv2);
  const int around = shortcut(b, name, from, channels, stride);
  return b.relu(name + ".relu2", b.add(name + ".add", bn2, around));
}

// Two steps of sign, binary convolution, BatchNorm and addition, each with its own shortcut.
int binary_block(Builder& b, const std::string& name, int from, int channels, int stride) {
  const int conv1 = b.convolution(name + ".conv1", from, channels, 3, stride, 1);
  const int bn1 = b.batch_norm(name + ".bn1", conv1);
  const int around = shortcut(b, name, from, channels, stride);
  const int middle = b.add(name + ".add1", bn1, around);
  const int conv2 = b.convolution(name + ".conv2", middle, channels, 3, 1, 1);
  return b.add(name + ".add2", b.batch_norm(name + ".bn2", conv2), middle);
}

void build_resnet(Builder& b, int blocks, int classes) {
  int x = first_convolution(b, 16, 3, 1);
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < blocks; ++block) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      x = b.binary() ? binary_block(b, name, x, 16 << stage, stride)
                     : basic_block(b, name, x, 16 << stage, stride);
    }
  }
  x = b.average_pool("avgpool", x, b.shape(x).height);
  b.batch_norm("bn2", b.edge_convolution("fc", x, classes, 1, 0, false));
}

// 1×1 to `channels`, 3×3, 1×1 to four times as many.
int bottleneck_block(Builder& b, const std::string& name, int from, int channels, int stride) {
  const int conv1 = b.convolution(name + ".conv1", from, channels, 1, 1, 0);
  const int relu1 = b.relu(name + ".relu1", b.batch_norm(name + ".bn1", conv1));
  const int conv2 = b.convolution(name + ".conv2", relu1, channels, 3, stride, 1);
  const int relu2 = b.relu(name + ".relu2", b.batch_norm(name + ".bn2", conv2));
  const int conv3 = b.convolution(name + ".conv3", relu2, 4 * channels, 1, 1, 0);
  const int bn3 = b.batch_norm(name + ".bn3", conv3);
  const int around = shortcut(b, name, from, 4 * channels, stride);
  return b.relu(name + ".relu3", b.add(name + ".add", bn3, around));
}

// He et al. (CVPR 2016), the ImageNet variant: stages of 64, 128, 256, 512 channels, in each so many
// blocks; with bottlenecks, four times as many channels between blocks.
// Its 3×3 max pool of stride 2 has padding, which our pools have not: a 2×2 pool stands for it, of the
// same output. Images below 64×64 take a 3×3 first convolution of stride 1 and no pool, as is usual
// for CIFAR.
void build_large_resnet(Builder& b, const std::array<int, 4>& blocks, bool bottlenecks,
                        int classes) {
  constexpr int smallest_large_image = 64;
  const bool large = b.shape(-1).height >= smallest_large_image;
  int x = large ? first_convolution(b, 64, 7, 3, 2) : first_convolution(b, 64, 3, 1);
  if (large) x = b.max_pool("maxpool", x, 2);
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < blocks[static_cast<std::size_t>(stage)]; ++block) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      const int channels = 64 << stage;
      x = bottlenecks  ? bottleneck_block(b, name, x, channels, stride)
          : b.binary() ? binary_block(b, name, x, channels, stride)
                       : basic_block(b, name, x, channels, stride);
    }
  }
  x = b.average_pool("avgpool", x, b.shape(x).height);
  b.edge_convolution("fc", x, classes, 1, 0, true);
}

// Sandler et al. (CVPR 2018), table 2: 1×1 to `expansion` times the channels, depthwise 3×3, 1×1
// without a ReLU; with a shortcut where the shape stays.
int inverted_residual(Builder& b, const std::string& name, int from, int expansion, int channels,
                      int stride) {
  int x = from;
  int part = 0;
  const auto named = [&](const char* field) {
    return name + ".conv." + std::to_string(part) + field;
  };
  if (expansion != 1) {
    x = b.convolution(named(".0"), x, b.shape(from).channels * expansion, 1, 1, 0);
    x = b.relu(named(".2"), b.batch_norm(named(".1"), x));
    ++part;
  }
  x = b.depthwise_convolution(named(".0"), x, 3, stride);
  x = b.relu(named(".2"), b.batch_norm(named(".1"), x));
  ++part;
  x = b.convolution(named(""), x, channels, 1, 1, 0);
  ++part;
  x = b.batch_norm(named(""), x);
  const bool same = stride == 1 && b.shape(from).channels == channels;
  return same ? b.add(name + ".add", x, from) : x;
}

void build_mobilenet_v2(Builder& b, int classes) {
  struct Stage {
    int expansion, channels, blocks, stride;
  };
  constexpr std::array<Stage, 7> stages = {{{1, 16, 1, 1},
                                            {6, 24, 2, 2},
                                            {6, 32, 3, 2},
                                            {6, 64, 4, 2},
                                            {6, 96, 3, 1},
                                            {6, 160, 3, 2},
                                            {6, 320, 1, 1}}};
  constexpr int first_channels = 32;
  constexpr int last_channels = 1280;
  int x = b.edge_convolution("features.0.0", -1, first_channels, 3, 1, false, 2);
  x = b.relu("features.0.2", b.batch_norm("features.0.1", x));
  int number = 1;
  for (const Stage& stage : stages) {
    for (int block = 0; block < stage.blocks; ++block, ++number) {
      x = inverted_residual(b, "features." + std::to_string(number), x, stage.expansion,
                            stage.channels, block == 0 ? stage.stride : 1);
    }
  }
  const std::string last = "features." + std::to_string(number);
  x = b.convolution(last + ".0", x, last_channels, 1, 1, 0);
  x = b.relu(last + ".2", b.batch_norm(last + ".1", x));
  x = b.average_pool("avgpool", x, b.shape(x).height);
  b.edge_convolution("classifier.1", x, classes, 1, 0, true);
}

void build_vgg_small(Builder& b, int classes) {
  int x = first_convolution(b, 128, 3, 1);
  x = convolution_bn_relu(b, "2", x, 128, 3, 1);
  x = b.max_pool("pool1", x, 2);
  x = convolution_bn_relu(b, "3", x, 256, 3, 1);
  x = convolution_bn_relu(b, "4", x, 256, 3, 1);
  x = b.max_pool("pool2", x, 2);
  x = convolution_bn_relu(b, "5", x, 512, 3, 1);
  x = convolution_bn_relu(b, "6", x, 512, 3, 1);
  x = b.max_pool("pool3", x, 2);
  b.edge_convolution("fc", x, classes, b.shape(x).height, 0, true);
}

void build_lenet(Builder& b, int classes) {
  int x = first_convolution(b, 8, 5, 2);
  x = b.max_pool("pool1", x, 2);
  x = convolution_bn_relu(b, "2", x, 16, 5, 2);
  x = b.max_pool("pool2", x, 2);
  x = convolution_bn_relu(b, "3", x, 32, b.shape(x).height, 0);
  b.batch_norm("bn4", b.edge_convolution("fc", x, classes, 1, 0, false));
}

// Side of the smallest image that still has a pixel left after all strides and pools.
int smallest_side(const std::string& name) { return name == "vgg-small" ? 8 : 4; }

}  // namespace

std::string kind_name(const LayerKind& kind) {
  return std::visit([](const auto& of) { return std::string(of.name); }, kind);
}

std::optional<Window> window_of(const LayerKind& kind) {
  using Found = std::optional<Window>;
  return std::visit(support::Overloaded{[](const Convolution& of) -> Found {
                                          return Window{of.kernel, of.stride, of.padding};
                                        },
                                        [](const BatchNorm&) -> Found { return std::nullopt; },
                                        [](const Relu&) -> Found { return std::nullopt; },
                                        [](const Add&) -> Found { return std::nullopt; },
                                        [](const AveragePool& of) -> Found {
                                          return Window{of.kernel, of.stride, 0};
                                        },
                                        [](const MaxPool& of) -> Found {
                                          return Window{of.kernel, of.stride, 0};
                                        }},
                    kind);
}

const Convolution& Layer::convolution() const {
  const Convolution* const found = if_convolution();
  if (found == nullptr) throw std::logic_error("layer " + name + " is no convolution");
  return *found;
}

std::int64_t Network::taps(const Layer& layer) {
  const Convolution* const convolution = layer.if_convolution();
  if (convolution == nullptr) return 0;
  return layer.output.elements() * (layer.input.channels / convolution->groups) *
         convolution->kernel * convolution->kernel;
}

std::int64_t Network::parameters(const Layer& layer) {
  const std::int64_t channels = layer.output.channels;
  return std::visit(support::Overloaded{[&](const Convolution& of) {
                                          return channels * (layer.input.channels / of.groups) *
                                                     of.kernel * of.kernel +
                                                 (of.bias ? channels : 0);
                                        },
                                        [&](const BatchNorm&) { return 2 * channels; },
                                        [](const Relu&) { return std::int64_t{0}; },
                                        [](const Add&) { return std::int64_t{0}; },
                                        [](const AveragePool&) { return std::int64_t{0}; },
                                        [](const MaxPool&) { return std::int64_t{0}; }},
                    layer.kind);
}

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = {"lenet", "resnet18", "resnet20", "resnet32",
                                                 "vgg-small"};
  return names;
}

const std::vector<std::string>& workload_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = network_names();
    all.insert(all.end(), {"resnet34", "resnet50", "mobilenet-v2"});
    return all;
  }();
  return names;
}

Network make_network(const std::string& name, Arithmetic arithmetic, Shape input, int classes) {
  bool known = false;
  std::string allowed;
  for (const std::string& n : workload_names()) {
    known = known || n == name;
    allowed += (allowed.empty() ? "" : ", ") + n;
  }
  if (!known) {
    throw std::invalid_argument("unknown network \"" + name + "\"; allowed: " + allowed);
  }
  if (classes < 2) {
    throw std::invalid_argument(name + ": " + std::to_string(classes) +
                                " classes; allowed: 2 or more");
  }
  const int side = smallest_side(name);
  if (input.channels < 1 || input.height < side || input.height != input.width) {
    throw std::invalid_argument(
        name + ": image of " + to_string(input) +
        " (channels x height x width); allowed: square images of at least " + std::to_string(side) +
        "x" + std::to_string(side) + " pixels and one channel");
  }

  Network network;
  network.name = name;
  network.arithmetic = arithmetic;
  network.input = input;
  network.classes = classes;
  Builder builder(network);
  if (name == "lenet") {
    build_lenet(builder, classes);
  } else if (name == "vgg-small") {
    build_vgg_small(builder, classes);
  } else if (name == "resnet18") {
    build_large_resnet(builder, {2, 2, 2, 2}, false, classes);
  } else if (name == "resnet34" || name == "resnet50") {
    build_large_resnet(builder, {3, 4, 6, 3}, name == "resnet50", classes);
  } else if (name == "mobilenet-v2") {
    build_mobilenet_v2(builder, classes);
  } else {
    build_resnet(builder, name == "resnet20" ? 3 : 5, classes);
  }
  return network;
}

}  // namespace abacus::network
