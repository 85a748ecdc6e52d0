#include "coordinator/store/migrate.h"

#include <iterator>
#include <string_view>

namespace gridsweep {
namespace embedded {
extern const std::string_view kSchema0001;
extern const std::string_view kSchema0002;
extern const std::string_view kSchema0003;
extern const std::string_view kSchema0004;
extern const std::string_view kSchema0005;
extern const std::string_view kSchema0006;
extern const std::string_view kSchema0007;
}  // namespace embedded

namespace {

// Entry i leads from version i to i + 1.
const std::string_view* const kMigrations[] = {
    &embedded::kSchema0001, &embedded::kSchema0002, &embedded::kSchema0003, &embedded::kSchema0004,
    &embedded::kSchema0005, &embedded::kSchema0006, &embedded::kSchema0007};

absl::Status Damaged(const std::string& path, const std::string& finding) {
  return DataLoss(
      "'{}' is damaged, perhaps an incomplete copy: {}; restore a copy, or save what can be read with: sqlite3 '{}' "
      ".recover | sqlite3 recovered.db",
      path, finding, path);
}

absl::StatusOr<std::string> QuickCheck(Db& db) {
  GS_ASSIGN_OR_RETURN(Statement check, db.Query("PRAGMA quick_check(1)"));
  GS_ASSIGN_OR_RETURN(const bool found, check.Step());
  return found ? check.Text(0) : "no answer";
}

}  // namespace

int64_t SchemaVersion() {
  return static_cast<int64_t>(std::size(kMigrations));
}

absl::StatusOr<SchemaIdentity> CheckSchema(Db& db, const std::string& path) {
  SchemaIdentity identity;
  const absl::StatusOr<int64_t> application = db.QueryInt("PRAGMA application_id");
  if (absl::IsDataLoss(application.status())) {
    if (!db.IsForeignFormat()) return Damaged(path, Message(application.status()));
    return DataLoss("'{}' is not a gridsweep database: {}", path, Message(application.status()));
  }
  GS_RETURN_IF_ERROR(application.status());
  GS_ASSIGN_OR_RETURN(identity.version, db.QueryInt("PRAGMA user_version"));
  const absl::StatusOr<int64_t> objects = db.QueryInt("SELECT count(*) FROM sqlite_schema");
  if (absl::IsDataLoss(objects.status())) return Damaged(path, Message(objects.status()));
  GS_RETURN_IF_ERROR(objects.status());
  if (*application == 0 && identity.version == 0 && *objects == 0) {
    identity.is_empty = true;
    return identity;
  }
  if (*application != kApplicationId) {
    return FailedPrecondition(
        "'{}' is a SQLite database of another application (application_id {}, expected {}); name another "
        "file",
        path, *application, kApplicationId);
  }
  if (identity.version > SchemaVersion()) {
    return FailedPrecondition(
        "'{}' has schema version {}, this gridsweep knows versions up to {}; use a newer gridsweep", path,
        identity.version, SchemaVersion());
  }
  const absl::StatusOr<std::string> health = QuickCheck(db);
  if (!health.ok() && !absl::IsDataLoss(health.status())) return health.status();
  const std::string verdict = health.ok() ? *health : Message(health.status());
  if (verdict != "ok") return Damaged(path, verdict);
  return identity;
}

absl::Status Migrate(Db& db, int64_t from) {
  if (from >= SchemaVersion()) return absl::OkStatus();
  std::string script = "BEGIN IMMEDIATE;\n";
  for (int64_t version = from; version < SchemaVersion(); ++version) {
    script += std::string(*kMigrations[version]);
  }
  script += fmt::format("PRAGMA application_id={};\nPRAGMA user_version={};\nCOMMIT;\n", kApplicationId,
                        SchemaVersion());
  const absl::Status status = db.Execute(script.c_str());
  if (!status.ok() && db.InTransaction()) db.Execute("ROLLBACK").IgnoreError();
  return Annotate(status, "cannot bring the database to the newest schema");
}

}  // namespace gridsweep
