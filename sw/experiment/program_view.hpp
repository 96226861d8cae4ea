// A scheduled program as the driver takes it: the one place where both are known.
#pragma once

#include "sw/driver/driver.hpp"
#include "sw/schedule/program.hpp"

namespace abacus::experiment {

// Points into `program`, which must outlive it.
inline driver::ProgramView program_view(const schedule::Program& program) {
  driver::ProgramView view{};
  view.image_address = program.image_address;
  view.image = program.dram_image.data();
  view.image_bytes = program.dram_image.size();
  view.command_address = program.command_address;
  view.command_words = program.command_words;
  view.input_address = program.input.address;
  view.input_bytes = program.input.bytes;
  view.scores_address = program.scores.address;
  view.scores_bytes = program.scores.bytes;
  return view;
}

}  // namespace abacus::experiment
