#pragma once

#include "sw/train/torch.hpp"

namespace abacus::train {

// The order in which kernels take their elements: image, row, column, channel. A tensor with one
// channel or one pixel passes for channels-last whatever its strides are; its elements are in that
// order all the same.
inline torch::Tensor channels_last(const torch::Tensor& tensor) {
  return tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace abacus::train
