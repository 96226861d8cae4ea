#include "sw/quant/calibrate/calibration.hpp"

#include <algorithm>
#include <map>

namespace abacus::quant {

void for_each_batch(const CalibrationData& data, std::int64_t count,
                    const std::function<void(const torch::Tensor& images)>& work,
                    const ImagesDone& done) {
  const std::int64_t available = data.images.count();
  std::vector<std::int64_t> order;
  std::uint64_t epoch = 0;
  std::int64_t next = available;
  for (std::int64_t seen = 0; seen < count;) {
    if (next >= available) {
      order = train::shuffled_order(available, data.seed, epoch++);
      next = 0;
    }
    const std::int64_t size = std::min({std::int64_t{data.batch}, count - seen, available - next});
    work(train::make_batch(data.images, data.normalization, order.data() + next, size,
                           data.augmentation, data.seed, epoch)
             .images);
    next += size;
    seen += size;
    if (done) done(seen);
  }
}

std::vector<TensorStatistics> calibrate(train::FloatNetwork& network,
                                        const std::vector<network::FoldedLayer>& folded,
                                        const CalibrationData& data, std::int64_t count,
                                        double alpha, const ImagesDone& done) {
  torch::NoGradGuard no_gradient;
  std::map<int, std::size_t> watched;  // the network's layer → the folded layer that stores it
  for (std::size_t i = 0; i < folded.size(); ++i) watched[folded[i].output] = i;
  std::vector<TensorStatistics> statistics(folded.size());
  train::ForwardHooks hooks;
  hooks.after = [&](int layer, torch::Tensor& output) {
    const auto found = watched.find(layer);
    if (found == watched.end()) return;
    // Order within the tensor does not matter, only that nothing is missing.
    const torch::Tensor values =
        output.is_non_overlapping_and_dense() ? output : output.contiguous();
    TensorStatistics& of = statistics[found->second];
    of.magnitudes.add(values.data_ptr<float>(), values.numel());
    of.quantile = std::max(of.quantile, static_cast<double>(magnitude_quantile(
                                            values.data_ptr<float>(), values.numel(), alpha)));
  };
  network.set_batch_norm_mode(train::BatchNormMode::inference);
  for_each_batch(
      data, count, [&](const torch::Tensor& images) { network.forward(images, hooks); }, done);
  return statistics;
}

}  // namespace abacus::quant
