#include "sw/train/batches.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "sw/network/counter_generator.hpp"

namespace abacus::train {
namespace {

enum Purpose : std::uint64_t { kOrder = 1, kAugmentation = 2 };

struct Placement {
  int dy = 0;  // row 0 of the result is row dy of the image, and black outside of it
  int dx = 0;
  bool mirrored = false;
};

Placement draw_placement(const Augmentation& augmentation, std::uint64_t seed, std::uint64_t epoch,
                         std::int64_t image) {
  network::CounterGenerator generator(seed, epoch, static_cast<std::uint64_t>(image),
                                      kAugmentation);
  Placement placement;
  const auto range = static_cast<std::uint64_t>(2 * augmentation.padding + 1);
  placement.dy = static_cast<int>(generator.below(range)) - augmentation.padding;
  placement.dx = static_cast<int>(generator.below(range)) - augmentation.padding;
  placement.mirrored = augmentation.flip && generator.below(2) == 1;
  return placement;
}

// Channels × height × width bytes to height × width × channels floats.
void write_image(const std::uint8_t* pixels, const network::Shape& shape,
                 const network::Normalization& normalization, const Placement& placement,
                 float* to) {
  for (int c = 0; c < shape.channels; ++c) {
    const float mean = normalization.mean[static_cast<std::size_t>(c)];
    const float deviation = normalization.deviation[static_cast<std::size_t>(c)];
    for (int y = 0; y < shape.height; ++y) {
      for (int x = 0; x < shape.width; ++x) {
        const int fy = y + placement.dy;
        const int fx = (placement.mirrored ? shape.width - 1 - x : x) + placement.dx;
        const bool inside = fy >= 0 && fy < shape.height && fx >= 0 && fx < shape.width;
        const float pixel =
            inside ? static_cast<float>(pixels[(c * shape.height + fy) * shape.width + fx]) : 0.0F;
        to[(y * shape.width + x) * shape.channels + c] = (pixel / 255.0F - mean) / deviation;
      }
    }
  }
}

}  // namespace

std::vector<std::int64_t> shuffled_order(std::int64_t count, std::uint64_t seed,
                                         std::uint64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  network::CounterGenerator generator(seed, epoch, 0, kOrder);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(generator.below(i))]);
  }
  return order;
}

Batch make_batch(const network::Dataset& dataset, const network::Normalization& normalization,
                 const std::int64_t* indices, std::int64_t count, const Augmentation& augmentation,
                 std::uint64_t seed, std::uint64_t epoch) {
  const network::Shape& shape = dataset.image;
  Batch batch;
  batch.images =
      torch::empty({count, shape.channels, shape.height, shape.width},
                   torch::TensorOptions().dtype(torch::kFloat32), at::MemoryFormat::ChannelsLast);
  batch.labels = torch::empty({count}, torch::kInt64);
  float* images = batch.images.data_ptr<float>();
  auto* labels = batch.labels.data_ptr<std::int64_t>();
  const bool augment = augmentation.padding > 0 || augmentation.flip;
  constexpr std::int64_t images_a_task = 8;
  at::parallel_for(0, count, images_a_task, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t index = indices[i];
      const Placement placement =
          augment ? draw_placement(augmentation, seed, epoch, index) : Placement{};
      write_image(dataset.image_data(index), shape, normalization, placement,
                  images + i * shape.elements());
      labels[i] = dataset.labels[static_cast<std::size_t>(index)];
    }
  });
  return batch;
}

Batch make_batch(const network::Dataset& dataset, const network::Normalization& normalization,
                 std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return make_batch(dataset, normalization, indices.data(), count);
}

BatchSource::BatchSource(const network::Dataset& dataset,
                         const network::Normalization& normalization, const Options& options)
    : dataset_(dataset), normalization_(normalization), options_(options) {
  if (options.images.has_value()) {
    pool_ = shuffled_order(dataset.count(), options.seed, 0);
    pool_.resize(std::min(pool_.size(), static_cast<std::size_t>(*options.images)));
  } else {
    pool_.resize(static_cast<std::size_t>(dataset.count()));
    std::iota(pool_.begin(), pool_.end(), std::int64_t{0});
  }
  size_ = std::min(options.batch, count());
  if (size_ < 1) throw std::invalid_argument(dataset.name + ": no images, or batches of none");
}

std::int64_t BatchSource::batches() const {
  const bool rest =
      options_.rest == Rest::kept_from_half && count() % size_ > 0 && count() % size_ * 2 >= size_;
  return whole_batches() + (rest ? 1 : 0);
}

void BatchSource::draw_order(std::uint64_t number) {
  if (drawn_ == number) return;
  order_.clear();
  for (const std::int64_t i : shuffled_order(count(), options_.seed, number)) {
    order_.push_back(pool_[static_cast<std::size_t>(i)]);
  }
  drawn_ = number;
}

Batch BatchSource::batch(int epoch, std::int64_t index) {
  const std::uint64_t number =
      static_cast<std::uint64_t>(epoch) + (options_.images.has_value() ? 1 : 0);
  draw_order(number);
  const std::int64_t first = images_before(index);
  return make_batch(dataset_, normalization_, order_.data() + first,
                    images_before(index + 1) - first, options_.augmentation, options_.seed, number);
}

}  // namespace abacus::train
