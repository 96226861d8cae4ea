#include "sw/network/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "sw/support/output_file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::network {
namespace {

using test::read_text;
using test::TemporaryFolder;
using test::write_text;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file from its parts; the header length is worked out.
std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>((std::uint64_t{header.size()} >> (8 * i)) & 255);
  }
  return bytes + header + data;
}

class Safetensors : public ::testing::Test {
 protected:
  // What the reader says of these bytes.
  std::string error_of(const std::string& bytes) {
    test::write_text(file_, bytes);
    try {
      read_safetensors(file_);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "a.safetensors";
};

TensorFile example() {
  TensorFile content;
  content.metadata = {{"b", "line\n\"quoted\""}, {"a", ""}};
  content.tensors["f"] = Tensor::from(std::vector<float>{1.5F, -0.25F, 3e38F}, {3});
  content.tensors["i8"] = Tensor::from(std::vector<std::int8_t>{-128, 127}, {2, 1});
  content.tensors["u8"] = Tensor::from(std::vector<std::uint8_t>{0, 255, 3}, {1, 3});
  content.tensors["i16"] = Tensor::from(std::vector<std::int16_t>{-32768}, {1});
  content.tensors["i32"] = Tensor::from(std::vector<std::int32_t>{-7, 1 << 30}, {2});
  content.tensors["i64"] = Tensor::from(std::vector<std::int64_t>{-(1LL << 46)}, {});
  content.tensors["empty"] = Tensor::from(std::vector<float>{}, {0, 4});
  return content;
}

TEST_F(Safetensors, RoundTrip) {
  const TensorFile content = example();
  write_safetensors(file_, content);
  const TensorFile read = read_safetensors(file_);
  EXPECT_EQ(read.metadata, content.metadata);
  ASSERT_EQ(read.tensors.size(), content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    const Tensor& other = read.tensors.at(name);
    EXPECT_EQ(other.type, tensor.type) << name;
    EXPECT_EQ(other.shape, tensor.shape) << name;
    EXPECT_EQ(other.bytes, tensor.bytes) << name;
  }
  EXPECT_THAT(read.tensors.at("i8").values<std::int8_t>(), ElementsAre(-128, 127));
  EXPECT_THAT(read.tensors.at("i64").values<std::int64_t>(), ElementsAre(-(1LL << 46)));
  EXPECT_THAT(folder_.files(), ElementsAre("a.safetensors"));
}

TEST_F(Safetensors, SameContentGivesTheSameBytes) {
  write_safetensors(file_, example());
  const std::string first = test::read_text(file_);
  write_safetensors(file_, example());
  EXPECT_EQ(test::read_text(file_), first);
}

// The layout of the format's definition, written out by hand.
TEST_F(Safetensors, ReadsAFileWrittenByHand) {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"x":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}})";
  test::write_text(file_, file_of(header, std::string("\x01\x00\xff\xff", 4)));
  const TensorFile content = read_safetensors(file_);
  EXPECT_EQ(content.metadata.at("k"), "v");
  EXPECT_THAT(content.tensors.at("x").values<std::int16_t>(), ElementsAre(1, -1));
}

TEST_F(Safetensors, WritesTheFormatsLayout) {
  TensorFile content;
  content.tensors["x"] = Tensor::from(std::vector<std::int16_t>{1, -1}, {2});
  write_safetensors(file_, content);
  const std::string header = R"({"x":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(test::read_text(file_), file_of(padded, std::string("\x01\x00\xff\xff", 4)));
}

TEST_F(Safetensors, EveryTruncationIsAnError) {
  write_safetensors(file_, example());
  const std::string whole = test::read_text(file_);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_NE(error_of(whole.substr(0, length)), "accepted") << length;
  }
  EXPECT_EQ(error_of(whole), "accepted");
}

TEST_F(Safetensors, TruncationNamesTheTensorAndOffsets) {
  const std::string header = R"({"x":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})";
  const std::string start = std::to_string(8 + header.size());
  EXPECT_THAT(error_of(file_of(header, "abc")),
              AllOf(HasSubstr("\"x\""), HasSubstr(std::to_string(12 + header.size())),
                    HasSubstr("the file ends at " + std::to_string(11 + header.size()))));
}

TEST_F(Safetensors, HeaderErrors) {
  EXPECT_THAT(error_of("1234567"), HasSubstr("7 bytes"));
  EXPECT_THAT(error_of(std::string(8, '\xff')), HasSubstr("18446744073709551615"));
  EXPECT_THAT(error_of(file_of("", "")), HasSubstr("'{'"));
  EXPECT_THAT(error_of(file_of("[1]", "")), HasSubstr("'{'"));
  EXPECT_THAT(error_of(file_of("{\"x\":", "")), HasSubstr("no valid JSON"));
  EXPECT_THAT(error_of(file_of("{} x", "")), HasSubstr("no valid JSON"));
  EXPECT_THAT(error_of(file_of("{\"x\":3}", "")), HasSubstr("an object"));
  EXPECT_THAT(error_of(file_of(R"({"__metadata__":[]})", "")), HasSubstr("__metadata__"));
  EXPECT_THAT(error_of(file_of(R"({"__metadata__":{"k":1}})", "")),
              HasSubstr("__metadata__.k: found 1; allowed: a text"));
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

TEST_F(Safetensors, TensorErrors) {
  const auto error = [&](const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return error_of(file_of("{" + entry("x", dtype, shape, offsets) + "}", "abcd"));
  };
  EXPECT_EQ(error("\"I8\"", "[4]", "[0,4]"), "accepted");
  EXPECT_THAT(error("\"F16\"", "[2]", "[0,4]"),
              AllOf(HasSubstr("\"F16\""), HasSubstr("F32, I8, U8, I16, I32, I64")));
  EXPECT_THAT(error("5", "[4]", "[0,4]"), HasSubstr("x.dtype: found 5; allowed: F32, "));
  EXPECT_THAT(error("\"I8\"", "[-4]", "[0,4]"),
              HasSubstr("x.shape[0]: found -4; allowed: a whole number from 0"));
  EXPECT_THAT(error("\"I8\"", "[4.0]", "[0,4]"), HasSubstr("x.shape[0]: found the number 4"));
  EXPECT_THAT(error("\"I8\"", "4", "[0,4]"), HasSubstr("x.shape: found 4; allowed: a list"));
  EXPECT_THAT(error("\"I8\"", "[5]", "[0,4]"), HasSubstr("needs 5"));
  EXPECT_THAT(error("\"I16\"", "[4]", "[0,4]"), HasSubstr("needs 8"));
  EXPECT_THAT(error("\"I64\"", "[4294967296,4294967296]", "[0,4]"), HasSubstr("more than"));
  EXPECT_THAT(error("\"I8\"", "[4]", "[0]"),
              HasSubstr("x.data_offsets: found a list; allowed: a list of 2 "));
  EXPECT_THAT(error("\"I8\"", "[4]", "[4,0]"), HasSubstr("begin <= end"));
  EXPECT_THAT(error("\"I8\"", "[4]", "[-4,0]"), HasSubstr("data_offsets[0]: found -4"));
  EXPECT_THAT(error_of(file_of(R"({"x":{"shape":[4],"data_offsets":[0,4]}})", "abcd")),
              HasSubstr("x.dtype: is missing"));
  EXPECT_THAT(
      error_of(file_of("{" + entry("x", "\"I8\"", "[4],\"extra\":1", "[0,4]") + "}", "abcd")),
      HasSubstr("unknown key `x.extra`"));
}

TEST_F(Safetensors, LayoutErrors) {
  const auto error = [&](const std::string& first, const std::string& second,
                         const std::string& data) {
    return error_of(file_of(
        "{" + entry("x", "\"U8\"", "[4]", first) + "," + entry("y", "\"U8\"", "[2]", second) + "}",
        data));
  };
  EXPECT_EQ(error("[0,4]", "[4,6]", "abcdef"), "accepted");
  EXPECT_EQ(error("[2,6]", "[0,2]", "abcdef"), "accepted");
  EXPECT_THAT(error("[0,4]", "[3,5]", "abcdef"), AllOf(HasSubstr("\"y\""), HasSubstr("overlap")));
  EXPECT_THAT(error("[0,4]", "[0,2]", "abcdef"), HasSubstr("overlap"));
  EXPECT_THAT(error("[0,4]", "[5,7]", "abcdefg"), AllOf(HasSubstr("\"y\""), HasSubstr("hole")));
  EXPECT_THAT(error("[1,5]", "[5,7]", "abcdefg"), AllOf(HasSubstr("\"x\""), HasSubstr("hole")));
  EXPECT_THAT(error("[0,4]", "[4,6]", "abcdefgh"), HasSubstr("2 bytes after the last tensor"));
  const std::string twice = entry("x", "\"U8\"", "[2]", "[0,2]");
  EXPECT_THAT(error_of(file_of("{" + twice + "," + twice + "}", "ab")), HasSubstr("twice"));
}

TEST_F(Safetensors, MissingFileAndFolderAreErrors) {
  EXPECT_THROW(read_safetensors(folder_.path() / "absent"), std::runtime_error);
  EXPECT_THROW(read_safetensors(folder_.path()), std::runtime_error);
}

TEST_F(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  TensorFile content = example();
  content.tensors["f"].bytes.pop_back();
  EXPECT_THROW(write_safetensors(file_, content), std::invalid_argument);
  TensorFile reserved;
  reserved.tensors["__metadata__"] = Tensor::from(std::vector<float>{1}, {1});
  EXPECT_THROW(write_safetensors(file_, reserved), std::invalid_argument);
  EXPECT_TRUE(folder_.files().empty());
}

TEST_F(Safetensors, FailedWriteLeavesTheOldFileAndNothingElse) {
  test::write_text(file_, "old");
  EXPECT_THROW(support::write_output(file_,
                                     [](std::ostream& out) {
                                       out << "half";
                                       throw std::runtime_error("power cut");
                                     }),
               std::runtime_error);
  EXPECT_THROW(
      support::write_output(file_, [](std::ostream& out) { out.setstate(std::ios::badbit); }),
      std::runtime_error);
  EXPECT_EQ(test::read_text(file_), "old");
  EXPECT_THAT(folder_.files(), ElementsAre("a.safetensors"));
}

TEST_F(Safetensors, WriteErrorsNameTheFile) {
  const std::filesystem::path file = folder_.path() / "absent" / "a.safetensors";
  try {
    write_safetensors(file, example());
    FAIL() << "written";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(file.string()));
  }
  std::filesystem::create_directory(file_);  // a folder stands where the file should go
  EXPECT_THROW(write_safetensors(file_, example()), std::runtime_error);
  EXPECT_THAT(folder_.files(), ElementsAre("a.safetensors"));
}

TEST(Tensor, TypedAccessChecksTypeAndSize) {
  const Tensor tensor = Tensor::from(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(tensor.elements(), 6);
  EXPECT_THROW(tensor.values<float>(), std::logic_error);
  EXPECT_THROW(Tensor::from(std::vector<float>{1, 2}, {3}), std::logic_error);
  EXPECT_EQ(element_bytes(ElementType::i64), 8U);
  EXPECT_EQ(to_string(ElementType::u8), "U8");
}

// FIPS 180-2, appendix B.1, and the digest of the empty message.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, FileAndTextAgreeOverSeveralBuffers) {
  const TemporaryFolder folder;
  std::string text(300001, 'x');
  text[150000] = '\0';
  test::write_text(folder.path() / "f", text);
  EXPECT_EQ(sha256_file(folder.path() / "f"), sha256_text(text));
  EXPECT_THROW(sha256_file(folder.path() / "absent"), std::runtime_error);
  EXPECT_THROW(sha256_file(folder.path()), std::runtime_error);
}

}  // namespace
}  // namespace abacus::network
