// Matrices of whole numbers from CSV and NumPy files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace abacus::reading {

struct MatrixForm {
  int rows;
  int columns;
  // Of each number.
  std::int64_t lowest;
  std::int64_t highest;
};

// Row after row. `.csv`: decimal numbers, commas between them, a line a row, no heading; blanks around
// numbers are allowed. `.npy`: format 1.0 or 2.0, an integer type (`|i1`, `|u1`, `<i2` … `<i8`, `<u2` … `<u8`),
// rows × columns in C order. Throws InputError naming the file, the place (CSV: line and column; NumPy: row
// and column of the matrix, from 0), what was found and what is allowed.
std::vector<std::int64_t> read_integer_matrix(const std::filesystem::path& file,
                                              const MatrixForm& form);

}  // namespace abacus::reading
