#include "sw/quant/reconstruct/reconstruction_data.hpp"

#include <algorithm>
#include <vector>

#include "sw/train/batches.hpp"
#include "sw/train/channels_last.hpp"

namespace abacus::quant {
namespace {

constexpr std::int64_t part = 128;  // images a pass

}  // namespace

ReconstructionData::ReconstructionData(const QuantizedNetwork& network,
                                       train::FloatNetwork& float_network,
                                       const CalibrationData& data, std::int64_t count)
    : network_(network), float_network_(float_network) {
  float_network.set_batch_norm_mode(train::BatchNormMode::inference);
  std::vector<torch::Tensor> stored, images;
  for_each_batch(data, count,
                 [&](const torch::Tensor& batch) {
                   images.push_back(batch);
                   stored.push_back(batch.div(network.image.scale)
                                        .add_(0.5)
                                        .floor_()
                                        .clamp_(network.image.lowest(), network.image.highest())
                                        .to(torch::kInt16));
                 },
                 {});
  stored_ = train::channels_last(torch::cat(stored));
  target_ = train::channels_last(torch::cat(images));
}

void ReconstructionData::advance_target(ReconstructionUnit unit) {
  torch::NoGradGuard no_gradient;
  const int last = network_.layers[unit.last].folded.output;
  std::vector<torch::Tensor> parts;
  for (std::int64_t begin = 0; begin < count(); begin += part) {
    const torch::Tensor input = target_.slice(0, begin, std::min(begin + part, count()));
    network::GraphWalk<torch::Tensor> walk(network::reads_of(network_.network), float_layers_done_,
                                           input);
    while (walk.layer() <= last) walk.advance(float_network_.compute(walk.layer(), walk.inputs()));
    parts.push_back(walk.tensor(last));
  }
  target_ = train::channels_last(torch::cat(parts));
  float_layers_done_ = last + 1;
}

void ReconstructionData::advance_stored(TrainableUnit& unit) {
  torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> parts;
  for (std::int64_t begin = 0; begin < count(); begin += part) {
    const torch::Tensor input = stored_.slice(0, begin, std::min(begin + part, count()));
    parts.push_back(unit.forward(input.to(torch::kFloat32)).to(torch::kInt32));
  }
  const torch::Tensor whole = torch::cat(parts);
  const bool wide = whole.abs().max().item<std::int32_t>() > 32767;
  stored_ = train::channels_last(wide ? whole : whole.to(torch::kInt16));
}

torch::Tensor ReconstructionData::stored(const torch::Tensor& indices) const {
  return train::channels_last(stored_.index_select(0, indices).to(torch::kFloat32));
}

torch::Tensor ReconstructionData::target(const torch::Tensor& indices) const {
  return train::channels_last(target_.index_select(0, indices));
}

double mean_squared_error(TrainableUnit& unit, const ReconstructionData& images, double scale) {
  torch::NoGradGuard no_gradient;
  double sum = 0;
  for (std::int64_t begin = 0; begin < images.count(); begin += part) {
    const torch::Tensor indices = torch::arange(begin, std::min(begin + part, images.count()));
    const torch::Tensor difference =
        unit.forward(images.stored(indices)) * scale - images.target(indices);
    sum += difference.square().sum(torch::kFloat64).item<double>();
  }
  return sum / static_cast<double>(images.target().numel());
}

ShuffledBatches::ShuffledBatches(std::int64_t count, std::int64_t size, std::uint64_t seed)
    : count_(count), size_(std::min(size, count)), seed_(seed), at_(count) {}

torch::Tensor ShuffledBatches::next() {
  if (at_ + size_ > count_) {
    order_ = torch::tensor(train::shuffled_order(count_, seed_, epoch_++));
    at_ = 0;
  }
  at_ += size_;
  return order_.slice(0, at_ - size_, at_);
}

}  // namespace abacus::quant
