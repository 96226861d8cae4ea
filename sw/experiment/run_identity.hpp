// What decides a run's result, as one hash.
#pragma once

#include <string>

#include "sw/experiment/read_files.hpp"
#include "sw/experiment/scenario.hpp"

namespace abacus::experiment {

// SHA-256 over the run with the files that it names by their content (checkpoint, package, element, tables), its
// hardware with all parameters, and this program's own file. `recipe`: all that the trainer says of its
// quantization, where it is to be quantized. `checked_images`: held against the reference. Images of a data set
// count by its name alone. Throws std::runtime_error naming a file that cannot be read.
std::string run_identity(const RunSpec& run, const std::string& recipe, std::int64_t checked_images,
                         ReadFiles& files);

}  // namespace abacus::experiment
