#include "models/activity/activity.hpp"

#include <stdexcept>

namespace abacus::models {

std::string to_string(Component component) {
  switch (component) {
    case Component::pe_array:
      return "pe_array";
    case Component::edge_array:
      return "edge_array";
    case Component::read_quantizer:
      return "read_quantizer";
    case Component::scale_unit:
      return "scale_unit";
    case Component::vector_unit:
      return "vector_unit";
    case Component::activation_sram:
      return "activation_sram";
    case Component::weight_sram:
      return "weight_sram";
    case Component::parameter_sram:
      return "parameter_sram";
    case Component::dma:
      return "dma";
    case Component::bus:
      return "bus";
    case Component::dram:
      return "dram";
    case Component::sequencer:
      return "sequencer";
    case Component::step_adapter:
      return "step_adapter";
  }
  throw std::logic_error("to_string: not a component");
}

std::string to_string(Action action) {
  switch (action) {
    case Action::add:
      return "add";
    case Action::absolute_difference:
      return "absolute_difference";
    case Action::multiply:
      return "multiply";
    case Action::xnor:
      return "xnor";
    case Action::shift:
      return "shift";
    case Action::table_read:
      return "table_read";
    case Action::element_tap:
      return "element_tap";
    case Action::buffer_read:
      return "buffer_read";
    case Action::buffer_write:
      return "buffer_write";
    case Action::register_read:
      return "register_read";
    case Action::register_write:
      return "register_write";
    case Action::sram_read:
      return "sram_read";
    case Action::sram_write:
      return "sram_write";
    case Action::dram_activate:
      return "dram_activate";
    case Action::dram_read:
      return "dram_read";
    case Action::dram_write:
      return "dram_write";
    case Action::dram_read_io:
      return "dram_read_io";
    case Action::dram_write_io:
      return "dram_write_io";
    case Action::bus_beat:
      return "bus_beat";
    case Action::clock_cycle:
      return "clock_cycle";
    case Action::idle_cycle:
      return "idle_cycle";
    case Action::leakage:
      return "leakage";
    case Action::dram_active_standby:
      return "dram_active_standby";
    case Action::dram_precharge_standby:
      return "dram_precharge_standby";
    case Action::dram_power_down:
      return "dram_power_down";
    case Action::dram_self_refresh:
      return "dram_self_refresh";
    case Action::dram_refresh:
      return "dram_refresh";
  }
  throw std::logic_error("to_string: not an action");
}

bool is_static(Action action) {
  switch (action) {
    case Action::leakage:
    case Action::dram_active_standby:
    case Action::dram_precharge_standby:
    case Action::dram_power_down:
    case Action::dram_self_refresh:
    case Action::dram_refresh:
      return true;
    default:
      return false;
  }
}

}  // namespace abacus::models
