// SqliteStore: workers.
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {

absl::StatusOr<WorkerId> SqliteStore::UpsertWorker(const WorkerRecord& worker, absl::Time now) {
  WorkerId id;
  const absl::Status done = Atomically([&]() -> absl::Status {
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
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return id;
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
