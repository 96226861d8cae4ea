// A float network whose scores are distilled, fast.
#pragma once

#include "sw/train/modules.hpp"

namespace abacus::quant {

// Hooks for FloatNetwork::forward() with which adder layers on non-negative inputs run on a grid of
// eight bits: several times as fast as float32, and near enough for softened scores. Keep a reference
// to `network`.
train::ForwardHooks byte_teacher_hooks(train::FloatNetwork& network);

}  // namespace abacus::quant
