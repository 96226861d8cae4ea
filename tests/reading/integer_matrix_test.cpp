#include "sw/reading/integer_matrix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sw/reading/node.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::reading {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr MatrixForm two_by_three = {2, 3, -9, 100};

class IntegerMatrix : public ::testing::Test {
 protected:
  std::vector<std::int64_t> read(const std::string& name, const std::string& text,
                                 const MatrixForm& form = two_by_three) {
    test::write_text(folder_.path() / name, text);
    return read_integer_matrix(folder_.path() / name, form);
  }
  std::string error(const std::string& name, const std::string& text,
                    const MatrixForm& form = two_by_three) {
    try {
      read(name, text, form);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  test::TemporaryFolder folder_;
};

// A NumPy file.
std::string npy(const std::string& header, const std::string& data, char major = 1,
                char minor = 0) {
  std::string bytes = "\x93NUMPY";
  bytes += major;
  bytes += minor;
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  if (major != 1) bytes += std::string(2, '\0');
  return bytes + header + data;
}
std::string header(const std::string& descr, const std::string& shape = "(2, 3)",
                   const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape +
         ", }          \n";
}
// Numbers of `bytes` bytes each.
std::string data(const std::vector<std::int64_t>& numbers, int bytes) {
  std::string text;
  for (const std::int64_t number : numbers) {
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 0xFF);
  }
  return text;
}

TEST_F(IntegerMatrix, CsvIsReadRowAfterRow) {
  EXPECT_THAT(read("m.csv", "1,-2,3\n4,5,100\n"), ElementsAre(1, -2, 3, 4, 5, 100));
  EXPECT_THAT(read("m.csv", " 1,\t-2 , 3\r\n4,5,6"), ElementsAre(1, -2, 3, 4, 5, 6));
}

TEST_F(IntegerMatrix, CsvErrorsNameLineAndColumn) {
  const std::string file = path("m.csv");
  const auto at = [&](const std::string& text) { return error("m.csv", text); };
  EXPECT_THAT(at("1,2,3\n4,nan,6\n"), AllOf(StartsWith(file + ":2:3: found \"nan\""),
                                            HasSubstr("allowed: whole numbers from -9 to 100")));
  EXPECT_THAT(at("1,2,3\n4,5,101\n"), StartsWith(file + ":2:5: found \"101\""));
  EXPECT_THAT(at("-10,2,3\n4,5,6\n"), StartsWith(file + ":1:1: found \"-10\""));
  EXPECT_THAT(at("1,2.0,3\n4,5,6\n"), StartsWith(file + ":1:3: found \"2.0\""));
  EXPECT_THAT(at("1,,3\n4,5,6\n"), StartsWith(file + ":1:3: found \"\""));
  EXPECT_THAT(at("a,b,c\n1,2,3\n4,5,6\n"), StartsWith(file + ":1:1: found \"a\""));
  EXPECT_THAT(at("1,2,99999999999999999999\n4,5,6\n"), StartsWith(file + ":1:5: found"));
  EXPECT_THAT(at("1,2\n4,5,6\n"),
              AllOf(StartsWith(file + ":1:1: found 2 numbers"), HasSubstr("3 numbers a row")));
  EXPECT_THAT(at("1,2,3,4\n4,5,6\n"), StartsWith(file + ":1:7: found more than 3 numbers"));
  EXPECT_THAT(at("1,2,3\n"),
              AllOf(StartsWith(file + ":1: found 1 rows"), HasSubstr("allowed: 2 rows of 3")));
  EXPECT_THAT(at("1,2,3\n4,5,6\n7,8,9\n"), StartsWith(file + ":3: found more than 2 rows"));
  EXPECT_THAT(at("1,2,3\n4,5,6\n\n"), StartsWith(file + ":3: found more than 2 rows"));
  EXPECT_THAT(at(""), HasSubstr("found 0 rows"));
}

TEST_F(IntegerMatrix, NumpyFilesOfEveryIntegerTypeAreRead) {
  const std::vector<std::int64_t> numbers = {1, 2, 3, 4, 5, 100};
  for (const int bytes : {1, 2, 4, 8}) {
    for (const std::string sign : {"i", "u"}) {
      const std::string type = (bytes == 1 ? "|" : "<") + sign + std::to_string(bytes);
      EXPECT_EQ(read("m.npy", npy(header(type), data(numbers, bytes))), numbers) << type;
      EXPECT_EQ(read("m.npy", npy(header(type), data(numbers, bytes), 2)), numbers) << type;
    }
    const std::string type = (bytes == 1 ? "|i" : "<i") + std::to_string(bytes);
    EXPECT_EQ(read("m.npy", npy(header(type), data({-1, -9, 0, 3, -4, 7}, bytes))),
              (std::vector<std::int64_t>{-1, -9, 0, 3, -4, 7}));
  }
}

TEST_F(IntegerMatrix, NumpyErrorsNameWhatIsAllowed) {
  const std::string good = data({1, 2, 3, 4, 5, 6}, 2);
  const auto at = [&](const std::string& bytes) { return error("m.npy", bytes); };
  EXPECT_THAT(at("1,2,3\n4,5,6\n"),
              AllOf(StartsWith(path("m.npy") + ": found no NumPy file"), HasSubstr("1.0 or 2.0")));
  EXPECT_THAT(at(npy(header("<i2"), good, 3)), HasSubstr("found format 3.0; allowed: 1.0, 2.0"));
  EXPECT_THAT(at(npy(header("<i2"), good, 1, 1)), HasSubstr("found format 1.1"));
  for (const std::string type : {">i2", "<f4", "<f8", "|b1", "<i16", "|O", "<c8"}) {
    EXPECT_THAT(at(npy(header(type), good)),
                AllOf(HasSubstr("found descr '" + type + "'"), HasSubstr("'<i2'")));
  }
  EXPECT_THAT(at(npy(header("<i2", "(2, 3)", "True"), good)),
              HasSubstr("found fortran_order True; allowed: False"));
  EXPECT_THAT(at(npy(header("<i2", "(3, 2)"), good)),
              HasSubstr("found shape (3, 2); allowed: (2, 3)"));
  EXPECT_THAT(at(npy(header("<i2", "(6,)"), good)), HasSubstr("found shape (6,)"));
  EXPECT_THAT(at(npy("{'shape': (2, 3)}", good)), HasSubstr("found no descr"));
  EXPECT_THAT(at(npy(header("<i2"), good + "x")),
              HasSubstr("found 13 bytes of numbers; allowed: 12, (2, 3) of '<i2'"));
  EXPECT_THAT(at(npy(header("<i2"), good.substr(2))), HasSubstr("found 10 bytes"));
  EXPECT_THAT(at(npy(header("<i2"), data({1, 2, 3, 4, -10, 6}, 2))),
              AllOf(StartsWith(path("m.npy") + ": row 1, column 1: found -10"),
                    HasSubstr("whole numbers from -9 to 100")));
  EXPECT_THAT(at(npy(header("<u8"), data({1, 2, 3, 4, -1, 6}, 8))),
              HasSubstr("row 1, column 1: found 18446744073709551615"));
}

TEST_F(IntegerMatrix, EveryCutNumpyFileIsRefused) {
  const std::string whole = npy(header("<i2"), data({1, 2, 3, 4, 5, 6}, 2));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(error("m.npy", whole.substr(0, length)), HasSubstr("found")) << length;
  }
}

TEST_F(IntegerMatrix, OtherFilesAreRefused) {
  EXPECT_THAT(error("m.txt", "1,2,3\n4,5,6\n"),
              HasSubstr("found the ending \".txt\"; allowed: .csv, .npy"));
  const auto missing = [&](const std::filesystem::path& file) -> std::string {
    try {
      read_integer_matrix(file, two_by_three);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(missing(folder_.path() / "none.csv"),
              HasSubstr("none.csv: cannot read the file: there is no such file"));
  std::filesystem::create_directory(folder_.path() / "folder.npy");
  EXPECT_THAT(missing(folder_.path() / "folder.npy"),
              HasSubstr("folder.npy: cannot read the file: it is a folder"));
  EXPECT_THAT(error("m.csv", std::string((16 << 20) + 1, ' ')),
              HasSubstr("found 16777217 bytes; allowed: at most 16777216"));
}

}  // namespace
}  // namespace abacus::reading
