// Before <hwy/foreach_target.h> in every file of vector kernels: Highway compiles the file once for
// each of AVX-512, AVX2 and the compiler's baseline, and chooses when the program runs. What Highway
// cannot express is in vnni.hpp.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
