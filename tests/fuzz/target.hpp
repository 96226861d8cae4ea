// The readers of files, each as a function of a file's bytes. libFuzzer drives them (scripts/fuzz), and so does
// a test that cuts and changes every seed (mutated_files_test.cpp). One file a format; what they have in
// common stands here.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/support/temporary_folder.hpp"

namespace abacus::test {

// Each reads the bytes as a file of its format. True: the reader took them. False: it refused them as readers
// have to, by a std::runtime_error or std::invalid_argument that names the file. Whatever else it throws goes
// on to the caller, an error without the file's name as std::logic_error.
using ReadBytes = bool (*)(const std::string& bytes);

bool fuzz_area_table(const std::string& bytes);
bool fuzz_checkpoint(const std::string& bytes);  // of an input with_header() describes
bool fuzz_cifar(const std::string& bytes);
bool fuzz_csv(const std::string& bytes);
bool fuzz_element(const std::string& bytes);
bool fuzz_energy_table(const std::string& bytes);
bool fuzz_idx(const std::string& bytes);
bool fuzz_json(const std::string& bytes);
bool fuzz_manifest(const std::string& bytes);  // text, a NUL, the values
bool fuzz_npy(const std::string& bytes);
bool fuzz_package(const std::string& bytes);  // likewise
bool fuzz_preset(const std::string& bytes);
bool fuzz_pth(const std::string& bytes);
bool fuzz_safetensors(const std::string& bytes);
bool fuzz_scenario(const std::string& bytes);
bool fuzz_toml(const std::string& bytes);

// A folder of the target's own for as long as the program runs, with the file that it reads.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name) : path_(folder_.path() / name) {}

  std::filesystem::path beside(const std::string& name) const { return folder_.path() / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

// `read`, judged as ReadBytes says; `place`: what an error must name.
template <typename Read>
bool accepts(const std::string& place, const Read& read) {
  const auto require_place = [&](const char* text) {
    if (std::string(text).find(place) == std::string::npos) {
      throw std::logic_error("an error that does not name " + place + ": " + text);
    }
  };
  try {
    read();
  } catch (const std::runtime_error& error) {
    require_place(error.what());
    return false;
  } catch (const std::invalid_argument& error) {
    require_place(error.what());
    return false;
  }
  return true;
}

// A safetensors file of an input "JSON header, NUL, data": the header's length in front of it, and after it the
// data, cut or repeated to the size that the tensors' offsets say, up to 1 MiB. So a fuzzer's changes
// of the header do not all end at a wrong length.
std::string with_header(const std::string& input);

}  // namespace abacus::test
