#include "sw/network/dataset.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>

namespace abacus::network {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t validation_images = 5000;
constexpr std::uint32_t validation_seed = 20200;

struct Publication {
  const char* name;
  Shape image;
  int classes;
  std::int64_t train_images;
  std::int64_t test_images;
  Normalization normalization;
};

// Sizes: the publishers' pages. Means and deviations: of all training pixels, over 255; CIFAR-10's
// deviations are those that training recipes for it share, the AdderNet authors' among them (its
// pixels deviate by 0.2470, 0.2435, 0.2616).
const std::vector<Publication>& publications() {
  static const std::vector<Publication> all = {
      {"fashion-mnist", {1, 28, 28}, 10, 60000, 10000, {{0.2860F}, {0.3530F}}},
      {"cifar10",
       {3, 32, 32},
       10,
       50000,
       10000,
       {{0.4914F, 0.4822F, 0.4465F}, {0.2023F, 0.1994F, 0.2010F}}},
      {"cifar100",
       {3, 32, 32},
       100,
       50000,
       10000,
       {{0.5071F, 0.4865F, 0.4409F}, {0.2673F, 0.2564F, 0.2762F}}}};
  return all;
}

const Publication& publication(const std::string& name) {
  std::string allowed;
  for (const Publication& p : publications()) {
    if (name == p.name) return p;
    allowed += (allowed.empty() ? "" : ", ") + std::string(p.name);
  }
  throw std::invalid_argument("unknown dataset \"" + name + "\"; allowed: " + allowed);
}

[[noreturn]] void fail(const fs::path& file, std::int64_t offset, const std::string& found,
                       const std::string& expected) {
  throw std::runtime_error(file.string() + ": byte offset " + std::to_string(offset) + ": found " +
                           found + "; expected " + expected);
}

// The whole file, unpacked if it is gzipped (zlib hands on any other file as it is). Reads at most
// one byte more than expected, which is enough to tell that a file is too long, and takes memory as it
// reads: a short file is a short answer.
std::vector<std::uint8_t> read_file(const fs::path& file, std::int64_t expected_bytes) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), &gzclose);
  if (!in) throw std::runtime_error(file.string() + ": cannot open the file");
  gzbuffer(in.get(), 1U << 17);
  const std::size_t most = static_cast<std::size_t>(expected_bytes) + 1;
  std::vector<std::uint8_t> bytes;
  std::size_t used = 0;
  while (used < most) {
    const std::size_t wanted = std::min(most - used, std::max(std::size_t{1} << 16, used));
    bytes.resize(used + wanted);
    const int got = gzread(in.get(), bytes.data() + used, static_cast<unsigned>(wanted));
    int error = Z_OK;
    const char* const message = gzerror(in.get(), &error);
    if (got > 0) used += static_cast<std::size_t>(got);
    if (got < 0 || error != Z_OK) {
      fail(file, static_cast<std::int64_t>(used),
           std::string("a gzip stream that is cut short or damaged (") + message + ")",
           std::to_string(expected_bytes) + " unpacked bytes");
    }
    if (got == 0) break;
  }
  bytes.resize(used);
  return bytes;
}

void check_size(const fs::path& file, const std::vector<std::uint8_t>& bytes,
                std::int64_t expected) {
  const std::int64_t found = static_cast<std::int64_t>(bytes.size());
  if (found < expected) {
    fail(file, found, "the end of the file",
         std::to_string(expected) + " bytes (the file is truncated)");
  }
  if (found > expected) {
    fail(file, expected, "more bytes", "the end of the file after " + std::to_string(expected));
  }
}

void check_label(const fs::path& file, std::int64_t offset, std::uint8_t label, int classes,
                 const char* what) {
  if (label >= classes) {
    fail(file, offset, std::string(what) + " " + std::to_string(int{label}),
         "0 to " + std::to_string(classes - 1));
  }
}

// The first of the candidates that exists; the error lists them all and says where to get the data.
fs::path find_file(const std::vector<fs::path>& candidates, const std::string& remedy) {
  std::string looked;
  for (const fs::path& candidate : candidates) {
    if (fs::is_regular_file(candidate)) return candidate;
    looked += (looked.empty() ? "" : ", ") + candidate.string();
  }
  throw std::runtime_error("missing data file; looked for " + looked + "; " + remedy);
}

// IDX: big-endian magic number 0x00000800 + number of dimensions, then each dimension's size.
std::vector<std::uint8_t> read_idx(const fs::path& file, const std::vector<std::int64_t>& sizes) {
  const std::int64_t header = 4 + 4 * static_cast<std::int64_t>(sizes.size());
  const std::int64_t elements =
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  std::vector<std::uint8_t> bytes = read_file(file, header + elements);
  const auto check_word = [&](std::int64_t offset, std::int64_t expected, const char* what) {
    if (static_cast<std::int64_t>(bytes.size()) < offset + 4) {
      check_size(file, bytes, header + elements);
    }
    std::int64_t word = 0;
    for (int i = 0; i < 4; ++i) word = word * 256 + bytes[static_cast<std::size_t>(offset + i)];
    if (word != expected) {
      fail(file, offset, std::string(what) + " " + std::to_string(word), std::to_string(expected));
    }
  };
  check_word(0, 0x0800 + static_cast<std::int64_t>(sizes.size()), "magic number");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    check_word(4 + 4 * static_cast<std::int64_t>(i), sizes[i],
               i == 0 ? "item count" : "image side");
  }
  check_size(file, bytes, header + elements);
  bytes.erase(bytes.begin(), bytes.begin() + header);
  return bytes;
}

std::vector<fs::path> fashion_mnist_folders(const fs::path& root) {
  if (root.empty()) return {"/usr/share/datasets/fashion-mnist"};
  return {root, root / "fashion-mnist"};
}

void read_fashion_mnist(Dataset& data, const Publication& p, bool test, const fs::path& root) {
  const std::vector<fs::path> folders = fashion_mnist_folders(root);
  const auto find = [&](const std::string& name) {
    std::vector<fs::path> candidates;
    for (const fs::path& folder : folders) {
      candidates.push_back(folder / (name + ".gz"));
      candidates.push_back(folder / name);
    }
    return find_file(candidates,
                     "install Debian's package dataset-fashion-mnist and give no data root, or "
                     "fetch the files from https://github.com/zalandoresearch/fashion-mnist and "
                     "name their folder by --data or ABACUS_DATA");
  };
  const std::string prefix = test ? "t10k" : "train";
  const std::int64_t count = test ? p.test_images : p.train_images;
  const fs::path images = find(prefix + "-images-idx3-ubyte");
  const fs::path labels = find(prefix + "-labels-idx1-ubyte");
  data.labels = read_idx(labels, {count});
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    check_label(labels, 8 + static_cast<std::int64_t>(i), data.labels[i], p.classes, "label");
  }
  data.pixels = read_idx(images, {count, p.image.height, p.image.width});
}

// A record is one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100), then the pixels,
// channel by channel.
void append_cifar(Dataset& data, const Publication& p, const fs::path& file, std::int64_t count) {
  constexpr int coarse_classes = 20;
  const bool coarse = p.classes == 100;
  const std::int64_t label_bytes = coarse ? 2 : 1;
  const std::int64_t record = label_bytes + p.image.elements();
  const std::vector<std::uint8_t> bytes = read_file(file, count * record);
  check_size(file, bytes, count * record);
  data.labels.reserve(data.labels.size() + static_cast<std::size_t>(count));
  data.pixels.reserve(data.pixels.size() + static_cast<std::size_t>(count * p.image.elements()));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t offset = i * record;
    const std::uint8_t* const data_record = bytes.data() + offset;
    if (coarse) check_label(file, offset, data_record[0], coarse_classes, "coarse label");
    const std::uint8_t label = data_record[label_bytes - 1];
    check_label(file, offset + label_bytes - 1, label, p.classes, coarse ? "fine label" : "label");
    data.labels.push_back(label);
    data.pixels.insert(data.pixels.end(), data_record + label_bytes, data_record + record);
  }
}

void read_cifar(Dataset& data, const Publication& p, bool test, const fs::path& root) {
  const bool ten = p.classes == 10;
  const std::string remedy =
      std::string("fetch the \"binary version\" of ") + (ten ? "CIFAR-10" : "CIFAR-100") +
      " from https://www.cs.toronto.edu/~kriz/cifar.html, unpack it and name the folder by --data "
      "or ABACUS_DATA";
  if (root.empty()) {
    throw std::runtime_error("no data root given for dataset " + std::string(p.name) + "; " +
                             remedy);
  }
  std::vector<std::string> names;
  if (ten && test) names = {"test_batch.bin"};
  if (ten && !test) {
    for (int i = 1; i <= 5; ++i) names.push_back("data_batch_" + std::to_string(i) + ".bin");
  }
  if (!ten) names = {test ? "test.bin" : "train.bin"};

  std::vector<fs::path> files;  // all are looked for before the first is read
  for (const std::string& name : names) {
    files.push_back(find_file(
        {root / name, root / (ten ? "cifar-10-batches-bin" : "cifar-100-binary") / name}, remedy));
  }
  const std::int64_t count = test ? p.test_images : p.train_images;
  for (const fs::path& file : files) {
    append_cifar(data, p, file, count / static_cast<std::int64_t>(files.size()));
  }
}

// Which of `count` training images are for validation. Own shuffle, since std::shuffle may differ
// between standard libraries; the generator itself is fixed by the C++ standard.
std::vector<bool> validation_mask(std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::mt19937 generator(validation_seed);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[generator() % (i + 1)]);
  }
  std::vector<bool> mask(order.size(), false);
  for (std::int64_t i = 0; i < validation_images; ++i) {
    mask[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
  }
  return mask;
}

// Keeps the images of the split, in the files' order.
void keep_split(Dataset& data, bool validation) {
  const std::vector<bool> mask = validation_mask(data.count());
  const std::int64_t size = data.image.elements();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != validation) continue;
    data.labels[kept] = data.labels[i];
    std::copy_n(data.pixels.begin() + static_cast<std::int64_t>(i) * size, size,
                data.pixels.begin() + static_cast<std::int64_t>(kept) * size);
    ++kept;
  }
  data.labels.resize(kept);
  data.pixels.resize(kept * static_cast<std::size_t>(size));
}

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Publication& p : publications()) all.emplace_back(p.name);
    return all;
  }();
  return names;
}

Shape dataset_image(const std::string& name) { return publication(name).image; }

int dataset_classes(const std::string& name) { return publication(name).classes; }

Normalization dataset_normalization(const std::string& name) {
  return publication(name).normalization;
}

fs::path data_root(const fs::path& given) {
  if (!given.empty()) return given;
  const char* const environment = std::getenv("ABACUS_DATA");
  return environment != nullptr ? fs::path(environment) : fs::path();
}

fs::path data_root(const fs::path& given, const std::string& dataset) {
  const fs::path root = data_root(given);
  if (!given.empty() || root.empty() || dataset != "fashion-mnist") return root;
  for (const fs::path& folder : fashion_mnist_folders(root)) {
    for (const char* file : {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"}) {
      if (fs::exists(folder / file) || fs::exists(folder / (std::string(file) + ".gz")))
        return root;
    }
  }
  return {};
}

Dataset load_dataset(const std::string& name, Split split, const fs::path& root) {
  const Publication& p = publication(name);
  Dataset data;
  data.name = name;
  data.image = p.image;
  data.classes = p.classes;
  const bool test = split == Split::test;
  if (name == "fashion-mnist") {
    read_fashion_mnist(data, p, test, root);
  } else {
    read_cifar(data, p, test, root);
  }
  if (split == Split::train || split == Split::validation) {
    keep_split(data, split == Split::validation);
  }
  return data;
}

}  // namespace abacus::network
