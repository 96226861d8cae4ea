#include "sw/network/element_file.hpp"

#include <iterator>
#include <limits>
#include <sstream>

#include "sw/network/safetensors.hpp"
#include "sw/reading/integer_matrix.hpp"
#include "sw/reading/section.hpp"
#include "sw/reading/toml_file.hpp"

namespace abacus::network {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

int read_bits(reading::Section& section, const char* key, int most) {
  return static_cast<int>(section.value(key).integer(1, most));
}

// A number and who says so.
double read_amount(reading::Section& top, const char* section_key, const char* key,
                   std::string& source) {
  reading::Section section = top.value(section_key).section();
  const double amount = section.value(key).number(0, unbounded);
  source = section.value("source").text();
  section.refuse_unknown_keys();
  return amount;
}

}  // namespace

DescribedElement read_element(const std::filesystem::path& file) {
  const reading::Node root = reading::read_toml(file);
  reading::Section top("", {&root});
  DescribedElement element;
  hw::ElementTable& table = element.table;
  table.name = top.value("name").text();
  const std::filesystem::path taps = file.parent_path() / top.value("taps").text();
  table.weight_bits = read_bits(top, "weight_bits", hw::ElementTable::most_operand_bits);
  table.weight_signed = top.value("weight_signed").truth();
  table.activation_bits = read_bits(top, "activation_bits", hw::ElementTable::most_operand_bits);
  table.activation_signed = top.value("activation_signed").truth();
  table.tap_bits = read_bits(top, "tap_bits", hw::ElementTable::most_tap_bits);
  const std::string scales =
      top.value("scales").choice({std::begin(hw::step_rule_names), std::end(hw::step_rule_names)});
  table.scales =
      scales == hw::to_string(hw::StepRule::shared) ? hw::StepRule::shared : hw::StepRule::product;
  const reading::Value accumulate = top.value("accumulate");
  table.accumulate = static_cast<int>(accumulate.integer(-1, 1));
  if (table.accumulate == 0) accumulate.refuse_found("1, -1");
  element.tap_pj = read_amount(top, "energy", "tap_pj", element.energy_source);
  element.lane_um2 = read_amount(top, "area", "lane_um2", element.area_source);
  top.refuse_unknown_keys();

  const auto numbers = reading::read_integer_matrix(
      taps, {table.rows(), table.columns(), table.lowest_tap(), table.highest_tap()});
  table.taps.assign(numbers.begin(), numbers.end());
  element.sha256 = hash_of(table);
  return element;
}

std::string hash_of(const hw::ElementTable& table) {
  std::ostringstream text;
  text << "weight " << table.weight_bits << ' ' << table.weight_signed << " activation "
       << table.activation_bits << ' ' << table.activation_signed << " tap " << table.tap_bits
       << " scales " << hw::to_string(table.scales) << " accumulate " << table.accumulate << '\n';
  for (const std::int32_t tap : table.taps) text << tap << '\n';
  return sha256_text(text.str());
}

}  // namespace abacus::network
