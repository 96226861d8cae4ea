// The vector unit's arithmetic (docs/arithmetic.md, "Vector operations") on the simulating machine,
// without SystemC: stored bytes in, stored bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tlm/command.hpp"

namespace abacus::models {

struct AddFormat {
  hw::ElementFormat first{8, 0};
  hw::ElementFormat second{8, 0};
  hw::ElementFormat output{8, 0};
  int multiplier = 1;
  int second_multiplier = 1;
  int left_shift = 0;
  int second_left_shift = 0;
  int shift = 0;
  bool relu = false;
};

void add_elements(const AddFormat& format, std::size_t elements, const std::uint8_t* first,
                  const std::uint8_t* second, std::uint8_t* output);

struct PoolFormat {
  hw::ElementFormat input{8, 0};
  hw::ElementFormat output{8, 0};
  int kernel = 2;
  int stride = 2;
  bool maximum = false;
  int multiplier = 1;
  int shift = 0;
  std::int64_t bias = 0;
  // Shapes: height, width and channels of the output; the input has its channels.
  int height = 1;
  int width = 1;
  int channels = 1;
  int input_width = 2;

  // Rows of the input that the windows cover.
  int input_rows() const { return (height - 1) * stride + kernel; }
};

// `sums` is scratch, grown as needed.
void pool(const PoolFormat& format, const std::uint8_t* input, std::uint8_t* output,
          std::vector<std::int64_t>& sums);

}  // namespace abacus::models
