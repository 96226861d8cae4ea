#include "sw/import/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/import/pickle_reader.hpp"
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
  const auto tensors = read_foreign_tensors(file_, network::Arithmetic::adder);
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
  const auto tensors =
      read_foreign_tensors(folder_.path() / "b.manifest.txt", network::Arithmetic::adder);
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
  for (const char* name : {"c.bin", "absent.pth"}) {
    EXPECT_THROW(read_foreign_tensors(folder_.path() / name, network::Arithmetic::adder),
                 std::runtime_error);
  }
}

// A storage's extent is that of its elements' type: two types would be two extents.
TEST_F(Import, RefusesAStorageOfTwoTypes) {
  const std::string entries =
      text_instruction("a") + tensor_instructions("FloatStorage", "0", 4, small(4), small(1)) +
      text_instruction("b") + tensor_instructions("LongStorage", "0", 4, small(4), small(1));
  EXPECT_THAT(
      error_of(legacy_file(entries, {"0"}, little_endian(4, 8) + floats({1, 2, 3, 4}))),
      AllOf(HasSubstr("tensor \"b\""), HasSubstr("LongStorage"), HasSubstr("FloatStorage")));
  const std::string one =
      text_instruction("a") + tensor_instructions("FloatStorage", "0", 1, small(1), small(1));
  const std::string storage = little_endian(1, 8) + floats({1});
  EXPECT_THAT(error_of(legacy_file(one, {"0", "0"}, storage + storage)),
              AllOf(HasSubstr("storage 0"), HasSubstr("twice")));
}

TEST_F(Import, RefusesSizesThatOverflow) {
  const std::string large = "\x8a\x08" + little_endian(std::uint64_t{1} << 62, 8);
  const std::string storage = little_endian(1, 8) + floats({1});
  const auto with = [&](const std::string& shape, const std::string& strides) {
    return error_of(legacy_file(
        text_instruction("w") + tensor_instructions("FloatStorage", "1", 1, shape, strides), {"1"},
        storage));
  };
  for (const std::string& shape : {large, large + large, small(0) + large + large,
                                   large + large + small(0), small(1) + large + small(4)}) {
    EXPECT_THAT(with(shape, shape), HasSubstr("tensor \"w\"")) << shape.size();
  }
  std::string ones;
  for (std::size_t i = 0; i <= most_tensor_dimensions; ++i) ones += small(1);
  EXPECT_THAT(with(ones, ones), HasSubstr("found 9 dimensions, allowed: at most 8"));
}

// Values of any depth and in circles come and go; nothing is leaked (AddressSanitizer's part).
TEST_F(Import, SurvivesNestingAndCircles) {
  const auto with = [&](const std::string& value) {
    return error_of(legacy_file(text_instruction("w") + value, {}, ""));
  };
  std::string deep = ")";
  for (int i = 0; i < 90'000; ++i) deep += "\x85";
  EXPECT_THAT(with(deep), HasSubstr("\"w\": found no tensor"));
  EXPECT_THAT(with("]" + std::string("q\x01h\x01", 4) + "a"), HasSubstr("\"w\": found no tensor"));
  EXPECT_THAT(
      with("}" + std::string("q\x01", 2) + text_instruction("k") + std::string("h\x01", 2) + "s"),
      HasSubstr("found a dictionary inside the dictionary"));
}

// A small file must not become a large one in memory.
TEST_F(Import, BoundsCountsAndCopies) {
  const auto with = [&](const std::string& value) {
    return error_of(legacy_file(text_instruction("w") + value, {}, ""));
  };
  EXPECT_THAT(with("(" + std::string(110'000, 'N') + "t"), HasSubstr("more than 100000 values"));
  EXPECT_THAT(with(text_instruction(std::string(2000, 'x'))),
              HasSubstr("a text of more than 1024 bytes"));
  EXPECT_THAT(with("c" + std::string(2000, 'x')), HasSubstr("a text of more than 1024 bytes"));
  EXPECT_THAT(
      with(tensor_instructions("FloatStorage", std::string(65, '0'), 1, small(1), small(1))),
      HasSubstr("found a key of 65 bytes, allowed: at most 64"));
  const std::vector<float> values(100, 1.0F);
  std::string entries;
  for (int i = 0; i < 200; ++i) {
    entries += text_instruction("w" + std::to_string(i)) +
               tensor_instructions("FloatStorage", "0", 100, small(100), small(1));
  }
  EXPECT_THAT(error_of(legacy_file(entries, {"0"}, little_endian(100, 8) + floats(values))),
              HasSubstr("expected tensors that share none"));
}

// Files that torch writes, too: each is told apart, and the error says how to save it again.
TEST_F(Import, SaysWhatATorchFileIsAndHowToSaveItAgain) {
  const auto remedied = [](const std::string& what) {
    return AllOf(HasSubstr(what), HasSubstr("_use_new_zipfile_serialization=False"),
                 HasSubstr(".float().contiguous()"));
  };
  EXPECT_THAT(error_of("PK\x03\x04 the rest of an archive"), remedied("found a zip archive"));
  test::write_text(file_, "PK\x03\x04 the rest of an archive");
  try {
    read_foreign_tensors(file_, network::Arithmetic::adder);
    ADD_FAILURE() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), remedied("found a zip archive"));
  }
  const std::string tensor = tensor_instructions("FloatStorage", "0", 4, small(4), small(1));
  const std::string nested = text_instruction("epoch") + small(3) + text_instruction("state_dict") +
                             "}(" + text_instruction("w") + tensor + "u";
  EXPECT_THAT(error_of(legacy_file(
                  text_instruction("state_dict") + "}(" + text_instruction("w") + tensor + "u",
                  {"0"}, little_endian(4, 8) + floats({1, 2, 3, 4}))),
              AllOf(remedied("\"state_dict\": found a dictionary inside the dictionary"),
                    HasSubstr("file[\"state_dict\"]")));
  EXPECT_THAT(error_of(legacy_file(nested, {"0"}, little_endian(4, 8) + floats({1, 2, 3, 4}))),
              remedied("\"epoch\": found no tensor"));
  for (const std::string type : {"BFloat16Storage", "HalfStorage", "DoubleStorage"}) {
    const std::string entries =
        text_instruction("w") + tensor_instructions(type, "0", 1, small(1), small(1));
    EXPECT_THAT(error_of(legacy_file(entries, {"0"}, little_endian(1, 8) + floats({1, 2}))),
                remedied("tensor \"w\": found elements of " + type));
  }
  // 1 × 2 × 1 × 2, channel by channel last.
  const std::string channels_last =
      text_instruction("w") + tensor_instructions("FloatStorage", "0", 4,
                                                  small(1) + small(2) + small(1) + small(2),
                                                  small(4) + small(1) + small(4) + small(2));
  EXPECT_THAT(
      error_of(legacy_file(channels_last, {"0"}, little_endian(4, 8) + floats({1, 2, 3, 4}))),
      remedied("with strides [4, 1, 4, 2]"));
  EXPECT_THAT(error_of(legacy_file(text_instruction("w") + "c__main__\nNet\n)R", {}, "")),
              remedied("\"__main__ Net\""));
}

TEST_F(Import, RefusesAdderWeightsForAnotherArithmetic) {
  test::write_text(file_, example_file());
  try {
    read_foreign_tensors(file_, network::Arithmetic::cnn);
    ADD_FAILURE() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(file_.string()), HasSubstr("module.conv1.adder"),
                                    HasSubstr("arithmetic cnn"), HasSubstr("arithmetic adder")));
  }
}

}  // namespace
}  // namespace abacus::imports
