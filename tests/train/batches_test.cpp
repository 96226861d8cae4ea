#include "sw/train/batches.hpp"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include "tests/train/synthetic_dataset.hpp"

namespace abacus::train {
namespace {

const network::Normalization kPlain{{0, 0, 0}, {1, 1, 1}};

// One image whose pixels are all different and none black: 1, 2, 3, …
network::Dataset numbered_image(int side) {
  network::Dataset data;
  data.image = {1, side, side};
  data.classes = 2;
  data.labels = {1};
  data.pixels.resize(static_cast<std::size_t>(side) * side);
  std::iota(data.pixels.begin(), data.pixels.end(), std::uint8_t{1});
  return data;
}

TEST(ShuffledOrder, IsAPermutationThatDependsOnSeedAndEpoch) {
  const std::vector<std::int64_t> order = shuffled_order(1000, 3, 5);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(order, shuffled_order(1000, 3, 5));
  EXPECT_NE(order, shuffled_order(1000, 3, 6));
  EXPECT_NE(order, shuffled_order(1000, 4, 5));
}

TEST(ShuffledOrder, PutsEveryImageEverywhere) {
  std::set<std::int64_t> first;
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch) first.insert(shuffled_order(8, 1, epoch)[0]);
  EXPECT_EQ(first.size(), 8U);
}

TEST(Batch, NormalisesEachChannel) {
  network::Dataset data;
  data.image = {3, 1, 2};
  data.classes = 10;
  data.labels = {7};
  data.pixels = {0, 255, 51, 102, 255, 0};
  const network::Normalization normalization{{0.5F, 0.2F, 0.0F}, {0.5F, 0.1F, 2.0F}};
  const Batch batch = make_batch(data, normalization, std::int64_t{0}, 1);
  ASSERT_EQ(batch.images.sizes(), (std::vector<std::int64_t>{1, 3, 1, 2}));
  EXPECT_EQ(batch.labels[0].item<std::int64_t>(), 7);
  const std::vector<float> expected = {-1, 1, 0, 2, 0.5F, 0};
  const torch::Tensor values = batch.images.contiguous().flatten();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(values[static_cast<std::int64_t>(i)].item<float>(), expected[i], 1e-6) << i;
  }
}

TEST(Augmentation, IsACropOfThePaddedImageMirroredOrNot) {
  const network::Dataset data = numbered_image(5);
  const Augmentation augmentation{2, true};
  const std::int64_t index = 0;
  std::set<int> seen;
  for (std::uint64_t epoch = 0; epoch < 500; ++epoch) {
    const torch::Tensor image =
        make_batch(data, kPlain, &index, 1, augmentation, 9, epoch).images.reshape({5, 5}) * 255;
    // The centre pixel, never black, tells where the crop lies; whether it is mirrored, its
    // neighbour. Then all pixels must fit.
    const int centre = static_cast<int>(std::lround(image[2][2].item<float>())) - 1;
    const int right = static_cast<int>(std::lround(image[2][3].item<float>())) - 1;
    const int left = static_cast<int>(std::lround(image[2][1].item<float>())) - 1;
    const bool mirrored = right == centre - 1 || left == centre + 1;
    const int dy = centre / 5 - 2, dx = centre % 5 - 2;
    ASSERT_LE(std::abs(dy), 2);
    ASSERT_LE(std::abs(dx), 2);
    seen.insert((dy + 2) * 10 + (dx + 2) * 2 + (mirrored ? 1 : 0));
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 5; ++x) {
        const int fy = y + dy, fx = (mirrored ? 4 - x : x) + dx;
        const bool inside = fy >= 0 && fy < 5 && fx >= 0 && fx < 5;
        ASSERT_NEAR(image[y][x].item<float>(), inside ? fy * 5 + fx + 1 : 0, 1e-4)
            << "epoch " << epoch << " at " << y << ", " << x;
      }
    }
  }
  EXPECT_EQ(seen.size(), 50U) << "25 places, mirrored and not";
}

TEST(Augmentation, OfAnImageDoesNotDependOnItsBatch) {
  const network::Dataset data = test::synthetic_dataset(20, 1);
  const Augmentation augmentation{2, true};
  const std::vector<std::int64_t> all = {3, 19, 0, 7};
  const Batch together = make_batch(data, kPlain, all.data(), 4, augmentation, 1, 2);
  for (std::int64_t i = 0; i < 4; ++i) {
    const Batch alone =
        make_batch(data, kPlain, &all[static_cast<std::size_t>(i)], 1, augmentation, 1, 2);
    EXPECT_TRUE(torch::equal(together.images[i], alone.images[0]));
    EXPECT_TRUE(torch::equal(together.labels[i], alone.labels[0]));
  }
}

TEST(MakeBatch, DoesNotDependOnTheNumberOfThreads) {
  network::Dataset data = numbered_image(7);
  constexpr int count = 50;
  data.labels.clear();
  const std::vector<std::uint8_t> one = data.pixels;
  data.pixels.clear();
  for (int i = 0; i < count; ++i) {
    data.labels.push_back(static_cast<std::uint8_t>(i % 2));
    for (const std::uint8_t pixel : one)
      data.pixels.push_back(static_cast<std::uint8_t>(pixel + i));
  }
  const std::vector<std::int64_t> order = shuffled_order(count, 3, 1);
  std::vector<Batch> batches;
  const int threads = at::get_num_threads();
  for (const int number : {1, 4}) {
    at::set_num_threads(number);
    batches.push_back(make_batch(data, kPlain, order.data(), count, {2, true}, 5, 1));
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(batches[0].images, batches[1].images));
  EXPECT_TRUE(torch::equal(batches[0].labels, batches[1].labels));
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(batches[0].labels[i].item<std::int64_t>(), order[static_cast<std::size_t>(i)] % 2);
  }
}

BatchSource::Options of_ten(BatchSource::Rest rest = BatchSource::Rest::kept_from_half) {
  BatchSource::Options options;
  options.batch = 10;
  options.augmentation = {1, true};
  options.seed = 5;
  options.rest = rest;
  return options;
}

TEST(BatchSource, KeepsARestOfHalfABatchOrMore) {
  struct Case {
    std::int64_t images, kept, left_out;
  };
  for (const Case& of : {Case{20, 2, 2}, Case{24, 2, 2}, Case{25, 3, 2}, Case{29, 3, 2},
                         Case{10, 1, 1}, Case{3, 1, 1}}) {
    const network::Dataset data = test::synthetic_dataset(of.images, 1);
    const BatchSource kept(data, kPlain, of_ten());
    EXPECT_EQ(kept.batches(), of.kept) << of.images;
    EXPECT_EQ(kept.whole_batches(), of.left_out) << of.images;
    EXPECT_EQ(BatchSource(data, kPlain, of_ten(BatchSource::Rest::left_out)).batches(), of.left_out)
        << of.images;
  }
  EXPECT_THROW(BatchSource(test::synthetic_dataset(0, 1), kPlain, of_ten()), std::invalid_argument);
}

TEST(BatchSource, ShowsEveryImageOnceAnEpochInItsOrder) {
  const network::Dataset data = test::synthetic_dataset(26, 1);
  BatchSource source(data, kPlain, of_ten());
  for (const int epoch : {0, 1, 7}) {
    const std::vector<std::int64_t> order =
        shuffled_order(26, 5, static_cast<std::uint64_t>(epoch));
    std::int64_t next = 0;
    for (std::int64_t i = 0; i < source.batches(); ++i) {
      EXPECT_EQ(source.images_before(i), next);
      const Batch found = source.batch(epoch, i);
      const Batch expected = make_batch(data, kPlain, order.data() + next, found.labels.size(0),
                                        {1, true}, 5, static_cast<std::uint64_t>(epoch));
      EXPECT_TRUE(torch::equal(found.images, expected.images));
      EXPECT_TRUE(torch::equal(found.labels, expected.labels));
      next += found.labels.size(0);
    }
    EXPECT_EQ(next, 26);
  }
}

TEST(BatchSource, GivesAnyBatchAtAnyTime) {
  const network::Dataset data = test::synthetic_dataset(40, 1);
  BatchSource source(data, kPlain, of_ten());
  const torch::Tensor late = source.batch(3, 2).images;
  source.batch(0, 0);
  EXPECT_TRUE(torch::equal(source.batch(3, 2).images, late));
}

// The pool is what order 0 begins with, and stays; its orders are those of the numbers after it.
TEST(BatchSource, TakesAPoolOfTheImages) {
  const network::Dataset data = test::synthetic_dataset(40, 1);
  BatchSource::Options options = of_ten(BatchSource::Rest::left_out);
  options.images = 24;
  BatchSource source(data, kPlain, options);
  EXPECT_EQ(source.batches(), 2);
  const std::vector<std::int64_t> pool = shuffled_order(40, 5, 0);
  for (const int epoch : {0, 1}) {
    const auto number = static_cast<std::uint64_t>(epoch) + 1;
    std::vector<std::int64_t> indices;
    for (const std::int64_t i : shuffled_order(24, 5, number)) {
      indices.push_back(pool[static_cast<std::size_t>(i)]);
    }
    const Batch expected = make_batch(data, kPlain, indices.data() + 10, 10, {1, true}, 5, number);
    EXPECT_TRUE(torch::equal(source.batch(epoch, 1).images, expected.images));
  }
  options.images = 1000;
  EXPECT_EQ(BatchSource(data, kPlain, options).batches(), 4);
}

}  // namespace
}  // namespace abacus::train
