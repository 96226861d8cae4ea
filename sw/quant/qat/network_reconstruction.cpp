#include "sw/quant/qat/network_reconstruction.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/quant/qat/byte_teacher.hpp"
#include "sw/quant/qat/qat_network.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/optimizer.hpp"

namespace abacus {
namespace {

// Of the pool's images, pass after pass in another order. A rest smaller than a batch is left out,
// since its statistics would be noisier.
class Batches {
 public:
  Batches(const CalibrationData& data, const NetworkReconstructionOptions& options)
      : data_(data), pool_(shuffled_order(data.images.count(), options.seed, 0)) {
    pool_.resize(static_cast<std::size_t>(
        std::min<std::int64_t>(options.images, static_cast<std::int64_t>(pool_.size()))));
    size_ = std::min<std::int64_t>(options.batch, static_cast<std::int64_t>(pool_.size()));
    seed_ = options.seed;
    next_ = static_cast<std::int64_t>(pool_.size());
  }

  torch::Tensor next() {
    if (next_ + size_ > static_cast<std::int64_t>(pool_.size())) {
      ++pass_;
      next_ = 0;
      order_.clear();
      for (const std::int64_t i :
           shuffled_order(static_cast<std::int64_t>(pool_.size()), seed_, pass_)) {
        order_.push_back(pool_[static_cast<std::size_t>(i)]);
      }
    }
    const Batch batch = make_batch(data_.images, data_.normalization, order_.data() + next_, size_,
                                   data_.augmentation, seed_, pass_);
    next_ += size_;
    return batch.images;
  }

 private:
  const CalibrationData& data_;
  std::vector<std::int64_t> pool_, order_;
  std::int64_t size_ = 0, next_ = 0;
  std::uint64_t seed_ = 0, pass_ = 0;
};

}  // namespace

Checkpoint reconstruct_network(const Checkpoint& checkpoint, const QuantizationPlan& plan,
                               const CalibrationData& data,
                               const NetworkReconstructionOptions& options,
                               const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(options);
  FloatNetwork network(checkpoint.network, checkpoint.tensors);
  FloatNetwork teacher(checkpoint.network, checkpoint.tensors);
  network.set_batch_norm_mode(BatchNormMode::training);
  teacher.set_batch_norm_mode(BatchNormMode::inference);
  const ForwardHooks hooks = byte_teacher_hooks(teacher);
  QatNetwork quantized(network, plan);
  quantized.set_adder_gradient(AdderGradient::exact);
  OptimizerOptions adam;
  adam.method = OptimizerMethod::adam;
  adam.weight_decay = 0;
  Optimizer optimizer(network, adam);
  Batches batches(data, options);
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    const torch::Tensor images = batches.next();
    torch::Tensor wanted;
    {
      torch::NoGradGuard no_gradient;
      wanted = torch::log_softmax(teacher.forward(images, hooks) / options.temperature, 1);
    }
    optimizer.clear_gradients();
    const torch::Tensor found =
        torch::log_softmax(quantized.forward(images) / options.temperature, 1);
    // Times T², by which the gradients at the scores are as large at every temperature.
    const torch::Tensor loss =
        options.temperature * options.temperature * (wanted.exp() * (wanted - found)).sum(1).mean();
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw std::runtime_error("the divergence from the float network is " + std::to_string(value) +
                               " in iteration " + std::to_string(i + 1));
    }
    loss.backward();
    optimizer.step(cosine_rate(options.rate, static_cast<double>(i),
                               static_cast<double>(options.iterations), 0));
    if (progress) progress(i + 1, options.iterations);
  }
  Checkpoint result = checkpoint;
  for (auto& [name, tensor] : network.tensors()) {
    if (name.find("running_") == std::string::npos) result.tensors[name] = tensor;
  }
  return result;
}

}  // namespace abacus
