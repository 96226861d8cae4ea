// post: ±|a|·2^(−n/2) with n = |w| − 1: a shift where n is even, else a read of the column's lookup
// table (models/post_lut), which PeArray counts.
#include "models/elements/exponent_element.hpp"
#include "models/post_lut/post_lut_entry.hpp"

namespace abacus::models {
namespace {

class PostElement : public ExponentElement {
 public:
  PostElement() : ExponentElement("post") {}

  bool reads_table(const TapFormat& format, int weight) const override {
    const int code = weight < 0 ? -weight : weight;
    return code != 0 && code % 2 == 0 && code <= format.levels;
  }

  // Its tables, which neighbouring rows share.
  std::vector<AreaUse> column_parts(const hw::PeArrayConfig& array) const override {
    const double entries = static_cast<double>(1 << array.activation_bits) * array.table.exponents;
    const int tables = (array.rows + array.table.lanes - 1) / array.table.lanes;
    return {{AreaPart::memory, 1,
             entries * (array.activation_bits + array.table.fraction_bits) * tables}};
  }

 protected:
  int level(const TapFormat& format, int code, int magnitude) const override {
    return code % 2 == 0 ? post_lut_entry(magnitude, code / 2 - 1, format.fraction_bits)
                         : shifted(format, magnitude, code / 2);
  }
};

}  // namespace

const ProcessingElement& post_element() {
  static const PostElement element;
  return element;
}

}  // namespace abacus::models
