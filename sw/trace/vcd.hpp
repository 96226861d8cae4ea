// Signals of the platform over time, by SystemC's own VCD trace.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <systemc>
#include <vector>

namespace abacus::models {
class Platform;
}

namespace abacus::trace {

class VcdTrace {
 public:
  // signals: names of Platform::signals(); `*` stands for any text. Throws std::runtime_error
  // naming one that matches nothing, with those that there are. Before the simulation starts.
  // folder: for the file that SystemC writes meanwhile.
  VcdTrace(models::Platform& platform, const std::vector<std::string>& signals,
           const std::filesystem::path& folder);
  VcdTrace(const VcdTrace&) = delete;
  VcdTrace& operator=(const VcdTrace&) = delete;

  // Ends the recording; once. from, to: in time after `zero`, which becomes time 0; values that hold at `from`
  // stand there.
  void write(std::ostream& out, const sc_core::sc_time& zero, const sc_core::sc_time& from,
             const sc_core::sc_time& to);

 private:
  std::filesystem::path file_name_;  // without SystemC's .vcd
  sc_core::sc_trace_file* file_ = nullptr;
};

}  // namespace abacus::trace
