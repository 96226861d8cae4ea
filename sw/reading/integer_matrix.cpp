#include "sw/reading/integer_matrix.hpp"

#include <charconv>
#include <cstddef>
#include <limits>
#include <regex>
#include <string>
#include <string_view>
#include <system_error>

#include "sw/reading/file_bytes.hpp"
#include "sw/reading/node.hpp"

namespace abacus::reading {
namespace {

// More than any matrix of the sizes that are asked for, however it is written.
constexpr std::uintmax_t most_bytes = 16 << 20;

[[noreturn]] void refuse(const std::string& place, const std::string& found,
                         const std::string& allowed) {
  throw InputError(place + ": found " + found + "; allowed: " + allowed);
}

std::string numbers_text(const MatrixForm& form) {
  return "whole numbers from " + std::to_string(form.lowest) + " to " +
         std::to_string(form.highest);
}

// CSV ---------------------------------------------------------------------------------------------

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

class CsvReader {
 public:
  CsvReader(std::string file, const MatrixForm& form) : file_(std::move(file)), form_(form) {}

  std::vector<std::int64_t> read(std::string_view text) {
    int lines = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (++lines > form_.rows) break;
      read_line(line, lines);
    }
    if (lines != form_.rows) {
      refuse(file_ + ':' + std::to_string(lines),
             lines > form_.rows ? "more than " + std::to_string(form_.rows) + " rows"
                                : std::to_string(lines) + " rows",
             std::to_string(form_.rows) + " rows of " + std::to_string(form_.columns));
    }
    return std::move(numbers_);
  }

 private:
  void read_line(std::string_view line, int number) {
    int cells = 0;
    std::size_t start = 0;
    for (;;) {
      const std::size_t comma = line.find(',', start);
      const std::size_t end = comma == std::string_view::npos ? line.size() : comma;
      const std::string place =
          file_ + ':' + std::to_string(number) + ':' + std::to_string(start + 1);
      if (++cells > form_.columns) {
        refuse(place, "more than " + std::to_string(form_.columns) + " numbers", row_text());
      }
      read_cell(line.substr(start, end - start), place);
      if (comma == std::string_view::npos) break;
      start = comma + 1;
    }
    if (cells != form_.columns) {
      refuse(file_ + ':' + std::to_string(number) + ":1", std::to_string(cells) + " numbers",
             row_text());
    }
  }

  void read_cell(std::string_view cell, const std::string& place) {
    const std::string_view digits = without_blanks(cell);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < form_.lowest ||
        number > form_.highest) {
      constexpr std::size_t shown = 40;
      refuse(place, "\"" + std::string(digits.substr(0, shown)) + '"', numbers_text(form_));
    }
    numbers_.push_back(number);
  }

  std::string row_text() const { return std::to_string(form_.columns) + " numbers a row"; }

  std::string file_;
  const MatrixForm& form_;
  std::vector<std::int64_t> numbers_;
};

// NumPy -------------------------------------------------------------------------------------------

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

struct NumpyFile {
  std::string header;
  std::string_view data;
};

NumpyFile split(const std::string& file, std::string_view bytes) {
  constexpr std::string_view magic = "\x93NUMPY";
  constexpr std::size_t version_at = magic.size();
  if (bytes.substr(0, magic.size()) != magic || bytes.size() < version_at + 2) {
    refuse(file, "no NumPy file", "files of NumPy's format 1.0 or 2.0");
  }
  const int major = static_cast<unsigned char>(bytes[version_at]);
  const int minor = static_cast<unsigned char>(bytes[version_at + 1]);
  if ((major != 1 && major != 2) || minor != 0) {
    refuse(file, "format " + std::to_string(major) + '.' + std::to_string(minor), "1.0, 2.0");
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t header_at = version_at + 2 + length_bytes;
  const std::uint64_t length =
      bytes.size() < header_at ? 0 : little_endian(bytes.substr(version_at + 2, length_bytes));
  if (bytes.size() < header_at || length > bytes.size() - header_at) {
    refuse(file, "a header that passes the file's end", "whole files");
  }
  return {std::string(bytes.substr(header_at, length)), bytes.substr(header_at + length)};
}

// Of the header, a Python dictionary; empty where it has no such key.
std::string entry(const std::string& header, const std::string& key, const std::string& value) {
  std::smatch found;
  const std::regex pattern("'" + key + "'\\s*:\\s*(" + value + ")\\s*[,}]");
  return std::regex_search(header, found, pattern) ? found[1].str() : std::string();
}

std::vector<std::int64_t> read_numpy(const std::string& file, std::string_view bytes,
                                     const MatrixForm& form) {
  const NumpyFile parts = split(file, bytes);
  constexpr std::size_t longest_header = 4096;
  const std::string header = parts.header.substr(0, longest_header);
  const std::string type = entry(header, "descr", "'[^']*'");
  const std::string order = entry(header, "fortran_order", "True|False");
  const std::string shape = entry(header, "shape", "\\([0-9, ]*\\)");
  static const std::regex integers("'(\\|[iu]1|<[iu][1248])'");
  if (!std::regex_match(type, integers)) {
    refuse(file, type.empty() ? "no descr" : "descr " + type,
           "'|i1', '|u1', and little-endian integers '<i2' to '<i8', '<u2' to '<u8'");
  }
  if (order != "False") {
    refuse(file, order.empty() ? "no fortran_order" : "fortran_order " + order, "False");
  }
  const std::string wanted =
      '(' + std::to_string(form.rows) + ", " + std::to_string(form.columns) + ')';
  if (std::regex_replace(shape, std::regex("[ ]"), "") !=
      std::regex_replace(wanted, std::regex("[ ]"), "")) {
    refuse(file, shape.empty() ? "no shape" : "shape " + shape, wanted);
  }
  const bool is_signed = type[2] == 'i';
  const auto size = static_cast<std::size_t>(type[3] - '0');
  const std::size_t count = static_cast<std::size_t>(form.rows) * form.columns;
  if (parts.data.size() != count * size) {
    refuse(file, std::to_string(parts.data.size()) + " bytes of numbers",
           std::to_string(count * size) + ", " + wanted + " of " + type);
  }
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t pattern = little_endian(parts.data.substr(i * size, size));
    const int unused = 64 - 8 * static_cast<int>(size);
    // Above all that is allowed where a number without a sign does not fit.
    std::int64_t number = static_cast<std::int64_t>(pattern << unused) >> unused;
    if (!is_signed) {
      number = pattern > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                   ? std::numeric_limits<std::int64_t>::max()
                   : static_cast<std::int64_t>(pattern);
    }
    if (number < form.lowest || number > form.highest) {
      const auto columns = static_cast<std::size_t>(form.columns);
      refuse(
          file + ": row " + std::to_string(i / columns) + ", column " + std::to_string(i % columns),
          is_signed ? std::to_string(number) : std::to_string(pattern), numbers_text(form));
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::vector<std::int64_t> read_integer_matrix(const std::filesystem::path& file,
                                              const MatrixForm& form) {
  const std::string extension = file.extension().string();
  if (extension != ".csv" && extension != ".npy") {
    refuse(file.string(), "the ending \"" + extension + '"', ".csv, .npy");
  }
  const std::string bytes = file_bytes(file, most_bytes);
  return extension == ".csv" ? CsvReader(file.string(), form).read(bytes)
                             : read_numpy(file.string(), bytes, form);
}

}  // namespace abacus::reading
