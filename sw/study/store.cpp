#include "sw/study/store.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "sw/experiment/simulator.hpp"
#include "sw/provenance/provenance.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/work_folder.hpp"

namespace abacus::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema_sql =
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS points(number INTEGER PRIMARY KEY, status TEXT NOT NULL, reason "
    "TEXT, hash TEXT NOT NULL, package_sha256 TEXT, axes TEXT NOT NULL, metrics TEXT, seconds REAL "
    "NOT NULL, wanted INTEGER NOT NULL DEFAULT 1);"
    "CREATE TABLE IF NOT EXISTS functional(key TEXT, first INTEGER, outcome TEXT NOT NULL, PRIMARY "
    "KEY(key, first));";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Cell text_or_null(const std::string& text) {
  return text.empty() ? Cell(std::monostate()) : Cell(text);
}

std::string text_of(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text == nullptr ? "" : *text;
}

StoredPoint point_of(const Row& row) {
  StoredPoint point;
  point.number = std::get<std::int64_t>(row[0]);
  point.status = text_of(row[1]);
  point.reason = text_of(row[2]);
  point.hash = text_of(row[3]);
  point.package = text_of(row[4]);
  point.axes = text_of(row[5]);
  point.metrics = text_of(row[6]);
  point.seconds = std::get<double>(row[7]);
  return point;
}

constexpr const char* columns =
    "number, status, reason, hash, package_sha256, axes, metrics, seconds";

void put_meta(Database& database, const std::string& key, const std::string& value) {
  database.run("INSERT INTO meta VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = ?",
               {key, value, value});
}

std::map<std::string, std::string> meta_of(Database& database) {
  std::map<std::string, std::string> meta;
  database.run("SELECT key, value FROM meta", {},
               [&](const Row& row) { meta[text_of(row[0])] = text_of(row[1]); });
  return meta;
}

void put_point(Database& database, const StoredPoint& point) {
  database.run(
      "INSERT OR REPLACE INTO points VALUES(?, ?, ?, ?, ?, ?, ?, ?, 1)",
      {point.number, point.status, text_or_null(point.reason), point.hash,
       text_or_null(point.package), point.axes, text_or_null(point.metrics), point.seconds});
}

// A column an axis and a metric.
void make_view(Database& database) {
  constexpr int looked_at = 200;  // points have the same metrics
  std::string view = "CREATE VIEW results AS SELECT number, status, reason, hash, package_sha256";
  std::set<std::string> seen;
  for (const char* of : {"axes", "metrics"}) {
    std::vector<std::string> names;
    database.run(
        "SELECT key FROM (SELECT " + std::string(of) + " AS o FROM points WHERE wanted AND " + of +
            " IS NOT NULL ORDER BY number LIMIT " + std::to_string(looked_at) + "), json_each(o)",
        {}, [&](const Row& row) {
          if (seen.insert(text_of(row[0])).second) names.push_back(text_of(row[0]));
        });
    for (const std::string& name : names) {
      if (name.find_first_of("\"'") != std::string::npos) continue;
      view += ", json_extract(" + std::string(of) + ", '$.\"" + name + "\"') AS \"" + name + '"';
    }
  }
  database.run("DROP VIEW IF EXISTS results; " + view +
               " FROM points WHERE wanted ORDER BY number");
}

// Leaves one file, whatever may be beside it.
void leave_one_file(Database& database) { database.run("PRAGMA journal_mode = DELETE"); }

// Objectives and constraints.
std::string wishes_of(const Study& study) {
  Json objectives = Json::array();
  for (const Objective& objective : study.objectives) {
    objectives.push_back({{"metric", objective.metric}, {"maximise", objective.maximise}});
  }
  Json constraints = Json::array();
  for (const Expression& constraint : study.constraints) constraints.push_back(constraint.text());
  return dump({{"objectives", objectives}, {"constraints", constraints}});
}

}  // namespace

// Workers of a command that was killed end a moment after it.
support::FileLock lock_study(const std::filesystem::path& folder) {
  constexpr int tries = 60;
  for (int i = 0; i < tries; ++i) {
    if (std::optional<support::FileLock> lock =
            support::FileLock::try_take(folder / ".study.lock")) {
      return std::move(*lock);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error(folder.string() + ": another process explores into it");
}

std::filesystem::path store_file(const std::filesystem::path& folder) {
  return folder / "study.sqlite";
}

StudyIdentity identity_of(const Study& study) {
  Json axes = Json::array();
  for (const Axis& axis : study.axes) {
    Json values = Json::array();
    for (const reading::Node& value : axis.values) {
      values.push_back(reading::Value(axis.name, &value, {}).option());
    }
    axes.push_back({{"name", axis.name}, {"keys", axis.keys}, {"values", std::move(values)}});
  }
  for (const Derived& derived : study.derived) {
    axes.push_back({{"keys", derived.keys}, {"derived", derived.value.text()}});
  }
  return {study.name, dump(axes)};
}

Store::Store(const std::filesystem::path& folder, const Study& study, const std::string& shard)
    : folder_(folder), synced_(std::chrono::steady_clock::now()) {
  const std::filesystem::path file = store_file(folder);
  support::make_output_folder(folder);
  support::check_output(file);
  lock_ = lock_study(folder);
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(file, ignored);
  database_.emplace(file, Database::Mode::create);
  database_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  database_->run(schema_sql);
  const StudyIdentity identity = identity_of(study);
  const std::map<std::string, std::string> meta = meta_of(*database_);
  if (!is_new && !meta.empty()) {
    const auto same = [&](const char* key, const std::string& value) {
      const auto found = meta.find(key);
      return found != meta.end() && found->second == value;
    };
    if (!same("schema", std::to_string(store_schema))) {
      throw std::runtime_error(file.string() +
                               ": was written by another version of abacus; give "
                               "another folder by --out");
    }
    if (!same("name", identity.name) || !same("axes", identity.axes)) {
      throw std::runtime_error(folder.string() + ": holds the study \"" + meta.at("name") + '"' +
                               (same("name", identity.name) ? " with other axes" : "") +
                               "; give another folder by --out");
    }
    if (!same("shard", shard)) {
      throw std::runtime_error(folder.string() + ": holds shard \"" + meta.at("shard") +
                               "\" of the study; a shard has a folder of its own");
    }
  }
  Json names = Json::array();
  for (const Axis& axis : study.axes) names.push_back(axis.name);
  database_->transact([&] {
    put_meta(*database_, "schema", std::to_string(store_schema));
    put_meta(*database_, "name", identity.name);
    put_meta(*database_, "axes", identity.axes);
    put_meta(*database_, "axis_names", dump(names));
    put_meta(*database_, "shard", shard);
    put_meta(*database_, "wishes", wishes_of(study));
    put_meta(*database_, "text", study.text);
    put_meta(*database_, "base", study.base.text);
    put_meta(*database_, "provenance",
             dump(provenance::provenance(experiment::simulator_name,
                                         experiment::simulator_libraries())));
  });
  database_->run("SELECT number, hash FROM points", {}, [&](const Row& row) {
    hashes_[std::get<std::int64_t>(row[0])] = text_of(row[1]);
  });
}

Store::~Store() = default;

void Store::want(const std::vector<std::int64_t>& numbers) {
  const std::set<std::int64_t> wanted(numbers.begin(), numbers.end());
  database_->transact([&] {
    put_meta(*database_, "wanted", std::to_string(numbers.size()));
    for (const auto& [number, hash] : hashes_) {
      database_->run("UPDATE points SET wanted = ? WHERE number = ?",
                     {std::int64_t{wanted.count(number) != 0}, number});
    }
  });
}

void Store::expect(std::int64_t points) { put_meta(*database_, "wanted", std::to_string(points)); }

void Store::keep(const StoredPoint& point) {
  put_point(*database_, point);
  hashes_[point.number] = point.hash;
}

std::optional<StoredPoint> Store::find(std::int64_t number) {
  std::optional<StoredPoint> point;
  database_->run("SELECT " + std::string(columns) + " FROM points WHERE number = ?", {number},
                 [&](const Row& row) { point = point_of(row); });
  return point;
}

void Store::keep_functional(const std::string& key, std::int64_t first,
                            const std::string& outcome) {
  database_->run("INSERT OR REPLACE INTO functional VALUES(?, ?, ?)", {key, first, outcome});
}

std::map<std::int64_t, std::string> Store::functional(const std::string& key) {
  std::map<std::int64_t, std::string> outcomes;
  database_->run("SELECT first, outcome FROM functional WHERE key = ?", {key}, [&](const Row& row) {
    outcomes[std::get<std::int64_t>(row[0])] = text_of(row[1]);
  });
  return outcomes;
}

void Store::sync() {
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < std::chrono::seconds(1)) return;
  synced_ = now;
  database_->run("PRAGMA wal_checkpoint(PASSIVE)");
}

void Store::finish() {
  make_view(*database_);
  leave_one_file(*database_);
}

StoredStudy read_store(const std::filesystem::path& folder) {
  const std::filesystem::path file = store_file(folder);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    throw std::runtime_error(folder.string() +
                             ": is no study's folder: there is no study.sqlite in it");
  }
  // A log that a killed process left is taken in by whoever may write.
  const bool has_log = std::filesystem::exists(file.string() + "-wal", ignored);
  Database database(file, has_log ? Database::Mode::write : Database::Mode::read);
  const std::map<std::string, std::string> meta = meta_of(database);
  const auto of = [&](const char* key) {
    const auto found = meta.find(key);
    return found == meta.end() ? std::string() : found->second;
  };
  if (of("schema") != std::to_string(store_schema)) {
    throw std::runtime_error(file.string() + ": found schema \"" + of("schema") +
                             "\"; allowed: " + std::to_string(store_schema));
  }
  StoredStudy study;
  study.identity = {of("name"), of("axes")};
  study.text = of("text");
  study.base = of("base");
  study.shard = of("shard");
  study.wanted = of("wanted").empty() ? 0 : std::stoll(of("wanted"));
  study.axes = Json::parse(of("axis_names")).get<std::vector<std::string>>();
  const Json wishes = Json::parse(of("wishes"));
  for (const Json& objective : wishes.at("objectives")) {
    study.objectives.push_back({objective.at("metric"), objective.at("maximise")});
  }
  study.constraints = wishes.at("constraints").get<std::vector<std::string>>();
  database.run("SELECT " + std::string(columns) + " FROM points WHERE wanted ORDER BY number", {},
               [&](const Row& row) { study.points.push_back(point_of(row)); });
  return study;
}

void collect_stores(const std::vector<std::filesystem::path>& shards,
                    const std::filesystem::path& out) {
  std::map<std::string, std::string> first;
  std::vector<bool> seen;
  std::int64_t wanted = 0;
  const std::filesystem::path file = store_file(out);
  support::make_output_folder(out);
  support::check_output(file);
  const support::FileLock lock = lock_study(out);
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    throw std::runtime_error(file.string() + ": is there already; give another folder by --out");
  }
  // Beside it, until it is whole.
  const support::WorkFolder work(out, "collecting");
  const std::filesystem::path partial = work.path() / file.filename();
  {
    Database all(partial, Database::Mode::create);
    all.run(schema_sql);
    all.transact([&] {
      for (const std::filesystem::path& shard : shards) {
        const StoredStudy study = read_store(shard);
        Database database(store_file(shard), Database::Mode::write);
        std::map<std::string, std::string> meta = meta_of(database);
        if (first.empty()) first = meta;
        for (const char* key : {"schema", "name", "axes", "text", "base"}) {
          if (meta[key] == first[key]) continue;
          throw std::runtime_error(shard.string() + ": holds another study than " +
                                   shards.front().string() + " (" + key + ')');
        }
        const std::string& of = study.shard;
        const std::size_t slash = of.find('/');
        if (slash == std::string::npos) {
          throw std::runtime_error(shard.string() +
                                   ": is no shard; a whole study needs no collecting");
        }
        const auto count = static_cast<std::size_t>(std::stoul(of.substr(slash + 1)));
        if (seen.empty()) seen.resize(count);
        const auto index = static_cast<std::size_t>(std::stoul(of)) - 1;
        if (count != seen.size() || seen[index]) {
          throw std::runtime_error(shard.string() + ": is shard " + of +
                                   (count == seen.size()
                                        ? ", which came already"
                                        : "; others are of " + std::to_string(seen.size())));
        }
        seen[index] = true;
        if (static_cast<std::int64_t>(study.points.size()) != study.wanted) {
          throw std::runtime_error(shard.string() + ": has " + std::to_string(study.points.size()) +
                                   " of " + std::to_string(study.wanted) +
                                   " points; explore it to its end first");
        }
        wanted += study.wanted;
        for (const StoredPoint& point : study.points) put_point(all, point);
      }
      for (std::size_t i = 0; i < seen.size(); ++i) {
        if (seen[i]) continue;
        throw std::runtime_error("shard " + std::to_string(i + 1) + '/' +
                                 std::to_string(seen.size()) + " is missing");
      }
      for (const auto& [key, value] : first) put_meta(all, key, value);
      put_meta(all, "shard", "");
      put_meta(all, "wanted", std::to_string(wanted));
    });
    make_view(all);
  }
  std::filesystem::rename(partial, file);
}

}  // namespace abacus::study
