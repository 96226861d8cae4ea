#include "models/activity/spent_time.hpp"

#include <stdexcept>

namespace abacus::models {

std::string to_string(Cause cause) {
  switch (cause) {
    case Cause::work:
      return "work";
    case Cause::commands:
      return "commands";
    case Cause::token_load:
      return "token_load";
    case Cause::token_compute:
      return "token_compute";
    case Cause::token_store:
      return "token_store";
    case Cause::drained:
      return "drained";
    case Cause::weight_fill:
      return "weight_fill";
    case Cause::pipeline:
      return "pipeline";
    case Cause::lookup_table:
      return "lookup_table";
    case Cause::scale_unit:
      return "scale_unit";
    case Cause::activation_sram:
      return "activation_sram";
    case Cause::weight_sram:
      return "weight_sram";
    case Cause::parameter_sram:
      return "parameter_sram";
    case Cause::bus_request:
      return "bus_request";
    case Cause::bus_response:
      return "bus_response";
    case Cause::dram_queue:
      return "dram_queue";
    case Cause::dram_refresh:
      return "dram_refresh";
    case Cause::dram_row:
      return "dram_row";
    case Cause::dram_turnaround:
      return "dram_turnaround";
    case Cause::dram_latency:
      return "dram_latency";
    case Cause::dram_transfer:
      return "dram_transfer";
    case Cause::fetch:
      return "fetch";
    case Cause::queue_load:
      return "queue_load";
    case Cause::queue_compute:
      return "queue_compute";
    case Cause::queue_store:
      return "queue_store";
  }
  throw std::logic_error("to_string: not a cause");
}

}  // namespace abacus::models
