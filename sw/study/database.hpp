// SQLite, as far as a study needs it: statements that throw.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace abacus::study {

// What a column holds; monostate: NULL.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Cell>;

class Database {
 public:
  enum class Mode { create, write, read };

  // Throws std::runtime_error naming the file and why, as all members do: it is not there, is none, the disk is full.
  Database(const std::filesystem::path& file, Mode mode);

  // Statements without an answer, one or several.
  void run(const std::string& sql);
  // One statement with its `?` in order; `visit` sees each row. Prepared once for the same text.
  void run(const std::string& sql, const Row& values,
           const std::function<void(const Row&)>& visit = {});

  // `work` in a transaction, of which all is written or nothing.
  void transact(const std::function<void()>& work);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct Statement {
    std::string sql;
    std::unique_ptr<sqlite3_stmt, Finalize> compiled;
  };

  [[noreturn]] void refuse() const;
  sqlite3_stmt* statement(const std::string& sql);

  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> database_;
  std::vector<Statement> statements_;
};

}  // namespace abacus::study
