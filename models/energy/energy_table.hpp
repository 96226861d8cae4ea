// Energy an action, from a table file that names its source for every number.
//
// File (TOML): `name`, `title`, `technology`, then one table [action.NAME] an action (the names of
// to_string(Action)) with `law` and, for each number, `source`:
//
//   law             fields                                  energy of one action, in pJ
//   "constant"      pj, source                              pj; of time, which is counted in ns: mW
//   "width"         points = [{bits, pj, source} …]         by bits_a: straight lines between the
//                                                           points, proportional outside of them
//   "width-product" points = [{bits, pj, source} …]         the same by bits_a × bits_b; a point's
//                                                           `bits` is the width of both operands
//   "capacity"      access_bits, points = [{bytes, pj,      of an access of bits_a to a memory of
//                   source} …], size                        the component's size (a table_read: of
//                                                           bits_b words of bits_a): power law
//                                                           between (and beyond) the two nearest
//                                                           points, times bits_a / access_bits.
//                                                           size = "bank": of one of its banks
//   "bank"          points = [{bytes, bits, pj, source} …]  of an access of bits_a to a bank: power
//                                                           law over both, between (and beyond) the
//                                                           nearest points; every capacity with
//                                                           every width
//   "multiple"      of, times, source                       times × the energy of action `of` at
//                                                           the same widths
//
// and one table [leakage.PART] a part (models/area/part_prices.hpp) with `law` and points = [{bits or
// bytes, uw, source} …]: the leakage power of what the component is built of, in µW. A described
// element's unit leaks nothing: descriptions do not say.
//
// docs/energy.md explains the laws and the shipped tables.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/area/part_prices.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

enum class EnergyLaw { constant, width, width_product, capacity, bank, multiple };

struct EnergyPoint {
  double at = 0.0;  // bits, bits × bits or bytes, as the law has it
  double picojoules = 0.0;
  std::string source;
  double bits = 0.0;  // `bank` only: of the access
};

struct EnergyEntry {
  EnergyLaw law = EnergyLaw::constant;
  // Ascending; one for `constant`, none for `multiple`. `bank`: each `at` with each `bits`.
  std::vector<EnergyPoint> points;
  int access_bits = 0;      // `capacity` only
  bool of_bank = false;     // `capacity` only: of a bank's bytes, not of the whole memory's
  Action of = Action::add;  // `multiple` only
  double times = 1.0;       // `multiple` only
  std::string source;       // `multiple` only
};

class EnergyTable {
 public:
  EnergyTable() = default;
  // No entry is a multiple of a multiple, or of an action that is not there; none is of leakage, whose
  // prices, in µW, are `leakage`.
  EnergyTable(std::string name, std::string title, std::string technology,
              std::map<Action, EnergyEntry> entries, PartPrices leakage = PartPrices());

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }
  const std::string& technology() const { return technology_; }
  const std::map<Action, EnergyEntry>& entries() const { return entries_; }
  const PartPrices& leakage() const { return leakage_; }

  // What it lacks of that which every run spends for time, clock and the DRAM's data bus, as in files:
  // "leakage.sram", "action.dram_refresh" …
  std::vector<std::string> missing() const;
  // The same table with 0 for all of that.
  EnergyTable with_zeros() const;
  // The same table with one more action, which replaces what it may have had.
  EnergyTable with(Action action, EnergyEntry entry) const;

  // Energy of one action, in pJ. Throws std::runtime_error naming the table and the action where
  // the table does not have it.
  double picojoules(const Activity::Key& key, const hw::HardwareConfig& hardware) const;

 private:
  double leakage_milliwatts(Component component, const hw::HardwareConfig& hardware) const;

  std::string name_;
  std::string title_;
  std::string technology_;
  std::map<Action, EnergyEntry> entries_;
  PartPrices leakage_;
};

}  // namespace abacus::models
