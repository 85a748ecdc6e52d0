// SqliteReader: queries written by users, in a sandbox: a connection of their own that can only SELECT, with
// limits on time, rows and memory.
#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "absl/time/clock.h"
#include "common/catalog/quote.h"
#include "coordinator/store/sqlite_reader.h"

namespace gridsweep {
namespace {

constexpr int kMaxSqlBytes = 1 << 20;
constexpr int kMaxValueBytes = 16 << 20;
constexpr int64_t kMaxResultBytes = 48 << 20;  // well below what one message may hold
constexpr int kStepsBetweenChecks = 10'000;    // of SQLite's virtual machine: well under a millisecond

int Authorize(void* /*unused*/, int action, const char* table_or_null, const char* detail,
              const char* /*database*/, const char* /*trigger*/) {
  const char* table = table_or_null == nullptr ? "" : table_or_null;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_READ:
      // Who knows a token may write as its worker. It reads as NULL.
      if (std::strcmp(table, "attempts") == 0 && detail != nullptr && std::strcmp(detail, "token") == 0) {
        return SQLITE_IGNORE;
      }
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return detail != nullptr && sqlite3_stricmp(detail, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

int StopWhenLate(void* deadline) {
  return absl::Now() >= *static_cast<const absl::Time*>(deadline) ? 1 : 0;
}

void ApplyLimits(sqlite3* db) {
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, kMaxSqlBytes);
  sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 100);
  sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 50);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

// sqlite3_stmt, finalized.
struct Finalizer {
  void operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }
};
using OwnedStatement = std::unique_ptr<sqlite3_stmt, Finalizer>;

absl::Status UserError(sqlite3* db) {
  const int code = sqlite3_errcode(db);
  if (code == SQLITE_INTERRUPT) return absl::DeadlineExceededError("the query took too long");
  if (code == SQLITE_AUTH) return InvalidArgument("only SELECT is possible here: {}", sqlite3_errmsg(db));
  if (code == SQLITE_ERROR || code == SQLITE_TOOBIG || code == SQLITE_MISMATCH || code == SQLITE_READONLY ||
      code == SQLITE_RANGE || code == SQLITE_CONSTRAINT) {
    return InvalidArgument("{}", sqlite3_errmsg(db));
  }
  return SqliteError(db, code, "query");
}

absl::StatusOr<OwnedStatement> PrepareSelect(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  if (sqlite3_prepare_v3(db, sql.c_str(), static_cast<int>(sql.size()) + 1, 0, &raw, &tail) != SQLITE_OK) {
    return UserError(db);
  }
  OwnedStatement stmt(raw);
  if (stmt == nullptr) return InvalidArgument("there is no query, expected one SELECT");
  sqlite3_stmt* more = nullptr;
  const bool has_more = sqlite3_prepare_v3(db, tail, -1, 0, &more, nullptr) != SQLITE_OK || more != nullptr;
  sqlite3_finalize(more);
  if (has_more)
    return InvalidArgument("only one statement is possible at a time, this goes on with '{:.40}'", tail);
  if (sqlite3_stmt_readonly(stmt.get()) == 0 || sqlite3_column_count(stmt.get()) == 0) {
    return InvalidArgument("only SELECT is possible here");
  }
  return stmt;
}

// A text column may hold any bytes; a message's text may not.
std::string ValidText(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    valid += length == 0 ? "\uFFFD" : text.substr(at, length);
    at += std::max<size_t>(1, length);
  }
  return valid;
}

SqlValue ReadValue(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return static_cast<int64_t>(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    default:
      break;
  }
  const bool is_blob = sqlite3_column_type(row, column) == SQLITE_BLOB;
  const auto* data = static_cast<const char*>(sqlite3_column_blob(row, column));  // null if it is empty
  const std::string_view bytes(data == nullptr ? "" : data,
                               static_cast<size_t>(sqlite3_column_bytes(row, column)));
  if (is_blob) return SqlBlob{std::string(bytes)};
  return ValidText(bytes);
}

int64_t Footprint(const SqlValue& value) {
  size_t bytes = sizeof value;
  if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
  if (const auto* blob = std::get_if<SqlBlob>(&value)) bytes += blob->bytes.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace

absl::StatusOr<QueryResult> SqliteReader::Query(const std::string& sql, const QueryLimits& limits) {
  if (sql.size() > static_cast<size_t>(kMaxSqlBytes))
    return InvalidArgument("the query is longer than 1 MiB");
  GS_ASSIGN_OR_RETURN(const std::unique_ptr<Db> connection, open_());
  sqlite3* db = connection->handle();
  absl::Time deadline = absl::Now() + limits.timeout;
  ApplyLimits(db);
  // SQLite sets these table functions up once per connection, by statements that the authorizer would refuse.
  GS_RETURN_IF_ERROR(connection->Execute("SELECT 1 FROM json_each('[]'), json_tree('[]')"));
  sqlite3_set_authorizer(db, Authorize, nullptr);
  sqlite3_progress_handler(db, kStepsBetweenChecks, StopWhenLate, &deadline);

  GS_ASSIGN_OR_RETURN(const OwnedStatement stmt, PrepareSelect(db, sql));
  QueryResult result;
  const int columns = sqlite3_column_count(stmt.get());
  for (int i = 0; i < columns; ++i) result.columns.emplace_back(sqlite3_column_name(stmt.get(), i));
  int64_t bytes = 0;
  while (true) {
    const int rc = sqlite3_step(stmt.get());
    if (rc == SQLITE_DONE) return result;
    if (rc != SQLITE_ROW) return UserError(db);
    if (static_cast<int64_t>(result.rows.size()) >= limits.max_rows) {
      result.truncated = true;
      return result;
    }
    std::vector<SqlValue>& row = result.rows.emplace_back();
    for (int i = 0; i < columns; ++i) bytes += Footprint(row.emplace_back(ReadValue(stmt.get(), i)));
    if (bytes <= kMaxResultBytes) continue;
    result.rows.pop_back();
    if (result.rows.empty()) {
      return InvalidArgument(
          "a row of the result is larger than {} MiB; select fewer columns, or a part with substr()",
          kMaxResultBytes >> 20);
    }
    result.truncated = true;
    return result;
  }
}

}  // namespace gridsweep
