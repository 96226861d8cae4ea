// Every reader on files that are whole, cut anywhere, and changed anywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/allocation_peak.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {
namespace {

struct Format {
  const char* name;  // of its folder of seeds
  ReadBytes read;
};

const std::vector<Format>& formats() {
  static const std::vector<Format> all = {{"area_table", fuzz_area_table},
                                          {"checkpoint", fuzz_checkpoint},
                                          {"cifar", fuzz_cifar},
                                          {"csv", fuzz_csv},
                                          {"element", fuzz_element},
                                          {"energy_table", fuzz_energy_table},
                                          {"idx", fuzz_idx},
                                          {"json", fuzz_json},
                                          {"manifest", fuzz_manifest},
                                          {"npy", fuzz_npy},
                                          {"package", fuzz_package},
                                          {"preset", fuzz_preset},
                                          {"pth", fuzz_pth},
                                          {"safetensors", fuzz_safetensors},
                                          {"scenario", fuzz_scenario},
                                          {"toml", fuzz_toml}};
  return all;
}

std::vector<std::filesystem::path> seeds_of(const Format& format) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(ABACUS_SEED_FOLDER) / format.name)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_refused(const std::filesystem::path& seed) {
  return seed.filename().string().rfind("refused-", 0) == 0;
}

class MutatedFiles : public ::testing::TestWithParam<Format> {
 protected:
  // Clean, and in no more memory than the input's size allows for. (A checkpoint's header names its
  // whole data: with_header() makes up to 1 MiB of them.)
  bool read(const std::string& bytes, const std::string& what) {
    constexpr std::size_t fixed = 8 << 20;
    constexpr std::size_t a_byte = 256;
    const AllocationPeak peak;
    bool accepted = false;
    EXPECT_NO_THROW(accepted = GetParam().read(bytes)) << what;
    EXPECT_LE(peak.bytes(), fixed + a_byte * bytes.size()) << what;
    return accepted;
  }

  // For at most so many positions, evenly over the file.
  template <typename Each>
  void at_positions(const std::string& whole, const Each& each) {
    constexpr std::size_t most = 400;
    const std::size_t step = std::max<std::size_t>(1, whole.size() / most);
    for (std::size_t at = 0; at < whole.size(); at += step) {
      each(at);
      if (HasFailure()) return;
    }
  }
};

TEST_P(MutatedFiles, SeedsAreTakenOrRefusedAsTheirNamesSay) {
  const auto seeds = seeds_of(GetParam());
  ASSERT_FALSE(seeds.empty());
  // CIFAR's files are whole at 30 MB: its seeds are parts of them.
  EXPECT_EQ(std::all_of(seeds.begin(), seeds.end(), is_refused),
            std::string(GetParam().name) == "cifar");
  for (const auto& seed : seeds) {
    EXPECT_EQ(read(read_text(seed), seed.string()), !is_refused(seed)) << seed;
  }
}

TEST_P(MutatedFiles, CutAnywhere) {
  for (const auto& seed : seeds_of(GetParam())) {
    const std::string whole = read_text(seed);
    at_positions(whole, [&](std::size_t length) {
      read(whole.substr(0, length), seed.string() + " cut at " + std::to_string(length));
    });
  }
}

TEST_P(MutatedFiles, ChangedAnywhere) {
  for (const auto& seed : seeds_of(GetParam())) {
    const std::string whole = read_text(seed);
    int turn = 0;
    at_positions(whole, [&](std::size_t at) {
      constexpr int flips[] = {0x01, 0x80, 0xff, 0x10};
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flips[turn++ % 4]);
      read(changed, seed.string() + " changed at " + std::to_string(at));
      std::string longer = whole;
      longer.insert(at, longer.substr(at / 2, 16));
      read(longer, seed.string() + " with more at " + std::to_string(at));
    });
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFormat, MutatedFiles, ::testing::ValuesIn(formats()),
                         [](const auto& format) { return std::string(format.param.name); });

}  // namespace
}  // namespace abacus::test
