// The limit of a coordinator's store: a loop of prepared statements that writes the rows of a sweep's jobs into its
// database, in transactions of a given size, with synchronous=FULL, and does nothing else. Takes a database that
// gridsweep-coordinator made and that holds a sweep nobody has begun; writes into it.
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
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

std::vector<std::pair<int64_t, int64_t>> PendingJobs(sqlite3* db, int64_t limit) {
  sqlite3_stmt* rows = nullptr;
  Check(db, sqlite3_prepare_v2(db, "SELECT id, cell FROM jobs WHERE state = 'pending' LIMIT ?1", -1, &rows,
                               nullptr));
  sqlite3_bind_int64(rows, 1, limit);
  std::vector<std::pair<int64_t, int64_t>> jobs;
  while (sqlite3_step(rows) == SQLITE_ROW)
    jobs.emplace_back(sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1));
  sqlite3_finalize(rows);
  return jobs;
}

// Returns the number of transactions.
int64_t WriteJobs(sqlite3* db, const std::vector<std::pair<int64_t, int64_t>>& jobs, const Flags& flags) {
  constexpr int64_t kWorker = 1, kNow = 1'800'000'000'000'000;
  Prepared begin(db, "BEGIN IMMEDIATE"), commit(db, "COMMIT");
  Prepared attempt(
      db,
      "INSERT INTO attempts (id, job, sweep, worker, number, token, state, started_us) SELECT ?1, ?2, sweep, "
      "?3, 1, '0123456789abcdef0123456789abcdef', 'open', ?4 FROM jobs WHERE id = ?2");
  Prepared running(db, "UPDATE jobs SET state = 'running', current_attempt = ?2, attempts = 1 WHERE id = ?1");
  Prepared epoch(
      db,
      "INSERT INTO epochs (attempt, epoch, stored_us, train_loss, train_accuracy, val_loss, val_accuracy, "
      "test_loss, test_accuracy, lr, seconds, samples_per_second) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
      "?10, ?11, ?12)");
  Prepared end(
      db,
      "UPDATE attempts SET state = 'succeeded', ended_us = ?2, stored_seq = ?3, epochs = ?4, seconds = ?5, device "
      "= 'cpu', environment = 'simulated' WHERE id = ?1");
  Prepared done(
      db,
      "UPDATE jobs SET state = 'succeeded', current_attempt = NULL, accepted_attempt = ?2, objective = ?3, "
      "objective_class = 'finite', objective_epoch = ?4, finished_us = ?5 WHERE id = ?1");
  Prepared cell(
      db,
      "INSERT INTO cell_statistics (cell, n, mean) VALUES (?1, 1, ?2) ON CONFLICT (cell) DO UPDATE SET n = n + 1, "
      "mean = excluded.mean");
  int64_t transactions = 0, in_transaction = 0, id = 0;
  const auto row_done = [&] {
    if (++in_transaction < flags.epochs_per_commit) return;
    commit.Run();
    begin.Run();
    ++transactions;
    in_transaction = 0;
  };
  begin.Run();
  for (const auto& [job, of_cell] : jobs) {
    attempt.Run(++id, job, kWorker, kNow);
    running.Run(job, id);
    for (int64_t e = 1; e <= flags.epochs; ++e) {
      const double loss = 2.0 / static_cast<double>(e) + static_cast<double>(job) * 1e-7;
      epoch.Run(id, e, kNow, loss, 1 - loss / 3, loss, 1 - loss / 3, loss, 1 - loss / 3, 0.001, 0.4, 1e4);
      row_done();
    }
    end.Run(id, kNow, flags.epochs + 2, flags.epochs, 0.4 * static_cast<double>(flags.epochs));
    done.Run(job, id, 0.9 + static_cast<double>(job) * 1e-9, flags.epochs, kNow);
    cell.Run(of_cell, 0.9 + static_cast<double>(job) * 1e-9);
  }
  commit.Run();
  return transactions + 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Writes the rows of a sweep's jobs by bare prepared statements", "bare_store");
  Flags flags;
  app.add_option("database", flags.database, "Of a coordinator that has ended; is written to")->required();
  app.add_option("--jobs", flags.jobs)->capture_default_str();
  app.add_option("--epochs", flags.epochs, "Of each job")->capture_default_str();
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
  const int64_t transactions = WriteJobs(db, jobs, flags);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  sqlite3_close_v2(db);
  const auto written = static_cast<double>(jobs.size());
  fmt::print("{}\n", Json{{"seconds", seconds},
                          {"jobs", jobs.size()},
                          {"transactions", transactions},
                          {"jobs_per_second", written / seconds},
                          {"epochs_per_second", written * static_cast<double>(flags.epochs) / seconds}}
                         .dump());
  return kExitOk;
}

}  // namespace
}  // namespace gridsweep::bench

int main(int argc, char** argv) {
  return gridsweep::bench::Main(argc, argv);
}
