#include "sw/import/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace abacus::imports {
namespace {

using test::TemporaryFolder;
using test::write_text;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255U);
  return text;
}

std::string floats(const std::vector<float>& values) {
  std::string text(values.size() * sizeof(float), '\0');
  std::memcpy(text.data(), values.data(), text.size());
  return text;
}

std::string text_instruction(const std::string& text) {
  return "X" + little_endian(text.size(), 4) + text;
}

// Instructions that build one tensor on a storage, as torch.save writes them.
std::string tensor_instructions(const std::string& storage_type, const std::string& key,
                                int elements, const std::string& shape,
                                const std::string& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text_instruction("storage") + "ctorch\n" +
         storage_type + "\n" + text_instruction(key) + text_instruction("cpu") + "K" +
         little_endian(static_cast<std::uint64_t>(elements), 1) + "NtQK" + little_endian(0, 1) +
         "(" + shape + "t(" + strides + "t\x89" + "ccollections\nOrderedDict\n)RtR";
}

std::string small(int value) { return "K" + little_endian(static_cast<std::uint64_t>(value), 1); }

const std::string kProtocol = std::string("\x80\x02", 2);

// A whole file: dictionary with `entries`, storages `keys` and their raw bytes.
std::string legacy_file(const std::string& entries, const std::vector<std::string>& keys,
                        const std::string& storages) {
  std::string file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15);
  file += kProtocol + "M" + little_endian(1001, 2) + ".";
  file += kProtocol + "}.";
  file += kProtocol + "ccollections\nOrderedDict\n)R(" + entries + "u.";
  file += kProtocol + "](";
  for (const std::string& key : keys) file += text_instruction(key);
  return file + "e." + storages;
}

std::string example_entries() {
  return text_instruction("module.conv1.adder") +
         tensor_instructions("FloatStorage", "11", 4, small(2) + small(2), small(2) + small(1)) +
         text_instruction("module.bn1.num_batches_tracked") +
         tensor_instructions("LongStorage", "12", 1, "", "");
}

std::string example_file() {
  return legacy_file(
      example_entries(), {"11", "12"},
      little_endian(4, 8) + floats({1, 2, 3, -4}) + little_endian(1, 8) + little_endian(99, 8));
}

class Import : public ::testing::Test {
 protected:
  std::string error_of(const std::string& bytes) {
    test::write_text(file_, bytes);
    try {
      read_legacy_torch(file_);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "accepted";
  }

  std::string manifest_error(const std::string& manifest, const std::string& values) {
    test::write_text(folder_.path() / "a.manifest.txt", manifest);
    test::write_text(folder_.path() / "a.f32", values);
    try {
      read_float_manifest(folder_.path() / "a.manifest.txt");
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr((folder_.path() / "a.").string()));
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "a.pth";
};

TEST_F(Import, ReadsTorchsLegacyFormat) {
  test::write_text(file_, example_file());
  const auto tensors = read_foreign_tensors(file_);
  ASSERT_THAT(tensors, ElementsAre(Key("conv1.weight")));
  EXPECT_THAT(tensors.at("conv1.weight").shape, ElementsAre(2, 2));
  EXPECT_THAT(tensors.at("conv1.weight").values<float>(), ElementsAre(1, 2, 3, -4));
}

TEST_F(Import, RefusesATorchFileCutAnywhere) {
  const std::string whole = example_file();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_NE(error_of(whole.substr(0, length)), "accepted") << "cut to " << length << " bytes";
  }
  EXPECT_THAT(error_of(whole + "x"), HasSubstr("1 bytes behind the last storage"));
}

TEST_F(Import, ExecutesNothing) {
  const std::string call =
      text_instruction("a") + "cos\nsystem\n(" + text_instruction("true") + "tR";
  EXPECT_THAT(error_of(legacy_file(call, {}, "")), HasSubstr("\"os system\""));
}

TEST_F(Import, RefusesTensorsThatDoNotLieInTheirStorage) {
  const std::string storage = little_endian(4, 8) + floats({1, 2, 3, 4});
  const auto with = [&](const std::string& shape, const std::string& strides) {
    return error_of(legacy_file(
        text_instruction("w") + tensor_instructions("FloatStorage", "1", 4, shape, strides), {"1"},
        storage));
  };
  EXPECT_EQ(with(small(4), small(1)), "accepted");
  EXPECT_THAT(with(small(5), small(1)), HasSubstr("tensor \"w\""));
  EXPECT_THAT(with(small(2), small(2)), HasSubstr("tensor \"w\""));
  EXPECT_THAT(with(small(2) + small(2), small(1)), HasSubstr("tensor \"w\""));
}

TEST_F(Import, RefusesOtherElementTypes) {
  const std::string entries =
      text_instruction("w") + tensor_instructions("DoubleStorage", "1", 1, small(1), small(1));
  EXPECT_THAT(error_of(legacy_file(entries, {"1"}, little_endian(1, 8) + little_endian(0, 8))),
              AllOf(HasSubstr("tensor \"w\""), HasSubstr("DoubleStorage")));
}

TEST_F(Import, SurvivesAnyByteChanged) {
  const std::string whole = example_file();
  for (std::size_t at = 15; at < whole.size(); ++at) {
    for (const int flip : {1, 0x40, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      error_of(changed);  // accepted (another value, another name) or refused, but no crash
    }
  }
}

TEST_F(Import, ReadsAManifest) {
  test::write_text(folder_.path() / "b.manifest.txt",
                   "module.layer1.0.conv1.adder 0 1x2x1x1\nmodule.bn1.bias 2 3\n");
  test::write_text(folder_.path() / "b.f32", floats({1, 2, 3, 4, 5}));
  const auto tensors = read_foreign_tensors(folder_.path() / "b.manifest.txt");
  ASSERT_THAT(tensors, ElementsAre(Key("bn1.bias"), Key("layer1.0.conv1.weight")));
  EXPECT_THAT(tensors.at("layer1.0.conv1.weight").shape, ElementsAre(1, 2, 1, 1));
  EXPECT_THAT(tensors.at("bn1.bias").values<float>(), ElementsAre(3, 4, 5));
}

TEST_F(Import, RefusesABadManifest) {
  const std::string two = floats({1, 2});
  EXPECT_EQ(manifest_error("a 0 2\n", two), "accepted");
  EXPECT_THAT(manifest_error("a 0\n", two), HasSubstr("line 1"));
  EXPECT_THAT(
      manifest_error("a 0 1\nb 0 1\n", two),
      AllOf(HasSubstr("line 2"), HasSubstr("\"b\""), HasSubstr("found offset 0, expected 1")));
  EXPECT_THAT(manifest_error("a 0 2x\n", two), AllOf(HasSubstr("\"a\""), HasSubstr("2x")));
  EXPECT_THAT(manifest_error("a 0 -2\n", two), HasSubstr("-2"));
  EXPECT_THAT(manifest_error("a 0 99999999x99999999\n", two), HasSubstr("shape"));
  EXPECT_THAT(manifest_error("a 0 3\n", two), AllOf(HasSubstr("a.f32"), HasSubstr("\"a\"")));
  EXPECT_THAT(manifest_error("a 0 1\n", two), AllOf(HasSubstr("found 8 bytes, expected 4")));
  EXPECT_THAT(manifest_error("a 0 1\na 1 1\n", two), HasSubstr("found twice"));
}

TEST_F(Import, RefusesAFileOfAnotherKind) {
  test::write_text(folder_.path() / "c.bin", "something else");
  EXPECT_THROW(read_foreign_tensors(folder_.path() / "c.bin"), std::runtime_error);
  EXPECT_THROW(read_foreign_tensors(folder_.path() / "absent.pth"), std::runtime_error);
}

}  // namespace
}  // namespace abacus::imports
