#include "coordinator/store/sqlite_db.h"

#include <sqlite3.h>

namespace gridsweep {
namespace {

// Percent-encodes what has a meaning in a SQLite URI.
std::string UriPath(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

absl::Status SqliteError(sqlite3* db, int code, std::string_view doing) {
  const int extended = db == nullptr ? code : sqlite3_extended_errcode(db);
  const std::string text = fmt::format("{}: {} (sqlite code {})", doing,
                                       db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db), extended);
  // A full disk that stops the shared-memory index from growing is reported as an I/O error.
  if (extended == SQLITE_IOERR_SHMSIZE) return absl::ResourceExhaustedError(text);
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::ResourceExhaustedError(text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return absl::UnavailableError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    case SQLITE_CONSTRAINT:
      return absl::FailedPreconditionError(text);
    case SQLITE_INTERRUPT:
      return absl::DeadlineExceededError(text);
    default:
      return absl::InternalError(text);
  }
}

Statement::~Statement() {
  if (stmt_ == nullptr) return;
  sqlite3_reset(stmt_);
  sqlite3_clear_bindings(stmt_);
}

void Statement::Bind(int index, int64_t value) {
  const int rc = sqlite3_bind_int64(stmt_, index, value);
  if (status_ == SQLITE_OK) status_ = rc;
}

void Statement::Bind(int index, double value) {
  const int rc = sqlite3_bind_double(stmt_, index, value);
  if (status_ == SQLITE_OK) status_ = rc;
}

void Statement::BindText(int index, std::string_view value, bool copy) {
  // A null pointer would bind NULL, not the empty text.
  const char* data = value.data() == nullptr ? "" : value.data();
  const int rc = sqlite3_bind_text64(stmt_, index, data, value.size(),
                                     copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
  if (status_ == SQLITE_OK) status_ = rc;
}

void Statement::Bind(int index, std::nullopt_t) {
  const int rc = sqlite3_bind_null(stmt_, index);
  if (status_ == SQLITE_OK) status_ = rc;
}

void Statement::Bind(int index, BlobView value) {
  const char* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
  const int rc = sqlite3_bind_blob64(stmt_, index, data, value.bytes.size(), SQLITE_TRANSIENT);
  if (status_ == SQLITE_OK) status_ = rc;
}

absl::StatusOr<bool> Statement::Step() {
  if (status_ != SQLITE_OK) return SqliteError(db_, status_, "cannot bind a parameter");
  const int rc = sqlite3_step(stmt_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return SqliteError(db_, rc, "database");
}

absl::Status Statement::Run() {
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, Step());
    if (!more) return absl::OkStatus();
  }
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(stmt_, column);
}
double Statement::Real(int column) const {
  return sqlite3_column_double(stmt_, column);
}
bool Statement::IsNull(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  if (text == nullptr) return "";
  return std::string(text, static_cast<size_t>(sqlite3_column_bytes(stmt_, column)));
}

std::string Statement::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(stmt_, column));
  if (bytes == nullptr) return "";
  return std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(stmt_, column)));
}

std::optional<double> Statement::OptionalReal(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Real(column);
}

std::optional<absl::Time> Statement::OptionalTime(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Time(column);
}

namespace {

// Before SQLite's first use in the process. Without its memory statistics, which nobody reads, allocating takes no lock.
void ConfigureSqlite() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(done);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Db>> Db::Open(const std::string& path, Mode mode, const std::string& vfs) {
  const std::string uri = "file:" + UriPath(path) + (mode == Mode::kReadOnlyImmutable ? "?immutable=1" : "");
  const int flags =
      SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
      (mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  ConfigureSqlite();
  sqlite3* handle = nullptr;
  const int rc = sqlite3_open_v2(uri.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<Db> db(new Db(handle));
  if (rc != SQLITE_OK) return SqliteError(handle, rc, fmt::format("cannot open '{}'", path));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 5000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (mode != Mode::kReadWrite) GS_RETURN_IF_ERROR(db->Execute("PRAGMA query_only=ON"));
  return db;
}

Db::~Db() {
  for (const auto& [sql, stmt] : statements_) sqlite3_finalize(stmt);
  sqlite3_close_v2(db_);
}

absl::Status Db::Execute(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return rc == SQLITE_OK ? absl::OkStatus() : SqliteError(db_, rc, "database");
}

absl::StatusOr<Statement> Db::Prepare(std::string_view sql) {
  const auto cached = statements_.find(sql);
  if (cached != statements_.end()) return Statement(db_, cached->second);
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                    &stmt, nullptr);
  if (rc != SQLITE_OK) return SqliteError(db_, rc, "database");
  statements_.emplace(std::string_view(sqlite3_sql(stmt)), stmt);
  return Statement(db_, stmt);
}

int64_t Db::Changes() const {
  return sqlite3_changes64(db_);
}
int64_t Db::TotalChanges() const {
  return sqlite3_total_changes64(db_);
}
int64_t Db::LastInsertId() const {
  return sqlite3_last_insert_rowid(db_);
}
bool Db::InTransaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

bool Db::IsForeignFormat() const {
  return (sqlite3_errcode(db_) & 0xff) == SQLITE_NOTADB;
}

absl::StatusOr<ReadTransaction> ReadTransaction::Begin(Db& db) {
  GS_RETURN_IF_ERROR(db.Execute("BEGIN"));
  return ReadTransaction(&db);
}

ReadTransaction::~ReadTransaction() {
  // Cannot fail in a way that matters: nothing was written.
  if (db_ != nullptr && db_->InTransaction()) db_->Execute("ROLLBACK").IgnoreError();
}

}  // namespace gridsweep
