#include "tests/support/cluster.h"

#include <signal.h>

#include <algorithm>
#include <iostream>

#include "coordinator/store/sqlite_db.h"
#include "tests/support/idx_writer.h"

namespace gridsweep {
namespace {

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const CommandResult& result) {
  return stream << "exit code " << result.code << "\nstdout:\n" << result.out << "\nstderr:\n" << result.err;
}

Cluster::Cluster(Options options)
    : options_(std::move(options)),
      db_((options_.db_dir.empty() ? dir_.path() : options_.db_dir) + "/sweeps.db") {
  WriteTinyDataset(data_dir(), "tiny");
  std::filesystem::create_directories(dir_ / "state");
}

Cluster::~Cluster() {
  if (!testing::Test::HasFailure()) return;
  dir_.Keep();
  std::cerr << "logs and database are kept in " << dir_.path() << "\n";
}

std::string Cluster::Program(const std::string& name) {
  return std::string(GRIDSWEEP_BIN_DIR) + "/" + name;
}

TestProcess::Options Cluster::ProcessOptions(const std::string& name, std::vector<std::string> argv) const {
  Json fake = options_.fake;
  fake["state_dir"] = dir_ / "state";
  if (options_.gated) fake["gate"] = dir_ / "gate";
  std::map<std::string, std::string> env = {{"GRIDSWEEP_FAKE_TRAINER", fake.dump()},
                                            {"GRIDSWEEP_COORDINATOR", ""},
                                            {"NO_COLOR", "1"},
                                            {"XDG_DATA_HOME", dir_ / "no-data-home"},
                                            {"XDG_STATE_HOME", dir_ / "state-home"}};
  env.insert(options_.env.begin(), options_.env.end());
  return {.name = name,
          .argv = std::move(argv),
          .env = std::move(env),
          .log_dir = dir_.path(),
          .work_dir = dir_.path()};
}

void Cluster::StartCoordinator() {
  ASSERT_TRUE(coordinator_ == nullptr || !coordinator_->IsRunning());
  const int starts = coordinator_ == nullptr ? 0 : CountOf(coordinator_->Out(), "\n");
  std::vector<std::string> argv = {Program("gridsweep-coordinator"),
                                   "--db",
                                   db_,
                                   "--listen",
                                   address_.empty() ? options_.listen : address_,
                                   "--lease",
                                   std::to_string(options_.lease_seconds)};
  argv.insert(argv.end(), options_.coordinator_flags.begin(), options_.coordinator_flags.end());
  coordinator_ = std::make_unique<TestProcess>(ProcessOptions("coordinator", argv));
  ASSERT_TRUE(
      Await("the coordinator to listen", [&] { return CountOf(coordinator_->Out(), "\n") > starts; }));
  const auto line = ParseJson(LastLines(coordinator_->Out(), 1));
  ASSERT_TRUE(line.ok()) << coordinator_->Out();
  address_ = (*line)["address"];
}

void Cluster::CrashCoordinator() {
  coordinator_->Kill();
  StartCoordinator();
}

TestProcess& Cluster::StartWorker(const std::string& name, const WorkerSetup& setup) {
  std::unique_ptr<TestProcess>& worker = workers_[name];
  EXPECT_TRUE(worker == nullptr || !worker->IsRunning()) << name << " runs already";
  std::vector<std::string> argv = setup.wrapper;
  argv.insert(argv.end(), {Program("gridsweep-worker"), "--coordinator",
                           setup.coordinator.empty() ? address_ : setup.coordinator, "--name",
                           setup.registers_as.empty() ? name : setup.registers_as, "--devices", "cpu",
                           "--trainer", Program(setup.trainer), "--data-dir", data_dir()});
  if (std::find(setup.flags.begin(), setup.flags.end(), "--slots") == setup.flags.end()) {
    argv.insert(argv.end(), {"--slots", "1"});
  }
  argv.insert(argv.end(), setup.flags.begin(), setup.flags.end());
  worker = std::make_unique<TestProcess>(ProcessOptions(name, std::move(argv)));
  return *worker;
}

void Cluster::OpenGate() {
  WriteFile(dir_ / "gate/open", "");
}

void Cluster::LetEpochsEnd(int64_t seed, int64_t epoch) {
  for (int64_t k = 1; k <= epoch; ++k) WriteFile(dir_ / fmt::format("gate/seed-{}-epoch-{}", seed, k), "");
}

void Cluster::CloseGate() {
  std::filesystem::remove(dir_ / "gate/open");
}

pid_t Cluster::TrainerOf(const std::string& name) {
  std::vector<pid_t> trainers;
  EXPECT_TRUE(Await("a trainer of " + name, [&] {
    trainers = ChildrenOf(worker(name).pid());
    return trainers.size() == 1;
  }));
  return trainers.size() == 1 ? trainers.front() : -1;
}

std::unique_ptr<TestProcess> Cluster::Launch(const std::string& name, const std::vector<std::string>& args) {
  std::vector<std::string> argv = {Program("gridsweep")};
  argv.insert(argv.end(), args.begin(), args.end());
  return std::make_unique<TestProcess>(ProcessOptions(name, std::move(argv)));
}

CommandResult Cluster::Run(const std::vector<std::string>& args) {
  const auto process = Launch("command-" + std::to_string(++commands_), args);
  const std::optional<int> code = process->Wait();
  return {code.value_or(-1), process->Out(), process->Err()};
}

CommandResult Cluster::Cli(std::vector<std::string> args) {
  args.insert(args.end(), {"--coordinator", address_});
  return Run(args);
}

std::string Cluster::Submit(const std::string& yaml) {
  const std::string file = dir_ / ("sweep-" + std::to_string(++commands_) + ".yaml");
  WriteFile(file, yaml);
  const CommandResult submitted = Cli({"submit", file});
  EXPECT_EQ(submitted.code, 0) << submitted;
  return submitted.out.substr(0, submitted.out.find('\n'));
}

testing::AssertionResult Cluster::Await(const std::string& what, const std::function<bool()>& condition) {
  std::string died;
  const auto somebody_died = [&] {
    if (coordinator_ != nullptr && coordinator_->DiedByItself()) died = coordinator_->name();
    for (const auto& [name, worker] : workers_) {
      if (worker->DiedByItself()) died = name;
    }
    return !died.empty();
  };
  const testing::AssertionResult result = WaitUntil(
      what, [&] { return condition() || somebody_died(); }, [this] { return Describe(); });
  if (!result || died.empty() || condition()) return result;
  return testing::AssertionFailure() << died << " died while the test waited for " << what << Describe();
}

testing::AssertionResult Cluster::AwaitFinished(const std::string& sweep) {
  return Await("sweep " + sweep + " to finish", [&] {
    return QueryInt("SELECT pending + running FROM v_sweeps WHERE sweep = " + sweep) == 0;
  });
}

testing::AssertionResult Cluster::AwaitLog(TestProcess& process, const std::string& text, int times) {
  return Await(process.name() + " to log '" + text + "'",
               [&] { return CountOf(process.Err(), text) >= times; });
}

StoreReader* Cluster::Reader() {
  if (files_.reader == nullptr) {
    auto files = OpenSqliteStoreReadOnly(db_);
    if (!files.ok()) return nullptr;
    files_ = *std::move(files);
  }
  return files_.reader.get();
}

int64_t Cluster::QueryInt(const std::string& sql) {
  StoreReader* reader = Reader();
  if (reader == nullptr) return -1;
  const auto result = reader->Query(sql, {});
  if (!result.ok() || result->rows.empty()) return -1;
  const auto* value = std::get_if<int64_t>(&result->rows[0][0]);
  return value == nullptr ? -1 : *value;
}

std::string Cluster::RankCsv(const std::string& sweep) {
  const CommandResult ranked = Cli({"rank", sweep, "--format", "csv", "--no-times"});
  EXPECT_EQ(ranked.code, 0) << ranked;
  return ranked.out;
}

void Cluster::ExpectIntact(const std::string& sweep) {
  const auto count = [&](const std::string& sql) {
    const CommandResult answer = Cli({"sql", sql, "--format", "tsv"});
    EXPECT_EQ(answer.code, 0) << answer;
    return LastLines(answer.out, 1);
  };
  const std::string of_sweep = " sweep = " + sweep;
  EXPECT_EQ(count("SELECT count(*) FROM v_jobs j WHERE" + of_sweep +
                  " AND (SELECT count(*) FROM v_attempts a WHERE a.job = j.job AND a.accepted) <> 1"),
            "0\n")
      << "jobs without exactly one accepted attempt";
  EXPECT_EQ(count("SELECT count(*) FROM v_attempts WHERE state = 'open'"), "0\n") << "open attempts";
  EXPECT_EQ(
      count(
          "SELECT count(*) FROM v_jobs j JOIN v_sweeps s USING (sweep) WHERE" + of_sweep +
          " AND (SELECT group_concat(epoch) FROM (SELECT epoch FROM v_epochs e WHERE e.job = j.job ORDER BY "
          "epoch)) IS NOT (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
          "s.epochs) "
          "SELECT group_concat(i) FROM n)"),
      "0\n")
      << "jobs without all of their epochs";
  EXPECT_EQ(count("SELECT count(*) FROM v_attempts a JOIN v_attempts b ON a.job = b.job AND a.number < "
                  "b.number WHERE "
                  "a.accepted"),
            "0\n")
      << "attempts after the accepted one";
  const auto db = Db::Open(db_, Db::Mode::kReadOnly);
  ASSERT_TRUE(db.ok()) << Message(db.status());
  auto check = (*db)->Query("PRAGMA integrity_check");
  ASSERT_TRUE(check.ok() && check->Step().value_or(false));
  EXPECT_EQ(check->Text(0), "ok");
}

std::string Cluster::Describe() {
  std::string text;
  if (StoreReader* reader = Reader(); reader != nullptr) {
    const auto jobs = reader->Query(
        "SELECT printf('sweep %d %s: %d pending, %d running, %d succeeded, %d diverged, %d failed, %d "
        "cancelled', sweep, "
        "state, pending, running, succeeded, diverged, failed, cancelled) FROM v_sweeps UNION ALL SELECT * "
        "FROM (SELECT "
        "printf('attempt %d: job %d number %d %s %s %s', attempt, job, number, state, worker, error) FROM "
        "v_attempts "
        "ORDER BY attempt DESC LIMIT 12)",
        {});
    if (jobs.ok()) {
      for (const auto& row : jobs->rows) {
        if (const auto* line = std::get_if<std::string>(&row[0])) text += "\n" + *line;
      }
    }
  }
  if (coordinator_ != nullptr) text += coordinator_->Describe();
  for (const auto& [name, worker] : workers_) text += worker->Describe();
  return text;
}

const std::string& FaultFreeCsv(const std::string& yaml) {
  static std::map<std::string, std::string> known;
  const auto [entry, is_new] = known.try_emplace(yaml);
  if (is_new) {
    Cluster cluster;
    cluster.StartCoordinator();
    cluster.StartWorker("undisturbed", {.flags = {"--slots", "4"}});
    const std::string sweep = cluster.Submit(yaml);
    EXPECT_TRUE(cluster.AwaitFinished(sweep));
    cluster.ExpectIntact(sweep);
    entry->second = cluster.RankCsv(sweep);
    EXPECT_GE(CountOf(entry->second, "\n"), 2) << entry->second;
  }
  return entry->second;
}

}  // namespace gridsweep
