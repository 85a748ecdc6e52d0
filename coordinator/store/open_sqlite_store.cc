#include <sqlite3.h>

#include <filesystem>

#include "common/base/atomic_file.h"
#include "common/base/log.h"
#include "coordinator/store/copy_database.h"
#include "coordinator/store/file_lock.h"
#include "coordinator/store/file_system.h"
#include "coordinator/store/migrate.h"
#include "coordinator/store/sqlite_reader.h"
#include "coordinator/store/sqlite_store.h"
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

absl::Status RefuseNetworkFileSystem(const std::string& file, const StoreOptions& options) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  GS_ASSIGN_OR_RETURN(const int64_t type,
                      options.file_system_type ? options.file_system_type(folder) : FileSystemType(folder));
  const std::string name = NetworkFileSystemName(type);
  if (name.empty()) return absl::OkStatus();
  return FailedPrecondition(
      "'{}' is on a {} file system, where SQLite databases get corrupted; put the database on a local disk",
      file, name);
}

// Looks before anything is opened for writing, so that a file that is not ours stays as it is.
absl::StatusOr<int64_t> CheckBeforeWriting(const std::string& file, const std::string& vfs) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) || std::filesystem::file_size(file, error) == 0) return 0;
  // A transaction that was cut short before the file came to write-ahead logging is undone by the next one who opens it, which
  // a reader cannot do.
  const bool cut_short = std::filesystem::exists(file + "-journal", error) &&
                         std::filesystem::file_size(file + "-journal", error) > 0;
  const Db::Mode mode = cut_short ? Db::Mode::kReadWrite : Db::Mode::kReadOnly;
  GS_ASSIGN_OR_RETURN(const std::unique_ptr<Db> db, Db::Open(file, mode, vfs));
  GS_ASSIGN_OR_RETURN(const SchemaIdentity identity, CheckSchema(*db, file));
  return identity.version;
}

absl::Status ConfigureWriter(Db& db, const StoreOptions& options) {
  {
    GS_ASSIGN_OR_RETURN(Statement mode, db.Query("PRAGMA journal_mode=WAL"));
    GS_ASSIGN_OR_RETURN(const bool found, mode.Step());
    if (!found || mode.Text(0) != "wal")
      return Unavailable("cannot switch the database to write-ahead logging");
  }
  // wal_autocheckpoint=0: the store does its checkpoints itself, on this connection.
  GS_RETURN_IF_ERROR(
      db.Execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0; "
                 "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; "
                 "PRAGMA journal_size_limit=67108864"));
  // Kept after the last close, so that users who may not write to the folder can still read the database.
  int persist = 1;
  sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  if (options.max_pages > 0) {
    GS_RETURN_IF_ERROR(db.Execute(fmt::format("PRAGMA max_page_count={}", options.max_pages).c_str()));
  }
  return absl::OkStatus();
}

// A copy for those who go back to an older gridsweep.
absl::Status KeepOldSchema(Db& db, const std::string& file, int64_t version) {
  const std::string copy = fmt::format("{}.schema-{}.bak", file, version);
  std::error_code error;
  if (std::filesystem::exists(copy, error))
    return absl::OkStatus();  // of a migration that did not come to its end
  // Under another name until it is whole: what a killed process leaves behind must not be taken for the copy.
  const std::string partial = copy + ".part";
  std::filesystem::remove(partial, error);
  GS_RETURN_IF_ERROR(Annotate(CopyDatabase(db, partial), "cannot keep a copy before the schema is changed"));
  std::filesystem::rename(partial, copy, error);
  if (error) return ErrnoError(error.value(), fmt::format("cannot rename '{}'", partial));
  GS_RETURN_IF_ERROR(SyncFolderOf(copy));
  Log(LogLevel::kInfo, "old_schema_kept", {{"file", copy}, {"version", version}});
  return absl::OkStatus();
}

ReaderPool::Opener ReadOnlyOpener(const std::string& file, const std::string& vfs = "") {
  return [file, vfs]() -> absl::StatusOr<std::unique_ptr<Db>> {
    GS_ASSIGN_OR_RETURN(std::unique_ptr<Db> db, Db::Open(file, Db::Mode::kReadOnly, vfs));
    const absl::Status readable = db->QueryInt("SELECT count(*) FROM sqlite_schema").status();
    if (!absl::IsUnavailable(readable)) return db;
    // Without the WAL's files and without permission to make them. If no coordinator runs, nobody writes and
    // the file can be read as it is.
    std::error_code error;
    const bool has_wal =
        std::filesystem::exists(file + "-wal", error) && std::filesystem::file_size(file + "-wal", error) > 0;
    if (has_wal || IsLockHeld(file + ".lock")) return readable;
    return Db::Open(file, Db::Mode::kReadOnlyImmutable, vfs);
  };
}

}  // namespace

absl::StatusOr<StoreFiles> OpenSqliteStore(const std::string& path, const StoreOptions& options) {
  GS_ASSIGN_OR_RETURN(const std::string file, ResolveDatabasePath(path));
  GS_RETURN_IF_ERROR(RefuseNetworkFileSystem(file, options));
  GS_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, FileLock::Acquire(file + ".lock"));
  GS_ASSIGN_OR_RETURN(const int64_t version, CheckBeforeWriting(file, options.vfs));
  GS_ASSIGN_OR_RETURN(std::unique_ptr<Db> db, Db::Open(file, Db::Mode::kReadWrite, options.vfs));
  GS_RETURN_IF_ERROR(lock->AlsoHold(file));
  GS_RETURN_IF_ERROR(ConfigureWriter(*db, options));
  if (version > 0 && version < SchemaVersion()) GS_RETURN_IF_ERROR(KeepOldSchema(*db, file, version));
  GS_RETURN_IF_ERROR(Migrate(*db, version));
  StoreFiles files;
  files.store = std::make_unique<SqliteStore>(std::move(lock), std::move(db), options);
  files.reader = std::make_unique<SqliteReader>(file, ReadOnlyOpener(file, options.vfs));
  return files;
}

absl::StatusOr<StoreFiles> OpenSqliteStoreReadOnly(const std::string& path) {
  GS_ASSIGN_OR_RETURN(const std::string file, ResolveDatabasePath(path));
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return NotFound("no database '{}'", path);
  const ReaderPool::Opener open = ReadOnlyOpener(file);
  {
    GS_ASSIGN_OR_RETURN(const std::unique_ptr<Db> db, open());
    GS_ASSIGN_OR_RETURN(const SchemaIdentity identity, CheckSchema(*db, file));
    if (identity.is_empty) return FailedPrecondition("'{}' is empty, not a gridsweep database", path);
    if (identity.version < SchemaVersion()) {
      return FailedPrecondition(
          "'{}' has the older schema version {}; start a coordinator on it once to upgrade it", path,
          identity.version);
    }
  }
  StoreFiles files;
  files.reader = std::make_unique<SqliteReader>(file, open);
  return files;
}

}  // namespace gridsweep
