// Numbers that JSON can say.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace abacus::reading {

// Throws std::runtime_error for a number in `json` that is infinite or none at all, which JSON writes as null:
// "NAME.key[3]: found inf; allowed: finite numbers". `name`: of `json` itself.
void require_finite(const nlohmann::ordered_json& json, const std::string& name);

}  // namespace abacus::reading
