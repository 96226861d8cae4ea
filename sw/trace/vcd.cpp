#include "sw/trace/vcd.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <stdexcept>

#include "models/accelerator/platform.hpp"

namespace abacus::trace {
namespace {

using sc_core::sc_time;

std::regex pattern_of(const std::string& name) {
  std::string pattern;
  for (const char c : name) {
    if (c == '*') {
      pattern += ".*";
    } else {
      if (std::string("\\^$.|?+()[]{}").find(c) != std::string::npos) pattern += '\\';
      pattern += c;
    }
  }
  return std::regex(pattern);
}

double picoseconds(const sc_time& time) { return time.to_seconds() * 1e12; }

// The name of the signal that a line of changes belongs to: `1aaa`, or `b0101 aaab`.
std::string signal_of(const std::string& line) {
  const std::size_t space = line.find(' ');
  return space == std::string::npos ? line.substr(1) : line.substr(space + 1);
}

}  // namespace

VcdTrace::VcdTrace(models::Platform& platform, const std::vector<std::string>& signals,
                   const std::filesystem::path& folder)
    : file_name_(folder / "signals") {
  const std::vector<models::PlatformSignal> all = platform.signals();
  std::vector<const models::PlatformSignal*> chosen;
  for (const std::string& name : signals) {
    const std::regex pattern = pattern_of(name);
    const std::size_t before = chosen.size();
    for (const models::PlatformSignal& signal : all) {
      if (std::regex_match(signal.name, pattern)) chosen.push_back(&signal);
    }
    if (chosen.size() != before) continue;
    std::string names;
    for (const models::PlatformSignal& signal : all) {
      names += (names.empty() ? "" : ", ") + signal.name;
    }
    throw std::runtime_error("--signals: no signal \"" + name +
                             "\"; allowed, and with *: " + names);
  }
  // Of its unit of time SystemC would tell on standard output.
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  file_ = sc_core::sc_create_vcd_trace_file(file_name_.c_str());
  file_->set_time_unit(1, sc_core::SC_PS);
  for (const models::PlatformSignal* signal : chosen) signal->trace(file_);
}

void VcdTrace::write(std::ostream& out, const sc_time& zero, const sc_time& from,
                     const sc_time& to) {
  sc_core::sc_close_vcd_trace_file(file_);
  const double start = picoseconds(zero);
  const double first = start + picoseconds(from);
  const double last = start + picoseconds(to);
  const std::string name = file_name_.string() + ".vcd";
  std::ifstream in(name);
  if (!in) throw std::runtime_error(name + ": cannot be read");
  std::string line;
  while (std::getline(in, line)) {
    out << line << '\n';
    if (line.rfind("$enddefinitions", 0) == 0) break;
  }
  std::map<std::string, std::string> values;  // of each signal, as the file has them
  bool begun = false;
  const auto begin = [&] {
    begun = true;
    out << '#' << static_cast<long long>(picoseconds(from)) << "\n$dumpvars\n";
    for (const auto& [signal, value] : values) out << value << '\n';
    out << "$end\n";
  };
  bool shown = false;
  bool comment = false;
  while (std::getline(in, line)) {
    if (line.rfind("$comment", 0) == 0) comment = true;
    if (line.rfind("$end", 0) == 0) comment = false;
    if (comment || line.empty() || line[0] == '$') continue;
    if (line[0] == '#') {
      const double at = std::stod(line.substr(1));
      if (at > last) break;
      shown = at > first;
      if (shown && !begun) begin();
      if (shown) out << '#' << static_cast<long long>(at - start) << '\n';
      continue;
    }
    values[signal_of(line)] = line;
    if (shown) out << line << '\n';
  }
  if (!begun) begin();
  out << '#' << static_cast<long long>(last - start) << '\n';
}

}  // namespace abacus::trace
