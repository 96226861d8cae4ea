#include "sw/study/database.hpp"

#include <sqlite3.h>

#include <stdexcept>

#include "sw/support/overloaded.hpp"

namespace abacus::study {
namespace {

Cell cell(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return std::monostate();
    default: {
      const void* bytes = sqlite3_column_blob(statement, column);
      const auto count = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), count);
    }
  }
}

int bind(sqlite3_stmt* statement, int place, const Cell& value) {
  return std::visit(
      support::Overloaded{
          [&](std::monostate) { return sqlite3_bind_null(statement, place); },
          [&](std::int64_t whole) { return sqlite3_bind_int64(statement, place, whole); },
          [&](double real) { return sqlite3_bind_double(statement, place, real); },
          [&](const std::string& text) {
            return sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()),
                                     SQLITE_TRANSIENT);
          }},
      value);
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Database::Database(const std::filesystem::path& file, Mode mode) : file_(file) {
  const int flags = mode == Mode::create  ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                    : mode == Mode::write ? SQLITE_OPEN_READWRITE
                                          : SQLITE_OPEN_READONLY;
  sqlite3* opened = nullptr;
  const int status = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
  database_.reset(opened);
  if (status != SQLITE_OK) refuse();
  constexpr int wait_ms = 10'000;  // for somebody who reads
  sqlite3_busy_timeout(opened, wait_ms);
}

void Database::refuse() const {
  std::string what = database_ ? sqlite3_errmsg(database_.get()) : "not enough memory";
  const int code = database_ ? sqlite3_errcode(database_.get()) : SQLITE_NOMEM;
  if (code == SQLITE_FULL) what = "the disk is full";
  throw std::runtime_error(file_.string() + ": " + what);
}

void Database::run(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) refuse();
}

sqlite3_stmt* Database::statement(const std::string& sql) {
  for (const Statement& known : statements_) {
    if (known.sql == sql) return known.compiled.get();
  }
  sqlite3_stmt* compiled = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &compiled, nullptr) != SQLITE_OK) {
    refuse();
  }
  statements_.push_back({sql, std::unique_ptr<sqlite3_stmt, Finalize>(compiled)});
  return compiled;
}

void Database::run(const std::string& sql, const Row& values,
                   const std::function<void(const Row&)>& visit) {
  sqlite3_stmt* const compiled = statement(sql);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (bind(compiled, static_cast<int>(i) + 1, values[i]) != SQLITE_OK) refuse();
  }
  int status = SQLITE_ROW;
  while ((status = sqlite3_step(compiled)) == SQLITE_ROW) {
    Row row;
    for (int c = 0; c < sqlite3_column_count(compiled); ++c) row.push_back(cell(compiled, c));
    if (visit) visit(row);
  }
  sqlite3_reset(compiled);
  if (status != SQLITE_DONE) refuse();
}

void Database::transact(const std::function<void()>& work) {
  run("BEGIN IMMEDIATE");
  try {
    work();
    run("COMMIT");
  } catch (...) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

}  // namespace abacus::study
