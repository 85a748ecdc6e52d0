// SqliteReader: the files themselves.
#include <sqlite3.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <filesystem>

#include "coordinator/store/copy_database.h"
#include "coordinator/store/migrate.h"
#include "coordinator/store/sqlite_reader.h"

namespace gridsweep {
namespace {

constexpr int64_t kMostFindings = 20;

int64_t FileBytes(const std::string& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

absl::Status CollectTexts(Db& db, const std::string& sql, std::vector<std::string>& texts) {
  GS_ASSIGN_OR_RETURN(Statement rows, db.Query(sql));
  while (true) {
    const absl::StatusOr<bool> more = rows.Step();
    // Damage may also be what stops the look at it.
    if (absl::IsDataLoss(more.status())) texts.push_back(Message(more.status()));
    if (absl::IsDataLoss(more.status())) return absl::OkStatus();
    GS_RETURN_IF_ERROR(more.status());
    if (!*more) return absl::OkStatus();
    texts.push_back(rows.Text(0));
  }
}

}  // namespace

absl::Status SqliteReader::Backup(const std::string& file) {
  GS_ASSIGN_OR_RETURN(const std::unique_ptr<Db> connection, open_());
  // Of this connection's own: it writes nowhere but into the copy.
  GS_RETURN_IF_ERROR(connection->Execute("PRAGMA query_only=OFF"));
  return CopyDatabase(*connection, file);
}

absl::StatusOr<StoreSizes> SqliteReader::Sizes() {
  struct statvfs disk {};
  if (statvfs(file_.c_str(), &disk) != 0)
    return ErrnoError(errno, fmt::format("cannot look at the disk of '{}'", file_));
  return StoreSizes{.database_bytes = FileBytes(file_),
                    .wal_bytes = FileBytes(file_ + "-wal"),
                    .free_bytes = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize)};
}

absl::StatusOr<StoreExamination> SqliteReader::Examine() {
  StoreExamination found;
  GS_ASSIGN_OR_RETURN(const std::unique_ptr<Db> connection, open_());
  GS_RETURN_IF_ERROR(CollectTexts(*connection,
                                  fmt::format("SELECT integrity_check FROM pragma_integrity_check({}) WHERE "
                                              "integrity_check <> 'ok'",
                                              kMostFindings),
                                  found.damage));
  GS_RETURN_IF_ERROR(CollectTexts(
      *connection,
      fmt::format(
          "SELECT 'row ' || coalesce(rowid, '?') || ' of table ' || \"table\" || ' refers to nothing in ' || parent FROM "
          "pragma_foreign_key_check LIMIT {}",
          kMostFindings),
      found.damage));
  GS_ASSIGN_OR_RETURN(found.schema_version, connection->QueryInt("PRAGMA user_version"));
  found.newest_schema = SchemaVersion();
  found.sqlite_version = sqlite3_libversion();
  GS_ASSIGN_OR_RETURN(const StoreSizes sizes, Sizes());
  found.database_bytes = sizes.database_bytes;
  found.wal_bytes = sizes.wal_bytes;
  found.free_bytes = sizes.free_bytes;
  return found;
}

}  // namespace gridsweep
