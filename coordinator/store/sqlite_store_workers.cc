// SqliteStore: workers.
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

// No request is under way for longer.
constexpr absl::Duration kSessionMemory = absl::Hours(7 * 24);

}  // namespace

absl::StatusOr<WorkerId> SqliteStore::UpsertWorker(const WorkerRecord& worker, absl::Time now) {
  WorkerId id;
  const absl::Status done = Atomically([&]() -> absl::Status {
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO superseded_sessions (session, worker, superseded_us) SELECT session, id, ?3 FROM workers "
        "WHERE name = ?1 AND session <> ?2 ON CONFLICT DO NOTHING",
        worker.name, worker.session, now));
    GS_ASSIGN_OR_RETURN(
        id.value,
        db_->QueryInt(
            "INSERT INTO workers (name, session, host, pid, memory_bytes, devices, slots, version, "
            "libtorch_version, "
            "first_seen_us, last_seen_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) "
            "ON CONFLICT (name) DO UPDATE SET session = excluded.session, host = excluded.host, pid = "
            "excluded.pid, "
            "memory_bytes = excluded.memory_bytes, devices = excluded.devices, slots = excluded.slots, "
            "version = excluded.version, libtorch_version = excluded.libtorch_version, "
            "last_seen_us = excluded.last_seen_us, left_us = NULL RETURNING id",
            worker.name, worker.session, worker.host, worker.pid, worker.memory_bytes, worker.devices_json,
            worker.slots, worker.version, worker.libtorch_version, now));
    return db_->Run("DELETE FROM superseded_sessions WHERE worker = ?1 AND superseded_us < ?2", id.value,
                    now - kSessionMemory);
  });
  if (!done.ok()) return done;
  return id;
}

absl::StatusOr<std::vector<SupersededSession>> SqliteStore::SupersededSessions() {
  std::vector<SupersededSession> sessions;
  GS_ASSIGN_OR_RETURN(Statement rows, db_->Query("SELECT worker, session FROM superseded_sessions"));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return sessions;
    sessions.push_back({WorkerId{rows.Int(0)}, rows.Text(1)});
  }
}

absl::Status SqliteStore::TouchWorkers(const std::vector<WorkerId>& workers, absl::Time now) {
  return Atomically([&]() -> absl::Status {
    for (const WorkerId worker : workers) {
      GS_RETURN_IF_ERROR(db_->Run("UPDATE workers SET last_seen_us = ?2 WHERE id = ?1", worker.value, now));
    }
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::MarkWorkerLeft(WorkerId worker, absl::Time now) {
  return Atomically([&] {
    return db_->Run("UPDATE workers SET last_seen_us = ?2, left_us = ?2 WHERE id = ?1", worker.value, now);
  });
}

}  // namespace gridsweep
