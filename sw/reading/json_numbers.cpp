#include "sw/reading/json_numbers.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace abacus::reading {

void require_finite(const nlohmann::ordered_json& json, const std::string& name) {
  if (json.is_number_float()) {
    const double value = json.get<double>();
    if (std::isfinite(value)) return;
    std::ostringstream text;
    text << name << ": found " << value << "; allowed: finite numbers";
    throw std::runtime_error(text.str());
  }
  if (json.is_array()) {
    std::size_t index = 0;
    for (const nlohmann::ordered_json& element : json) {
      require_finite(element, name + '[' + std::to_string(index++) + ']');
    }
  } else if (json.is_object()) {
    for (const auto& member : json.items()) {
      require_finite(member.value(), name.empty() ? member.key() : name + '.' + member.key());
    }
  }
}

}  // namespace abacus::reading
