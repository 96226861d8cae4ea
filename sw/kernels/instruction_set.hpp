// Which instruction set the kernels of this room run on.
#pragma once

#include <string>

namespace abacus::kernels {

// Highway's name of it, such as AVX2 or AVX3_ZEN4. Sums in float are cut by the width of its
// vectors, so another one gives other bits.
std::string instruction_set();

}  // namespace abacus::kernels
