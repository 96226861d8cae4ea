// Runs that are finished while others of their scenario are not, in a file beside results.json: whatever ends the
// program, the same command goes on from there.
//
// One JSON object a line. {"scenario": …, "missing": […]}: a command began, and these runs were not there.
// {"identity": …, "run": …, "times": …}: a run finished. A line that a killed process did not finish is no run.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace abacus::experiment {

// results.partial.jsonl in the folder of results.json.
std::filesystem::path partial_results_file(const std::filesystem::path& results_file);

class PartialResults {
 public:
  struct Entry {
    nlohmann::ordered_json run;    // of results.json's "runs"
    nlohmann::ordered_json times;  // of its "times"
  };

  // What is there. Throws std::runtime_error where there is a file that cannot be read. Whoever holds the lock of
  // results.json may write.
  explicit PartialResults(const std::filesystem::path& results_file);

  const std::filesystem::path& file() const { return file_; }
  std::size_t count() const { return entries_.size(); }
  // By run_identity(); null where it is not kept.
  const Entry* find(const std::string& identity) const;

  // Both add a line; the file is made by the first. Throw std::runtime_error where it cannot be written.
  void begin(const std::string& scenario, const std::vector<std::string>& missing);
  void keep(const std::string& identity, const Entry& entry);

  // When the results are whole.
  void remove();

 private:
  void add(const nlohmann::ordered_json& line);

  std::filesystem::path file_;
  std::map<std::string, Entry> entries_;
  bool torn_ = false;  // the last line has no end
};

}  // namespace abacus::experiment
