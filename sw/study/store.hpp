// A study's folder: study.sqlite, one file with all points, readable by any tool that reads SQLite.
//
//   meta(key, value)        schema, name, axes and text of the study, what it wants, who wrote it
//   points(number, status, reason, hash, package_sha256, axes, metrics, seconds, wanted)   axes and metrics: JSON
//   functional(key, first, outcome)   images that many points share
//   results                 a view, made at the end: points with a column an axis and a metric
//
// While points are being added, SQLite's log lies beside it (study.sqlite-wal). What is kept survives the end of any
// process at once, and a power cut after a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sw/study/database.hpp"
#include "sw/study/points.hpp"
#include "sw/support/file_lock.hpp"

namespace abacus::study {

inline constexpr int store_schema = 1;

std::filesystem::path store_file(const std::filesystem::path& folder);

struct StoredPoint {
  std::int64_t number = 0;
  std::string status;  // "ok", "infeasible", "failed"
  std::string reason;  // of all but ok
  std::string hash;
  std::string package;  // empty: random weights
  std::string axes;     // JSON objects; metrics may be empty
  std::string metrics;
  double seconds = 0;
};

// What names a study in its folder, and tells it from another one.
struct StudyIdentity {
  std::string name;
  std::string axes;  // JSON: their names, keys and values, and how derived keys are computed
};

StudyIdentity identity_of(const Study& study);

// Who writes into the folder. Throws std::runtime_error where another process does.
support::FileLock lock_study(const std::filesystem::path& folder);

class Store {
 public:
  // Makes folder and file, or opens those of the same study. Throws std::runtime_error where the folder is another
  // study's, has files of another kind, is being written by another process, or cannot be written.
  Store(const std::filesystem::path& folder, const Study& study, const std::string& shard);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Hashes of the points that have a result.
  const std::map<std::int64_t, std::string>& hashes() const { return hashes_; }
  // From now on the table has these points alone; others stay, unseen.
  void want(const std::vector<std::int64_t>& numbers);
  // So many will come; which ones is told by want() at the end.
  void expect(std::int64_t points);
  void keep(const StoredPoint& point);
  std::optional<StoredPoint> find(std::int64_t number);

  void keep_functional(const std::string& key, std::int64_t first, const std::string& outcome);
  std::map<std::int64_t, std::string> functional(const std::string& key);

  // Now and then: writes through to the disk, once a second at most.
  void sync();
  // All is there: makes the view and leaves one file.
  void finish();

 private:
  std::filesystem::path folder_;
  std::optional<support::FileLock> lock_;
  std::optional<Database> database_;
  std::map<std::int64_t, std::string> hashes_;
  std::chrono::steady_clock::time_point synced_;
};

// A study's points as they are in its folder, ascending.
struct StoredStudy {
  StudyIdentity identity;
  std::string text;
  std::string base;
  std::string shard;  // "1/4"; empty: all
  std::int64_t wanted = 0;
  std::vector<std::string> axes;
  std::vector<Objective> objectives;
  std::vector<std::string> constraints;
  std::vector<StoredPoint> points;
};

// Throws std::runtime_error where there is none, or one of a schema that a newer program wrote.
StoredStudy read_store(const std::filesystem::path& folder);

// Writes one folder of several shards' points. Throws std::runtime_error where they are not one study's, or do not
// add up to all of it.
void collect_stores(const std::vector<std::filesystem::path>& shards,
                    const std::filesystem::path& out);

}  // namespace abacus::study
