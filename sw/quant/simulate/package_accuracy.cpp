#include "sw/quant/simulate/package_accuracy.hpp"

#include <algorithm>
#include <atomic>

#include "sw/network/dataset_match.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

double package_accuracy(const network::IntegerNetwork& package, const network::Dataset& images,
                        network::ExponentArithmetic exponents,
                        const std::function<void(std::int64_t)>& done) {
  network::check_images("package", package, images);
  constexpr std::int64_t batch = 100;
  constexpr network::AccumulatorFormat accumulators = {32, 16};
  std::atomic<std::int64_t> right = 0;
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    const std::int64_t last = std::min(first + batch, images.count());
    at::parallel_for(first, last, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const network::ReferenceResult result = network::execute_reference(
            package, network::quantize_image(package, images.image_data(n)), accumulators,
            accumulators, exponents);
        if (result.predicted_class == images.labels[static_cast<std::size_t>(n)]) ++right;
      }
    });
    if (done) done(last);
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(images.count());
}

}  // namespace abacus::quant
