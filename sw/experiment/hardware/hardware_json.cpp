#include "sw/experiment/hardware/hardware_json.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "tlm/hardware_fields.hpp"

namespace abacus::experiment {
namespace {

using Json = nlohmann::ordered_json;

template <typename Config>
void add_fields(Json& json, const Config& config);

// One value, by what its row allows.
template <typename Allowed, typename T>
Json field_json(const Allowed&, const T& value) {
  return value;
}

template <std::size_t N, typename Named>
Json field_json(const hw::OneOf<N>&, const Named& value) {
  return hw::to_string(value);
}

Json field_json(const hw::OneOfListed& allowed, const std::string& value) {
  return value == allowed.names().front() ? Json() : Json(value);
}

template <typename Config>
Json field_json(const hw::Subtable&, const Config& config) {
  Json json;
  add_fields(json, config);
  return json;
}

template <typename Config>
void add_fields(Json& json, const Config& config) {
  hw::visit_fields(config, [&](const auto& field, const auto& value) {
    if (!field.is_present(config)) return;
    Json told = field_json(field.allowed, value);
    if (!told.is_null()) json[field.key] = std::move(told);
  });
}

}  // namespace

Json hardware_json(const hw::HardwareConfig& hardware) {
  Json json = {{"preset", hardware.name}};
  add_fields(json, hardware);
  return json;
}

}  // namespace abacus::experiment
