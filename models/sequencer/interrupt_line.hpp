// The wire from accelerator to host. Level-sensitive, and seen at once: a driver that clears the
// interrupt, rings the doorbell and waits, all without time, must not find the old level, as it
// would on an sc_signal, which changes one delta cycle later.
#pragma once

#include <systemc>

namespace abacus::models {

class InterruptLine {
 public:
  void raise() {
    level_ = true;
    raised_.notify();
  }
  void lower() { level_ = false; }
  bool level() const { return level_; }
  const sc_core::sc_event& raised() const { return raised_; }

 private:
  bool level_ = false;
  sc_core::sc_event raised_{"interrupt_raised"};
};

}  // namespace abacus::models
