// The hardware parameters as tables in Markdown, for docs/scenario.md.
#pragma once

#include <string>

namespace abacus::experiment {

// One table a struct of tlm/hardware_fields.hpp, under the keys of all sections that have its fields: key,
// default (one a section, where they differ), allowed values, unit, meaning.
std::string hardware_keys_markdown();

}  // namespace abacus::experiment
