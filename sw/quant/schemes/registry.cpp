#include "sw/quant/options/scheme.hpp"

namespace abacus::quant {
namespace schemes {

using Row = QuantizationScheme();
// Each in the file of its name.
Row adderquant, qssf, nonnegative, best, uniform, brecq, pot, post, apot, bnn, shift, shiftaddnet,
    table;

}  // namespace schemes

const std::vector<QuantizationScheme>& quantization_schemes() {
  using namespace schemes;
  static const std::vector<QuantizationScheme> rows = {
      adderquant(), qssf(), nonnegative(), best(),  uniform(),     brecq(), pot(),
      post(),       apot(), bnn(),         shift(), shiftaddnet(), table()};
  return rows;
}

}  // namespace abacus::quant
