#include "sw/network/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace abacus::network {
namespace {

using test::read_text;
using test::TemporaryFolder;
using test::write_text;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t side = 28;
constexpr std::int64_t test_count = 10000;
constexpr std::int64_t train_count = 60000;

std::string big_endian(std::int64_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((value >> shift) & 255);
  }
  return bytes;
}

// Image i carries i in its first three pixels.
std::string idx_images(std::int64_t count) {
  std::string bytes = big_endian(0x803) + big_endian(count) + big_endian(side) + big_endian(side);
  const std::size_t header = bytes.size();
  bytes.resize(header + static_cast<std::size_t>(count * side * side), '\0');
  for (std::int64_t i = 0; i < count; ++i) {
    char* const pixel = bytes.data() + header + i * side * side;
    pixel[0] = static_cast<char>(i & 255);
    pixel[1] = static_cast<char>((i >> 8) & 255);
    pixel[2] = static_cast<char>(i >> 16);
  }
  return bytes;
}

std::string idx_labels(std::int64_t count) {
  std::string bytes = big_endian(0x801) + big_endian(count);
  for (std::int64_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}

std::int64_t index_of(const Dataset& data, std::int64_t i) {
  const std::uint8_t* const pixel = data.image_data(i);
  return pixel[0] + 256 * pixel[1] + 65536 * pixel[2];
}

void write_gzip(const std::filesystem::path& file, const std::string& bytes) {
  gzFile out = gzopen(file.c_str(), "wb1");
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size())),
            static_cast<int>(bytes.size()));
  EXPECT_EQ(gzclose(out), Z_OK);
}

// A file of zeros, most of which takes no room on the disk.
void write_zeros(const std::filesystem::path& file, std::int64_t bytes) {
  test::write_text(file, "");
  std::filesystem::resize_file(file, static_cast<std::uintmax_t>(bytes));
}

void poke(const std::filesystem::path& file, std::int64_t offset, int value) {
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(offset);
  out.put(static_cast<char>(value));
  out.close();
  ASSERT_TRUE(out.good());
}

std::string error_of(const std::string& name, Split split, const std::filesystem::path& root) {
  try {
    load_dataset(name, split, root);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

class FashionMnist : public ::testing::Test {
 protected:
  FashionMnist() {
    test::write_text(images_, idx_images(test_count));
    test::write_text(labels_, idx_labels(test_count));
  }
  std::string error() { return error_of("fashion-mnist", Split::test, folder_.path()); }

  TemporaryFolder folder_;
  const std::filesystem::path images_ = folder_.path() / "t10k-images-idx3-ubyte";
  const std::filesystem::path labels_ = folder_.path() / "t10k-labels-idx1-ubyte";
};

TEST_F(FashionMnist, ReadsPlainFiles) {
  const Dataset data = load_dataset("fashion-mnist", Split::test, folder_.path());
  EXPECT_EQ(data.name, "fashion-mnist");
  EXPECT_EQ(data.image, (Shape{1, 28, 28}));
  EXPECT_EQ(data.classes, 10);
  ASSERT_EQ(data.count(), test_count);
  ASSERT_EQ(data.pixels.size(), static_cast<std::size_t>(test_count * side * side));
  for (std::int64_t i = 0; i < test_count; ++i) {
    ASSERT_EQ(index_of(data, i), i);
    ASSERT_EQ(data.labels[static_cast<std::size_t>(i)], i % 10);
  }
}

TEST_F(FashionMnist, ReadsGzippedFilesInAFolderBelow) {
  const TemporaryFolder root;
  const std::filesystem::path folder = root.path() / "fashion-mnist";
  std::filesystem::create_directory(folder);
  write_gzip(folder / "t10k-images-idx3-ubyte.gz", test::read_text(images_));
  write_gzip(folder / "t10k-labels-idx1-ubyte.gz", test::read_text(labels_));
  const Dataset zipped = load_dataset("fashion-mnist", Split::test, root.path());
  const Dataset plain = load_dataset("fashion-mnist", Split::test, folder_.path());
  EXPECT_EQ(zipped.pixels, plain.pixels);
  EXPECT_EQ(zipped.labels, plain.labels);
}

TEST_F(FashionMnist, TruncatedFiles) {
  std::filesystem::resize_file(images_, 1000);
  EXPECT_THAT(error(), AllOf(HasSubstr(images_.string()), HasSubstr("byte offset 1000"),
                             HasSubstr("7840016 bytes"), HasSubstr("truncated")));
  std::filesystem::resize_file(images_, 6);  // inside the header
  EXPECT_THAT(error(), AllOf(HasSubstr(images_.string()), HasSubstr("byte offset 6")));
  std::filesystem::resize_file(labels_, 10007);
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_.string()), HasSubstr("byte offset 10007")));
  std::filesystem::resize_file(labels_, 0);
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_.string()), HasSubstr("byte offset 0")));
}

TEST_F(FashionMnist, TrailingBytes) {
  std::filesystem::resize_file(labels_, 10009);
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_.string()), HasSubstr("byte offset 10008"),
                             HasSubstr("more bytes")));
}

TEST_F(FashionMnist, WrongMagicNumber) {
  std::filesystem::copy_file(images_, labels_, std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_.string()), HasSubstr("byte offset 0"),
                             HasSubstr("magic number 2051"), HasSubstr("expected 2049")));
}

TEST_F(FashionMnist, WrongCountAndSize) {
  poke(labels_, 7, 0x0f);
  EXPECT_THAT(error(), AllOf(HasSubstr("byte offset 4"), HasSubstr("item count 9999"),
                             HasSubstr("expected 10000")));
  test::write_text(labels_, idx_labels(test_count));
  poke(images_, 15, 32);
  EXPECT_THAT(error(), AllOf(HasSubstr(images_.string()), HasSubstr("byte offset 12"),
                             HasSubstr("image side 32"), HasSubstr("expected 28")));
}

TEST_F(FashionMnist, WrongLabel) {
  poke(labels_, 8 + 123, 10);
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_.string()), HasSubstr("byte offset 131"),
                             HasSubstr("label 10"), HasSubstr("0 to 9")));
}

TEST_F(FashionMnist, DamagedGzipStreams) {
  const std::filesystem::path zipped = folder_.path() / "t10k-images-idx3-ubyte.gz";
  write_gzip(zipped, test::read_text(images_));  // is looked for before the plain file
  const std::uintmax_t size = std::filesystem::file_size(zipped);
  EXPECT_EQ(error(), "accepted");
  poke(zipped, static_cast<std::int64_t>(size) - 8, 0x5a);  // checksum
  EXPECT_THAT(error(), AllOf(HasSubstr(zipped.string()), HasSubstr("damaged")));
  std::filesystem::resize_file(zipped, size / 2);
  EXPECT_THAT(error(), AllOf(HasSubstr(zipped.string()), HasSubstr("cut short")));
}

TEST_F(FashionMnist, MissingFileSaysWhereItWasLookedForAndHowToGetIt) {
  std::filesystem::remove(images_);
  EXPECT_THAT(error(),
              AllOf(HasSubstr(images_.string()), HasSubstr(images_.string() + ".gz"),
                    HasSubstr((folder_.path() / "fashion-mnist/t10k-images-idx3-ubyte").string()),
                    HasSubstr("dataset-fashion-mnist")));
}

TEST(FashionMnistSplits, ValidationAndTrainPartTheTrainingImages) {
  const TemporaryFolder folder;
  test::write_text(folder.path() / "train-images-idx3-ubyte", idx_images(train_count));
  test::write_text(folder.path() / "train-labels-idx1-ubyte", idx_labels(train_count));
  const auto load = [&](Split split) {
    return load_dataset("fashion-mnist", split, folder.path());
  };
  const Dataset all = load(Split::train_all);
  const Dataset train = load(Split::train);
  const Dataset validation = load(Split::validation);
  ASSERT_EQ(all.count(), train_count);
  ASSERT_EQ(train.count(), 55000);
  ASSERT_EQ(validation.count(), 5000);
  std::set<std::int64_t> seen;
  for (const Dataset* data : {&train, &validation}) {
    ASSERT_EQ(data->pixels.size(), static_cast<std::size_t>(data->count() * side * side));
    for (std::int64_t i = 0; i < data->count(); ++i) {
      seen.insert(index_of(*data, i));
      ASSERT_EQ(data->labels[static_cast<std::size_t>(i)], index_of(*data, i) % 10);
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(train_count));
  // Drawn from everywhere, not a block: each tenth of the file holds about a tenth of it.
  std::vector<int> tenths(10, 0);
  for (std::int64_t i = 0; i < 5000; ++i) {
    ++tenths[static_cast<std::size_t>(index_of(validation, i) / 6000)];
  }
  EXPECT_GT(*std::min_element(tenths.begin(), tenths.end()), 400);
  EXPECT_LT(*std::max_element(tenths.begin(), tenths.end()), 600);
  EXPECT_EQ(load(Split::validation).pixels, validation.pixels);
}

constexpr std::int64_t record10 = 1 + 3 * 32 * 32;
constexpr std::int64_t record100 = 2 + 3 * 32 * 32;

TEST(Cifar10, ReadsRecordsOfAllTrainingFilesInOrder) {
  const TemporaryFolder folder;
  const std::filesystem::path below = folder.path() / "cifar-10-batches-bin";
  std::filesystem::create_directory(below);
  for (int batch = 1; batch <= 5; ++batch) {
    const std::filesystem::path file = below / ("data_batch_" + std::to_string(batch) + ".bin");
    write_zeros(file, 10000 * record10);
    poke(file, 7 * record10, batch);                   // label of record 7
    poke(file, 7 * record10 + 1 + 1024, 100 + batch);  // its first green pixel
  }
  const Dataset data = load_dataset("cifar10", Split::train_all, folder.path());
  EXPECT_EQ(data.image, (Shape{3, 32, 32}));
  ASSERT_EQ(data.count(), 50000);
  ASSERT_EQ(data.pixels.size(), std::size_t{50000} * 3072);
  for (int batch = 1; batch <= 5; ++batch) {
    const std::int64_t i = (batch - 1) * 10000 + 7;
    EXPECT_EQ(data.labels[static_cast<std::size_t>(i)], batch);
    EXPECT_EQ(data.image_data(i)[1024], 100 + batch);
    EXPECT_EQ(data.labels[static_cast<std::size_t>(i) + 1], 0);
  }
}

TEST(Cifar10, BadFiles) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "test_batch.bin";
  const auto error = [&] { return error_of("cifar10", Split::test, folder.path()); };
  EXPECT_THAT(error(), AllOf(HasSubstr(file.string()),
                             HasSubstr((folder.path() / "cifar-10-batches-bin").string()),
                             HasSubstr("cs.toronto.edu")));
  write_zeros(file, 10000 * record10);
  EXPECT_EQ(error(), "accepted");
  poke(file, 9999 * record10, 10);
  EXPECT_THAT(error(), AllOf(HasSubstr(file.string()),
                             HasSubstr("byte offset " + std::to_string(9999 * record10)),
                             HasSubstr("label 10"), HasSubstr("0 to 9")));
  write_zeros(file, 10000 * record10 - 1);
  EXPECT_THAT(error(), AllOf(HasSubstr("byte offset 30729999"), HasSubstr("30730000 bytes")));
  write_zeros(file, 10000 * record10 + 1);
  EXPECT_THAT(error(), AllOf(HasSubstr("byte offset 30730000"), HasSubstr("more bytes")));
}

TEST(Cifar10, OneMissingTrainingFileIsAnError) {
  const TemporaryFolder folder;
  for (int batch = 1; batch <= 4; ++batch) {
    write_zeros(folder.path() / ("data_batch_" + std::to_string(batch) + ".bin"), 10000 * record10);
  }
  EXPECT_THAT(error_of("cifar10", Split::train, folder.path()), HasSubstr("data_batch_5.bin"));
}

TEST(Cifar100, TakesTheFineLabel) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "test.bin";
  write_zeros(file, 10000 * record100);
  poke(file, 3 * record100, 19);
  poke(file, 3 * record100 + 1, 99);
  poke(file, 3 * record100 + 2, 200);
  const Dataset data = load_dataset("cifar100", Split::test, folder.path());
  EXPECT_EQ(data.classes, 100);
  ASSERT_EQ(data.count(), 10000);
  EXPECT_EQ(data.labels[3], 99);
  EXPECT_EQ(data.image_data(3)[0], 200);
}

TEST(Cifar100, BadLabels) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "test.bin";
  write_zeros(file, 10000 * record100);
  poke(file, 2 * record100 + 1, 100);
  EXPECT_THAT(error_of("cifar100", Split::test, folder.path()),
              AllOf(HasSubstr("byte offset " + std::to_string(2 * record100 + 1)),
                    HasSubstr("fine label 100"), HasSubstr("0 to 99")));
  poke(file, record100, 20);
  EXPECT_THAT(error_of("cifar100", Split::test, folder.path()),
              AllOf(HasSubstr("byte offset " + std::to_string(record100)),
                    HasSubstr("coarse label 20"), HasSubstr("0 to 19")));
}

// CIFAR-10's file under CIFAR-100's name: its records are a byte shorter.
TEST(Cifar100, FileOfTheOtherDatasetIsAnError) {
  const TemporaryFolder folder;
  write_zeros(folder.path() / "test.bin", 10000 * record10);
  EXPECT_THAT(error_of("cifar100", Split::test, folder.path()), HasSubstr("30740000 bytes"));
}

TEST(Cifar, EmptyRootSaysHowToGiveOne) {
  for (const char* name : {"cifar10", "cifar100"}) {
    EXPECT_THAT(error_of(name, Split::test, {}),
                AllOf(HasSubstr(name), HasSubstr("--data"), HasSubstr("ABACUS_DATA")));
  }
}

TEST(DatasetNames, DescribeEveryDatasetAndRejectOthers) {
  EXPECT_THAT(dataset_names(), ::testing::ElementsAre("fashion-mnist", "cifar10", "cifar100"));
  EXPECT_EQ(dataset_image("cifar100"), (Shape{3, 32, 32}));
  EXPECT_EQ(dataset_classes("cifar100"), 100);
  for (const std::string& name : dataset_names()) {
    const Normalization n = dataset_normalization(name);
    for (int c = 0; c < dataset_image(name).channels; ++c) {
      EXPECT_GT(n.mean[static_cast<std::size_t>(c)], 0.2F);
      EXPECT_LT(n.mean[static_cast<std::size_t>(c)], 0.6F);
      EXPECT_GT(n.deviation[static_cast<std::size_t>(c)], 0.1F);
    }
  }
  try {
    load_dataset("mnist", Split::test, {});
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("\"mnist\""), HasSubstr("fashion-mnist, cifar10, cifar100")));
  }
}

TEST(DataRoot, GivenThenEnvironmentThenEmpty) {
  ASSERT_EQ(::setenv("ABACUS_DATA", "/from/environment", 1), 0);
  EXPECT_EQ(data_root("/given"), "/given");
  EXPECT_EQ(data_root(""), "/from/environment");
  ASSERT_EQ(::unsetenv("ABACUS_DATA"), 0);
  EXPECT_EQ(data_root(""), "");
}

TEST(DataRoot, AnEnvironmentWithoutFashionMnistDoesNotHideDebiansPackage) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(::setenv("ABACUS_DATA", folder.path().c_str(), 1), 0);
  EXPECT_EQ(data_root("", "fashion-mnist"), "");
  EXPECT_EQ(data_root("", "cifar10"), folder.path());
  EXPECT_EQ(data_root("/given", "fashion-mnist"), "/given");
  std::filesystem::create_directories(folder.path() / "fashion-mnist");
  test::write_text(folder.path() / "fashion-mnist" / "t10k-images-idx3-ubyte.gz", "");
  EXPECT_EQ(data_root("", "fashion-mnist"), folder.path());
  ASSERT_EQ(::unsetenv("ABACUS_DATA"), 0);
}

}  // namespace
}  // namespace abacus::network
