#include "sw/experiment/hardware/hardware_keys.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <vector>

#include "tlm/hardware_fields.hpp"

namespace abacus::experiment {
namespace {

std::string code(std::string_view text) { return '`' + std::string(text) + '`'; }

// A default, by what its row allows.
template <typename Range, typename Number>
std::string value_text(const Range&, const Number& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}
std::string value_text(const hw::Truth&, bool value) { return code(value ? "true" : "false"); }
std::string value_text(const hw::AnyText&, const std::string& value) { return code(value); }
std::string value_text(const hw::OneOfListed&, const std::string& value) { return code(value); }
std::string value_text(const hw::OneOfNames&, const std::string& value) { return code(value); }
template <std::size_t N, typename Named>
std::string value_text(const hw::OneOf<N>&, const Named& value) {
  return code(hw::to_string(value));
}

template <typename Range>
std::string range_text(const Range& range) {
  std::ostringstream text;
  text.precision(12);
  text << range.lowest << " … " << range.highest;
  return text.str();
}
std::string allowed_text(const hw::WholeRange& range) { return range_text(range); }
std::string allowed_text(const hw::RealRange& range) { return range_text(range); }
std::string allowed_text(const hw::Truth&) { return "`true`, `false`"; }
std::string allowed_text(const hw::AnyText&) { return "any text"; }
template <typename Names>
std::string names_text(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + code(name);
  return text;
}
template <std::size_t N>
std::string allowed_text(const hw::OneOf<N>& of) {
  return names_text(of.names);
}
std::string allowed_text(const hw::OneOfListed& of) { return names_text(of.names()); }
std::string allowed_text(const hw::OneOfNames& of) { return names_text(of.names()); }

struct Row {
  std::string key, allowed, unit, meaning;
  std::vector<std::string> defaults;  // one a section
};

// Sections of one struct.
struct Table {
  std::type_index type;
  std::vector<std::string> sections;  // "" for the top
  std::vector<std::string> meanings;
  std::vector<Row> rows;
};

class Tables {
 public:
  template <typename Config>
  void add(const std::string& section, const std::string& meaning, const Config& config) {
    const std::size_t table = table_of(typeid(Config));
    tables_[table].sections.push_back(section);
    tables_[table].meanings.push_back(meaning);
    std::size_t row = 0;
    hw::visit_fields(config, [&](const auto& field, const auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(field.allowed)>, hw::Subtable>) {
        // An array of another kind has them; the edge array is of no other.
        if (section == "edge_array" && !field.is_present(config)) return;
        add(section.empty() ? field.key : section + '.' + field.key, field.meaning, value);
      } else {
        std::vector<Row>& rows = tables_[table].rows;
        if (row == rows.size()) {
          rows.push_back({field.key, allowed_text(field.allowed), field.unit, field.meaning, {}});
        }
        rows[row++].defaults.push_back(value_text(field.allowed, value));
      }
    });
  }

  const std::vector<Table>& tables() const { return tables_; }

 private:
  std::size_t table_of(const std::type_index& type) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const Table& table) { return table.type == type; });
    if (found != tables_.end()) return static_cast<std::size_t>(found - tables_.begin());
    tables_.push_back({type, {}, {}, {}});
    return tables_.size() - 1;
  }

  std::vector<Table> tables_;
};

std::string title(const Table& table) {
  std::string text;
  for (std::size_t i = 0; i < table.sections.size(); ++i) {
    if (table.sections[i].empty()) return "At the top:";
    text += (i == 0 ? "" : "; ") + ('`' + table.sections[i] + "`: " + table.meanings[i]);
  }
  return text;
}

std::string default_text(const std::vector<std::string>& values) {
  const bool equal = std::all_of(values.begin(), values.end(),
                                 [&](const std::string& value) { return value == values[0]; });
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : "; ") + value;
  return equal ? values[0] : text;
}

}  // namespace

std::string hardware_keys_markdown() {
  Tables tables;
  tables.add("", "", hw::HardwareConfig());
  std::string text;
  for (const Table& table : tables.tables()) {
    text += (text.empty() ? "" : "\n") + title(table) + "\n\n";
    text += "| key | default | allowed | unit | meaning |\n| --- | --- | --- | --- | --- |\n";
    for (const Row& row : table.rows) {
      text += "| `" + row.key + "` | " + default_text(row.defaults) + " | " + row.allowed + " | " +
              row.unit + " | " + row.meaning + " |\n";
    }
  }
  return text;
}

}  // namespace abacus::experiment
