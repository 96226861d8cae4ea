#include "models/accelerator/platform.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include "models/compute/compute_unit.hpp"
#include "models/dma/load_unit.hpp"
#include "models/dma/store_unit.hpp"
#include "models/host/host.hpp"
#include "models/layer_counts.hpp"
#include "models/memory/dram.hpp"
#include "models/sequencer/sequencer.hpp"
#include "tlm/address_map.hpp"
#include "tlm/bus.hpp"
#include "tlm/bus_monitor.hpp"

namespace abacus::models {

namespace {

// Counts the beats of the bus by layer.
class BusBeats : public hw::BusObserver {
 public:
  BusBeats(hw::Bus& bus, const hw::BusConfig& config, Context& context)
      : beats_(Component::bus, Action::bus_beat, config.bytes_per_cycle * 8) {
    bus.observe(*this);
    context.on_settle([this](Activity& activity) { beats_.hand_over(activity); });
  }
  void transferred(const hw::BusTransfer& transfer) override {
    beats_.add(transfer.tag.layer, transfer.beats);
  }

 private:
  LayerCounts beats_;
};

const hw::HardwareConfig& checked(const hw::HardwareConfig& config) {
  const auto refuse = [&config](const std::string& what) {
    throw std::invalid_argument("hardware " + config.name + ": " + what);
  };
  if (!(config.clock_mhz > 0)) {
    refuse("clock_mhz is " + std::to_string(config.clock_mhz) + "; must be above 0");
  }
  if (config.command_queue < 1) {
    refuse("command_queue is " + std::to_string(config.command_queue) + "; must be at least 1");
  }
  if (config.dram.bytes > hw::address_map::dram_limit - hw::address_map::dram_base) {
    refuse("dram.bytes is " + std::to_string(config.dram.bytes) +
           "; the address map has room for " +
           std::to_string(hw::address_map::dram_limit - hw::address_map::dram_base));
  }
  const std::uint64_t window =
      hw::address_map::weight_sram_base - hw::address_map::activation_sram_base;
  for (const hw::SramConfig* sram :
       {&config.activation_sram, &config.weight_sram, &config.parameter_sram}) {
    if (sram->bytes > window) {
      refuse("an on-chip memory has " + std::to_string(sram->bytes) +
             " bytes; the address map has room for " + std::to_string(window));
    }
  }
  return config;
}

std::vector<hw::BusWindow> address_map_of(const hw::HardwareConfig& config) {
  constexpr auto debug_only = hw::BusWindow::Access::debug_only;
  return {{"dram", hw::address_map::dram_base, config.dram.bytes},
          {"registers", hw::address_map::registers_base, hw::address_map::registers_size},
          {"activation_sram", hw::address_map::activation_sram_base, config.activation_sram.bytes,
           debug_only},
          {"weight_sram", hw::address_map::weight_sram_base, config.weight_sram.bytes, debug_only},
          {"parameter_sram", hw::address_map::parameter_sram_base, config.parameter_sram.bytes,
           debug_only}};
}

}  // namespace

struct Platform::Parts {
  Parts(const hw::HardwareConfig& hardware, hw::TimingLevel level, const std::string& engine)
      : config(checked(hardware)),
        context(config, level),
        activation_sram("activation_sram", Component::activation_sram, config.activation_sram,
                        context),
        weight_sram("weight_sram", Component::weight_sram, config.weight_sram, context),
        parameter_sram("parameter_sram", Component::parameter_sram, config.parameter_sram, context),
        dram("dram", config.dram, context),
        bus("bus", config.bus, context.cycle(), {"host", "sequencer", "load", "store"},
            address_map_of(config)),
        beats(bus, config.bus, context),
        load("load", config, context, tokens, activation_sram, weight_sram, parameter_sram),
        compute("compute", config, context, tokens, activation_sram, weight_sram, parameter_sram,
                best_cpu_target(), engine),
        store("store", config, context, tokens, activation_sram),
        sequencer("sequencer", config, context, tokens, interrupt, load, compute, store),
        host("host", context, interrupt) {
    host.engine().socket.bind(bus.from(0));
    sequencer.fetcher().engine().socket.bind(bus.from(1));
    load.engine().socket.bind(bus.from(2));
    store.engine().socket.bind(bus.from(3));
    bus.to(0).bind(dram.socket);
    bus.to(1).bind(sequencer.registers);
    bus.to(2).bind(activation_sram.debug_socket);
    bus.to(3).bind(weight_sram.debug_socket);
    bus.to(4).bind(parameter_sram.debug_socket);
  }

  bool debug(tlm::tlm_command command, std::uint64_t address, std::uint8_t* data,
             std::size_t bytes) {
    tlm::tlm_generic_payload transaction;
    transaction.set_command(command);
    transaction.set_address(address);
    transaction.set_data_ptr(data);
    transaction.set_data_length(static_cast<unsigned>(bytes));
    return host.engine().socket->transport_dbg(transaction) == bytes;
  }

  hw::HardwareConfig config;
  Context context;
  TokenCounters tokens;
  InterruptLine interrupt;
  Sram activation_sram;
  Sram weight_sram;
  Sram parameter_sram;
  Dram dram;
  hw::Bus bus;
  BusBeats beats;
  LoadUnit load;
  ComputeUnit compute;
  StoreUnit store;
  Sequencer sequencer;
  Host host;
  std::unique_ptr<hw::BusMonitor> monitor;
};

Platform::Platform(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
                   hw::TimingLevel level, const std::string& engine)
    : sc_module(name), parts_(std::make_unique<Parts>(config, level, engine)) {}

Platform::~Platform() = default;

void Platform::set_software(std::function<void(hw::HostBus&)> software) {
  parts_->host.set_software(std::move(software));
}

void Platform::log_bus(std::ostream& out) {
  parts_->monitor = std::make_unique<hw::BusMonitor>(parts_->bus, out);
}

std::vector<PlatformSignal> Platform::signals() const {
  std::vector<PlatformSignal> signals;
  const auto add = [&signals](const std::string& name, const auto& variable) {
    signals.push_back({name, [name, &variable](sc_core::sc_trace_file* file) {
                         sc_core::sc_trace(file, variable, name);
                       }});
  };
  const auto add_unit = [&add](const std::string& name, const ExecutionUnit& unit) {
    add(name + ".executing", unit.state().executing);
    add(name + ".queued", unit.state().queued);
    add(name + ".layer", unit.state().layer);
  };
  add_unit("load", parts_->load);
  add_unit("compute", parts_->compute);
  add_unit("store", parts_->store);
  add("sequencer.busy", parts_->sequencer.busy());
  for (int i = 0; i < hw::token_counters; ++i) {
    add("tokens." + std::to_string(i), parts_->tokens.count(i));
  }
  return signals;
}

void Platform::observe_bus(hw::BusObserver& observer) { parts_->bus.observe(observer); }

const std::string& Platform::bus_initiator(int initiator) const {
  return parts_->bus.initiator_name(initiator);
}

const std::string& Platform::error_message() const { return parts_->sequencer.error_message(); }

Context& Platform::context() { return parts_->context; }
const hw::HardwareConfig& Platform::config() const { return parts_->config; }
Sram& Platform::activation_sram() { return parts_->activation_sram; }
Sram& Platform::weight_sram() { return parts_->weight_sram; }
Sram& Platform::parameter_sram() { return parts_->parameter_sram; }

bool Platform::peek(std::uint64_t address, std::uint8_t* data, std::size_t bytes) {
  return parts_->debug(tlm::TLM_READ_COMMAND, address, data, bytes);
}

bool Platform::poke(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) {
  // A write only reads from here.
  return parts_->debug(tlm::TLM_WRITE_COMMAND, address, const_cast<std::uint8_t*>(data), bytes);
}

void Platform::observe_compute(std::function<void(std::uint32_t)> ended) {
  parts_->compute.observe(std::move(ended));
}

}  // namespace abacus::models
