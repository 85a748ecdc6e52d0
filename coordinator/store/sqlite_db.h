// A SQLite connection and its prepared statements, as values with errors as absl::Status. Nothing else in the
// project calls SQLite, except the sandbox for user queries (sqlite_reader_query.cc).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace gridsweep {

// What went wrong on `db`, by the extended result code: FULL → RESOURCE_EXHAUSTED, BUSY and I/O errors →
// UNAVAILABLE, CORRUPT and NOTADB → DATA_LOSS, CONSTRAINT → FAILED_PRECONDITION, INTERRUPT →
// DEADLINE_EXCEEDED, else INTERNAL.
absl::Status SqliteError(sqlite3* db, int code, std::string_view doing);

// Bytes to be bound as a BLOB.
struct BlobView {
  std::string_view bytes;
};

// A prepared statement in use. Borrowed from its Db's cache; reset and its bindings cleared on destruction.
// Move-only. REQUIRES: does not outlive its Db, and the same SQL text is not used twice at a time.
class Statement {
 public:
  Statement(sqlite3* db, sqlite3_stmt* stmt) : db_(db), stmt_(stmt) {}
  Statement(Statement&& other) noexcept : db_(other.db_), stmt_(other.stmt_), status_(other.status_) {
    other.stmt_ = nullptr;
  }
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters ?1, ?2, …. A NaN would silently become NULL, so callers pass finite doubles or nullopt.
  void Bind(int index, int64_t value);
  void Bind(int index, double value);
  void Bind(int index, std::string_view value) { BindText(index, value, /*copy=*/true); }
  void Bind(int index, std::nullopt_t);
  void Bind(int index, BlobView value);
  void Bind(int index, absl::Time value) { Bind(index, absl::ToUnixMicros(value)); }
  template <typename T>
  void Bind(int index, const std::optional<T>& value) {
    if (value.has_value()) {
      Bind(index, *value);
    } else {
      Bind(index, std::nullopt);
    }
  }

  // Text that stays where it is until the statement is done: not copied.
  template <typename T>
  void BindInPlace(int index, const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      BindText(index, value, /*copy=*/false);
    } else {
      Bind(index, value);
    }
  }

  // Advances to the next row; false after the last.
  absl::StatusOr<bool> Step();
  // Steps to the end, ignoring rows.
  absl::Status Run();

  // Columns of the current row, counted from 0. NULL reads as 0, "" or nullopt.
  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;
  std::string Bytes(int column) const;  // of a BLOB
  bool IsNull(int column) const;
  std::optional<double> OptionalReal(int column) const;
  absl::Time Time(int column) const { return absl::FromUnixMicros(Int(column)); }
  std::optional<absl::Time> OptionalTime(int column) const;

 private:
  void BindText(int index, std::string_view value, bool copy);

  sqlite3* db_;
  sqlite3_stmt* stmt_;
  int status_ = 0;  // first error of a Bind
};

// One connection. Not thread-safe.
class Db {
 public:
  enum class Mode {
    kReadWrite,  // creates the file if there is none
    kReadOnly,
    kReadOnlyImmutable,  // without locks: only for a file that nobody writes
  };

  // Opens `path` with the settings every connection needs: 5 s busy timeout, no checkpoint on close, no
  // extensions. (The schema is trusted, because the views use JSON functions, which SQLite 3.40 does not mark
  // as harmless; there are no functions of our own that a schema could abuse.)
  // `vfs` names the SQLite VFS; empty for the default one.
  static absl::StatusOr<std::unique_ptr<Db>> Open(const std::string& path, Mode mode,
                                                  const std::string& vfs = "");
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  // Runs any number of statements without parameters.
  absl::Status Execute(const char* sql);

  // A cached statement with ?1, ?2, … bound to `args`.
  template <typename... Args>
  absl::StatusOr<Statement> Query(std::string_view sql, const Args&... args) {
    GS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    int index = 0;
    (statement.Bind(++index, args), ...);
    return statement;
  }
  template <typename... Args>
  absl::Status Run(std::string_view sql, const Args&... args) {
    GS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    int index = 0;
    (statement.BindInPlace(++index, args), ...);
    return statement.Run();
  }
  // The first column of the first row; NOT_FOUND if there is no row.
  template <typename... Args>
  absl::StatusOr<int64_t> QueryInt(std::string_view sql, const Args&... args) {
    GS_ASSIGN_OR_RETURN(Statement statement, Query(sql, args...));
    GS_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return NotFound("no such row");
    return statement.Int(0);
  }

  int64_t Changes() const;       // rows changed by the last INSERT, UPDATE or DELETE
  int64_t TotalChanges() const;  // rows changed since it was opened, also those taken back
  int64_t LastInsertId() const;  // row id of the last INSERT
  // False outside a transaction, also after SQLite has rolled one back because of an error.
  bool InTransaction() const;
  // Whether the last call failed because the file has another format (NOTADB), rather than damaged pages.
  bool IsForeignFormat() const;

  sqlite3* handle() { return db_; }

 private:
  explicit Db(sqlite3* db) : db_(db) {}
  absl::StatusOr<Statement> Prepare(std::string_view sql);

  sqlite3* db_;
  std::unordered_map<std::string_view, sqlite3_stmt*> statements_;  // keys point to SQLite's copy of the text
};

// BEGIN and COMMIT around a group of reads, so that they see one state. Rolls back (which ends a read) on
// destruction.
class ReadTransaction {
 public:
  static absl::StatusOr<ReadTransaction> Begin(Db& db);
  ReadTransaction(ReadTransaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

 private:
  explicit ReadTransaction(Db* db) : db_(db) {}
  Db* db_;
};

}  // namespace gridsweep
