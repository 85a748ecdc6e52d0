// SqliteReader: workers.
#include "coordinator/store/sqlite_reader.h"

namespace gridsweep {

absl::StatusOr<std::vector<WorkerStatusRecord>> SqliteReader::ListWorkers() {
  std::vector<WorkerStatusRecord> workers;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db.Query(
            "SELECT w.id, w.name, w.session, w.host, w.pid, w.memory_bytes, w.devices, w.slots, w.version, "
            "w.libtorch_version, w.last_seen_us, (SELECT count(*) FROM attempts a WHERE a.state = 'open' "
            "AND a.worker = w.id), w.jobs_done, w.failures, w.left_us FROM workers w ORDER BY w.name"));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      WorkerStatusRecord record;
      record.id = WorkerId{rows.Int(0)};
      record.worker = {.name = rows.Text(1),
                       .session = rows.Text(2),
                       .host = rows.Text(3),
                       .pid = rows.Int(4),
                       .memory_bytes = rows.Int(5),
                       .devices_json = rows.Text(6),
                       .slots = rows.Int(7),
                       .version = rows.Text(8),
                       .libtorch_version = rows.Text(9)};
      record.last_seen = rows.Time(10);
      record.running = rows.Int(11);
      record.jobs_done = rows.Int(12);
      record.failures = rows.Int(13);
      if (!rows.IsNull(14)) record.left = rows.Time(14);
      workers.push_back(std::move(record));
    }
  });
  if (!status.ok()) return status;
  return workers;
}

}  // namespace gridsweep
