#include "tests/simulation/invariants.h"

#include <fstream>
#include <iterator>
#include <memory>

#include "common/base/json.h"
#include "coordinator/store/sqlite_db.h"

namespace gridsweep {
namespace {

struct Rule {
  const char* what;        // is wrong
  const char* violations;  // a query of them, a text each
};

// The sweep that was cancelled may have any results; the other must have all of them.
constexpr Rule kRules[] = {
    {"the file is damaged",
     "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
    {"a row refers to nothing", "SELECT \"table\" || ' ' || rowid FROM pragma_foreign_key_check"},
    {"a sweep is there twice, or not at all",
     "SELECT n || ' sweeps named ' || name FROM (SELECT name, count(*) AS n FROM v_sweeps GROUP BY name) WHERE n <> 1 "
     "UNION ALL SELECT 'no sweep' WHERE NOT EXISTS (SELECT 1 FROM v_sweeps WHERE name = 'simulated')"},
    {"a job has not ended", "SELECT job || ' ' || state FROM v_jobs WHERE state IN ('pending', 'running')"},
    {"a job of the sweep has no result",
     "SELECT job || ' ' || v_jobs.state FROM v_jobs JOIN v_sweeps USING (sweep) WHERE name = 'simulated' AND v_jobs.state <> "
     "'succeeded'"},
    {"an attempt is open", "SELECT attempt FROM v_attempts WHERE state = 'open'"},
    {"not exactly one attempt of a job with a result is accepted",
     "SELECT job || ': ' || (SELECT count(*) FROM v_attempts a WHERE a.job = j.job AND a.accepted) FROM v_jobs j WHERE "
     "(SELECT count(*) FROM v_attempts a WHERE a.job = j.job AND a.accepted) <> (j.state = 'succeeded')"},
    {"an attempt is newer than the accepted one",
     "SELECT b.attempt FROM v_attempts a JOIN v_attempts b ON a.job = b.job AND a.number < b.number WHERE a.accepted"},
    {"attempts are not numbered in a row",
     "SELECT job FROM v_attempts GROUP BY job HAVING max(number) <> count(*) OR min(number) <> 1"},
    {"a result lacks epochs, or has too many",
     "SELECT a.attempt FROM v_attempts a JOIN v_sweeps s USING (sweep) WHERE a.accepted AND (SELECT "
     "group_concat(epoch) FROM (SELECT epoch FROM epochs e WHERE e.attempt = a.attempt ORDER BY epoch)) IS NOT '1,2,3,4'"},
    {"the epochs of an attempt have a gap",
     "SELECT attempt FROM epochs GROUP BY attempt HAVING max(epoch) <> count(*)"},
    {"an attempt counts other epochs than it has",
     "SELECT id FROM attempts a WHERE epochs <> (SELECT count(*) FROM epochs e WHERE e.attempt = a.id)"},
    {"what only a stale token has sent is stored",
     "SELECT 'epoch of ' || attempt FROM epochs WHERE samples_per_second < 0 UNION ALL SELECT 'attempt ' || id FROM attempts "
     "WHERE environment = 'forged' OR error = 'forged' UNION ALL SELECT 'checkpoint of ' || job FROM checkpoints WHERE "
     "sha256 = replace(hex(zeroblob(32)), '0', 'f') UNION ALL SELECT 'model of ' || job FROM models WHERE sha256 = replace(hex(zeroblob(32)), '0', 'f')"},
    {"a job that is over has checkpoints", "SELECT job FROM checkpoints"},
    {"an attempt lacks the epochs of the checkpoint that it went on from",
     "SELECT id FROM attempts WHERE resumed_epoch > 0 AND state = 'succeeded' AND epochs <= resumed_epoch"},
    {"a model is of a job without a result, or too many are kept",
     "SELECT job FROM models WHERE job NOT IN (SELECT id FROM jobs WHERE state = 'succeeded') UNION ALL SELECT 'sweep ' || sweep "
     "FROM models GROUP BY sweep HAVING count(*) > 10"},
    {"losses are not the attempts that were lost",
     "SELECT job || ': ' || losses FROM v_jobs j WHERE j.state <> 'cancelled' AND losses <> (SELECT count(*) FROM "
     "v_attempts a WHERE a.job = j.job AND a.state = 'lost')"},
    {"failures are not the attempts that failed",
     "SELECT job || ': ' || failures FROM v_jobs j WHERE j.state <> 'cancelled' AND failures <> (SELECT count(*) FROM "
     "v_attempts a WHERE a.job = j.job AND a.state = 'failed')"},
    {"preemptions are not the attempts that were handed back",
     "SELECT job || ': ' || preemptions FROM v_jobs j WHERE j.state <> 'cancelled' AND preemptions <> (SELECT count(*) "
     "FROM v_attempts a WHERE a.job = j.job AND a.state = 'preempted')"},
    {"a count of jobs is wrong",
     "SELECT sweep FROM sweep_counts c WHERE (pending, running, succeeded, cancelled) <> (SELECT sum(state = 'pending'), "
     "sum(state = 'running'), sum(state = 'succeeded'), sum(state = 'cancelled') FROM jobs j WHERE j.sweep = c.sweep)"},
    {"a count of waiting work is wrong",
     "SELECT sweep || ' ' || work FROM work_classes k WHERE pending <> (SELECT count(*) FROM jobs j WHERE j.sweep = k.sweep "
     "AND j.work = k.work AND j.state = 'pending')"},
};

// Full precision, no times, no attempts: what a user reads as the answer, and every epoch behind it.
constexpr char kAnswer[] =
    "SELECT printf('%d %s %s %s %s %s n %d mean %!.17g sd %!.17g test %!.17g loss %!.17g', position, r.model, r.activation, "
    "r.optimizer, r.regularization, r.scheduler, n, mean, sd, test_accuracy, test_loss) FROM v_ranking r WHERE r.name = "
    "'simulated' UNION ALL SELECT * FROM (SELECT printf('%d %d %!.17g %!.17g %!.17g %!.17g %!.17g', j.ordinal, e.epoch, "
    "e.train_loss, e.val_loss, e.val_accuracy, e.test_accuracy, e.lr) FROM v_epochs e JOIN v_jobs j ON j.job = e.job JOIN "
    "v_sweeps s ON s.sweep = j.sweep WHERE s.name = 'simulated' ORDER BY j.ordinal, j.seed, e.epoch)";

// The best of each sweep, whose models are kept: job and accepted attempt.
constexpr char kBest[] =
    "SELECT job, attempt FROM (SELECT j.id AS job, j.accepted_attempt AS attempt, row_number() OVER (PARTITION BY j.sweep ORDER "
    "BY CASE s.objective_goal WHEN 'max' THEN -j.objective ELSE j.objective END, j.id) AS place FROM jobs j JOIN sweeps s ON "
    "s.id = j.sweep WHERE j.state = 'succeeded') WHERE place <= 10 ORDER BY job";

std::string TextOf(Db& db, const char* sql, const char* separator) {
  absl::StatusOr<Statement> rows = db.Query(sql);
  if (!rows.ok()) return Message(rows.status());
  std::string text;
  while (true) {
    const absl::StatusOr<bool> more = rows->Step();
    if (!more.ok()) return text + Message(more.status());
    if (!*more) return text;
    text += rows->Text(0) + separator;
  }
}

// Every model is its job's accepted attempt's, and none is missing that was acknowledged and is among the best.
absl::Status CheckModels(Db& db, const std::string& folder, const std::set<int64_t>& acknowledged,
                         SimulationResult& result) {
  GS_ASSIGN_OR_RETURN(Statement best, db.Query(kBest));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, best.Step());
    if (!more) break;
    const absl::StatusOr<int64_t> found = db.QueryInt("SELECT 1 FROM models WHERE job = ?1", best.Int(0));
    if (!found.ok() && acknowledged.contains(best.Int(1)))
      result.violations.push_back(
          fmt::format("the model of job {} was acknowledged and is not kept", best.Int(0)));
  }
  GS_ASSIGN_OR_RETURN(Statement models,
                      db.Query("SELECT m.job, m.sha256, j.accepted_attempt FROM models m JOIN jobs j ON "
                               "j.id = m.job"));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, models.Step());
    if (!more) return absl::OkStatus();
    ++result.models;
    std::ifstream file(fmt::format("{}/{}.safetensors", folder, models.Text(1)));
    const absl::StatusOr<Json> content = ParseJson(std::string(std::istreambuf_iterator<char>(file), {}));
    // One that the disk has lost is the folder's matter.
    if (content.ok() && content->value("attempt", int64_t{0}) != models.Int(2))
      result.violations.push_back(
          fmt::format("the model of job {} is not its accepted attempt's", models.Int(0)));
  }
}

}  // namespace

void CheckInvariants(const std::string& database, const Acknowledged& acknowledged,
                     SimulationResult& result) {
  const absl::StatusOr<std::unique_ptr<Db>> db = Db::Open(database, Db::Mode::kReadOnly);
  if (!db.ok()) {
    result.violations.push_back("the database cannot be opened: " + Message(db.status()));
    return;
  }
  for (const Rule& rule : kRules) {
    const std::string violations = TextOf(**db, rule.violations, "; ");
    if (!violations.empty()) result.violations.push_back(fmt::format("{}: {}", rule.what, violations));
  }
  for (const auto& [attempt, seq] : acknowledged.events) {
    const absl::StatusOr<int64_t> stored =
        (*db)->QueryInt("SELECT stored_seq FROM attempts WHERE id = ?1", attempt);
    if (stored.ok() && static_cast<uint64_t>(*stored) >= seq) continue;
    result.violations.push_back(fmt::format("attempt {}: {} events were acknowledged, {} are stored", attempt,
                                            seq, stored.ok() ? *stored : 0));
  }
  if (const absl::Status checked = CheckModels(**db, database + ".artifacts", acknowledged.models, result);
      !checked.ok())
    result.violations.push_back("the models cannot be read: " + Message(checked));
  result.attempts = (*db)->QueryInt("SELECT count(*) FROM attempts").value_or(0);
  result.ranking = TextOf(**db, kAnswer, "\n");
}

}  // namespace gridsweep
