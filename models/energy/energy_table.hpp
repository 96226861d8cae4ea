// Energy an action, from a table file that names its source for every number.
//
// File (TOML): `name`, `title`, `technology`, then one table [action.NAME] an action (the names of
// to_string(Action)) with `law` and, for each number, `source`:
//
//   law             fields                                  energy of one action, in pJ
//   "constant"      pj, source                              pj
//   "width"         points = [{bits, pj, source} …]         by bits_a: straight lines between the
//                                                           points, proportional outside of them
//   "width-product" points = [{bits, pj, source} …]         the same by bits_a × bits_b; a point's
//                                                           `bits` is the width of both operands
//   "capacity"      access_bits, points = [{bytes, pj,      of an access of bits_a to a memory of
//                   source} …]                              the component's size (a table_read: of
//                                                           bits_b words of bits_a): power law
//                                                           between (and beyond) the two nearest
//                                                           points, times bits_a / access_bits
//   "multiple"      of, times, source                       times × the energy of action `of` at
//                                                           the same widths
//
// docs/energy.md explains the laws and the shipped tables.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/energy/activity.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

enum class EnergyLaw { constant, width, width_product, capacity, multiple };

struct EnergyPoint {
  double at = 0.0;  // bits, bits × bits or bytes, as the law has it
  double picojoules = 0.0;
  std::string source;
};

struct EnergyEntry {
  EnergyLaw law = EnergyLaw::constant;
  std::vector<EnergyPoint> points;  // ascending; one for `constant`, none for `multiple`
  int access_bits = 0;              // `capacity` only
  Action of = Action::add;          // `multiple` only
  double times = 1.0;               // `multiple` only
  std::string source;               // `multiple` only
};

class EnergyTable {
 public:
  EnergyTable() = default;
  // No entry is a multiple of a multiple, or of an action that is not there.
  EnergyTable(std::string name, std::string title, std::string technology,
              std::map<Action, EnergyEntry> entries);

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }
  const std::string& technology() const { return technology_; }
  const std::map<Action, EnergyEntry>& entries() const { return entries_; }

  // The same table with one more action, which replaces what it may have had.
  EnergyTable with(Action action, EnergyEntry entry) const;

  // Energy of one action, in pJ. Throws std::runtime_error naming the table and the action where
  // the table does not have it.
  double picojoules(const Activity::Key& key, const hw::HardwareConfig& hardware) const;

 private:
  std::string name_;
  std::string title_;
  std::string technology_;
  std::map<Action, EnergyEntry> entries_;
};

}  // namespace abacus::models
