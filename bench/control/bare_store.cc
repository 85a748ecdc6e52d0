// The limit of a coordinator's store: a loop of prepared statements that writes the rows a coordinator writes for a sweep's
// jobs into its database, in transactions of a given size, with synchronous=FULL, and does nothing else: it checks no token, asks
// for nothing, computes nothing and answers nobody. Takes a database that
// gridsweep-coordinator made and that holds a sweep nobody has begun; writes into it.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <vector>

#include "common/base/command_line.h"
#include "common/base/json.h"
#include "common/base/status.h"

namespace gridsweep::bench {
namespace {

struct Flags {
  std::string database;
  int64_t jobs = 10000;
  int64_t epochs = 10;
  int64_t running = 8000;
  int64_t epochs_per_report = 3;
  int64_t epochs_per_commit = 500;
};

// A benchmark can do nothing about an error of the database.
void Check(sqlite3* db, int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  fmt::print(stderr, "bare_store: {}\n", sqlite3_errmsg(db));
  std::exit(kExitFailedJobs);
}

class Prepared {
 public:
  Prepared(sqlite3* db, const char* sql) : db_(db) {
    Check(db, sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr));
  }
  ~Prepared() { sqlite3_finalize(statement_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  template <typename... Args>
  void Run(const Args&... args) {
    [[maybe_unused]] int index = 0;
    (Bind(++index, args), ...);
    Check(db_, sqlite3_step(statement_));
    sqlite3_reset(statement_);
  }

 private:
  void Bind(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void Bind(int index, double value) { sqlite3_bind_double(statement_, index, value); }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

struct PendingJob {
  int64_t id = 0;
  int64_t cell = 0;
};

struct OpenJob {
  PendingJob job;
  int64_t attempt = 0;
  int64_t epoch = 0;  // the last one that is stored
};

std::vector<PendingJob> PendingJobs(sqlite3* db, int64_t limit) {
  sqlite3_stmt* rows = nullptr;
  Check(db, sqlite3_prepare_v2(db, "SELECT id, cell FROM jobs WHERE state = 'pending' LIMIT ?1", -1, &rows,
                               nullptr));
  sqlite3_bind_int64(rows, 1, limit);
  std::vector<PendingJob> jobs;
  while (sqlite3_step(rows) == SQLITE_ROW)
    jobs.push_back({sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1)});
  sqlite3_finalize(rows);
  return jobs;
}

struct Written {
  int64_t transactions = 0;
  int64_t epochs = 0;
};

Written WriteJobs(sqlite3* db, const std::vector<PendingJob>& jobs, const Flags& flags) {
  constexpr int64_t kWorker = 1, kNow = 1'800'000'000'000'000;
  Prepared begin(db, "BEGIN IMMEDIATE"), commit(db, "COMMIT");
  Prepared attempt(
      db,
      "INSERT INTO attempts (id, job, sweep, worker, number, token, state, started_us) SELECT ?1, ?2, sweep, "
      "?3, 1, '0123456789abcdef0123456789abcdef', 'open', ?4 FROM jobs WHERE id = ?2");
  Prepared running(db, "UPDATE jobs SET state = 'running', current_attempt = ?2, attempts = 1 WHERE id = ?1");
  Prepared started(
      db, "UPDATE attempts SET device = 'cpu', environment = 'simulated', stored_seq = 1 WHERE id = ?1");
  Prepared report(
      db,
      "UPDATE attempts SET stored_seq = ?2 + 1, epochs = ?2, seconds = ?3, shared_epochs = 0 WHERE id = ?1");
  Prepared epoch(
      db,
      "INSERT INTO epochs (attempt, epoch, stored_us, train_loss, train_accuracy, val_loss, val_accuracy, "
      "test_loss, test_accuracy, lr, seconds, samples_per_second) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
      "?10, ?11, ?12)");
  Prepared end(db, "UPDATE attempts SET state = 'succeeded', ended_us = ?2, stored_seq = ?3 WHERE id = ?1");
  Prepared done(
      db,
      "UPDATE jobs SET state = 'succeeded', current_attempt = NULL, accepted_attempt = ?2, objective = ?3, "
      "objective_class = 'finite', objective_epoch = ?4, finished_us = ?5 WHERE id = ?1");
  Prepared sweep(
      db,
      "UPDATE sweeps SET accepted_epochs = accepted_epochs + ?2 WHERE id = (SELECT sweep FROM jobs WHERE id = ?1)");
  Prepared worker(db, "UPDATE workers SET jobs_done = jobs_done + 1 WHERE id = ?1");
  Prepared cell(
      db,
      "INSERT INTO cell_statistics (cell, n, mean, sd, ci95, test_accuracy, test_loss, train_loss, best_epoch, seconds) VALUES "
      "(?1, 1, ?2, ?2, ?2, ?2, ?2, ?2, 10, ?2) ON CONFLICT (cell) DO UPDATE SET n = n + 1, mean = excluded.mean, sd = "
      "excluded.sd, ci95 = excluded.ci95, test_accuracy = excluded.test_accuracy, test_loss = excluded.test_loss, train_loss = "
      "excluded.train_loss, best_epoch = excluded.best_epoch, seconds = excluded.seconds");
  Written written;
  int64_t in_transaction = 0, id = 0;
  const auto start = [&](const PendingJob& job) {
    attempt.Run(++id, job.id, kWorker, kNow);
    running.Run(job.id, id);
    started.Run(id);
    return OpenJob{job, id, 0};
  };
  const auto finish = [&](const OpenJob& open) {
    const double objective = 0.9 + static_cast<double>(open.job.id) * 1e-9;
    end.Run(open.attempt, kNow, flags.epochs + 2);
    done.Run(open.job.id, open.attempt, objective, flags.epochs, kNow);
    sweep.Run(open.job.id, flags.epochs);
    worker.Run(kWorker);
    cell.Run(open.job.cell, objective);
  };
  const auto report_epochs = [&](OpenJob& open) {
    const int64_t last = std::min(flags.epochs, open.epoch + flags.epochs_per_report);
    report.Run(open.attempt, last, 0.4 * static_cast<double>(last));
    while (open.epoch < last) {
      const double e = static_cast<double>(++open.epoch);
      const double loss = 2 / e + static_cast<double>(open.job.id) * 1e-7;
      epoch.Run(open.attempt, open.epoch, kNow, loss, 1 - loss / 3, loss, 1 - loss / 3, loss, 1 - loss / 3,
                0.001, 0.4, 1e4);
      ++in_transaction;
      ++written.epochs;
    }
  };

  // Jobs run side by side, so what follows one another in the database does not come one after the other.
  auto next = jobs.begin();
  std::deque<OpenJob> running_jobs;
  begin.Run();
  while (next != jobs.end() || !running_jobs.empty()) {
    if (next != jobs.end() && static_cast<int64_t>(running_jobs.size()) < flags.running) {
      running_jobs.push_back(start(*next++));
      // The first ones are at all stages, as those of a sweep that has been running for a while.
      if (id <= flags.running) running_jobs.back().epoch = id % flags.epochs;
      continue;
    }
    OpenJob open = running_jobs.front();
    running_jobs.pop_front();
    report_epochs(open);
    if (open.epoch == flags.epochs) {
      finish(open);
    } else {
      running_jobs.push_back(open);
    }
    if (in_transaction < flags.epochs_per_commit) continue;
    commit.Run();
    begin.Run();
    ++written.transactions;
    in_transaction = 0;
  }
  commit.Run();
  ++written.transactions;
  return written;
}

int Main(int argc, char** argv) {
  CLI::App app("Writes the rows of a sweep's jobs by bare prepared statements", "bare_store");
  Flags flags;
  app.add_option("database", flags.database, "Of a coordinator that has ended; is written to")->required();
  app.add_option("--jobs", flags.jobs)->capture_default_str();
  app.add_option("--epochs", flags.epochs, "Of each job")->capture_default_str();
  app.add_option("--running", flags.running, "Jobs at any time")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  app.add_option("--epochs-per-report", flags.epochs_per_report, "That a worker sends at once")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--epochs-per-commit", flags.epochs_per_commit, "Rows of a transaction")
      ->capture_default_str();
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;

  sqlite3* db = nullptr;
  const int opened =
      sqlite3_open_v2(flags.database.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Check(db, opened);
  Check(
      db,
      sqlite3_exec(
          db,
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA "
          "wal_autocheckpoint=4096; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
          "INSERT INTO workers (id, name, session, host, pid, memory_bytes, devices, slots, version, "
          "libtorch_version, first_seen_us, last_seen_us) VALUES (1, 'bare', '', '', 0, 0, '[]', 1, '', '', "
          "0, 0) ON CONFLICT DO NOTHING",
          nullptr, nullptr, nullptr));
  const auto jobs = PendingJobs(db, flags.jobs);
  const auto begin = std::chrono::steady_clock::now();
  const Written written = WriteJobs(db, jobs, flags);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  sqlite3_close_v2(db);
  fmt::print("{}\n", Json{{"seconds", seconds},
                          {"jobs", jobs.size()},
                          {"transactions", written.transactions},
                          {"jobs_per_second", static_cast<double>(jobs.size()) / seconds},
                          {"epochs_per_second", static_cast<double>(written.epochs) / seconds}}
                         .dump());
  return kExitOk;
}

}  // namespace
}  // namespace gridsweep::bench

int main(int argc, char** argv) {
  return gridsweep::bench::Main(argc, argv);
}
