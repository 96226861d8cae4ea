#include "tlm/dataflow.hpp"

#include <array>
#include <stdexcept>

namespace abacus::hw {

// One a file.
const Dataflow& output_stationary();
const Dataflow& packed_windows();

namespace {

const std::array<const Dataflow*, 2>& all_dataflows() {
  static const std::array<const Dataflow*, 2> all = {&output_stationary(), &packed_windows()};
  return all;
}

}  // namespace

const Dataflow& dataflow(const std::string& name) {
  for (const Dataflow* known : all_dataflows()) {
    if (known->name() == name) return *known;
  }
  std::string allowed;
  for (const std::string& known : dataflow_names()) {
    allowed += (allowed.empty() ? "" : ", ") + known;
  }
  throw std::invalid_argument("unknown dataflow \"" + name + "\"; allowed: " + allowed);
}

const std::vector<std::string>& dataflow_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Dataflow* known : all_dataflows()) all.emplace_back(known->name());
    return all;
  }();
  return names;
}

}  // namespace abacus::hw
