// The StoreReader on a pool of read-only connections.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "coordinator/store/reader_pool.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// Thread-safe. Has no other state than the pool.
class SqliteReader : public StoreReader {
 public:
  SqliteReader(std::string file, ReaderPool::Opener open);

  absl::StatusOr<SweepId> FindSweep(const std::string& id_or_name) override;
  absl::StatusOr<std::vector<SweepRecord>> ListSweeps() override;
  absl::StatusOr<SweepRecord> GetSweep(SweepId sweep) override;
  absl::StatusOr<std::vector<std::vector<std::string>>> AxisLevels(SweepId sweep) override;
  absl::StatusOr<EpochProgress> GetEpochProgress(SweepId sweep) override;
  absl::StatusOr<int64_t> CountEpochsSince(SweepId sweep, absl::Time since) override;
  absl::StatusOr<std::vector<RunningJobRecord>> ListRunning(SweepId sweep, int64_t limit) override;
  absl::StatusOr<std::optional<JobRecord>> BestJob(SweepId sweep) override;
  absl::StatusOr<std::vector<std::string>> RecentFailures(SweepId sweep, int64_t limit) override;

  absl::StatusOr<std::vector<CellResults>> ListResults(SweepId sweep) override;
  absl::StatusOr<std::vector<CellResults>> BestResults(SweepId sweep, Goal goal, int64_t limit) override;
  absl::StatusOr<std::vector<CellObjectives>> ListObjectives(SweepId sweep) override;
  absl::StatusOr<DatasetInfo> GetDataset(SweepId sweep) override;
  absl::StatusOr<std::vector<ReportJobRecord>> ListReportJobs(SweepId sweep) override;
  absl::StatusOr<AttemptCounts> CountAttempts(SweepId sweep) override;
  absl::StatusOr<std::vector<RevisionRecord>> ListRevisions(SweepId sweep) override;
  absl::Status ForEachEpoch(SweepId sweep,
                            const std::function<absl::Status(JobId, const EpochMetrics&)>& take) override;
  absl::Status ForEachEvaluation(const std::vector<JobId>& jobs,
                                 const std::function<absl::Status(JobId, const Evaluation&)>& take) override;
  absl::StatusOr<SampleImages> GetSampleImages(SweepId sweep, const std::vector<int32_t>& images) override;
  absl::StatusOr<std::map<SweepId, int64_t>> AnalysedResults() override;
  absl::StatusOr<std::vector<JobRecord>> ListJobs(SweepId sweep, std::optional<JobState> state,
                                                  int64_t limit) override;
  absl::StatusOr<JobDetailRecord> GetJob(JobId job) override;
  absl::StatusOr<std::vector<WorkerStatusRecord>> ListWorkers() override;

  absl::StatusOr<std::vector<ModelRecord>> ListModels(SweepId sweep) override;
  absl::StatusOr<ModelRecord> GetModel(JobId job) override;
  absl::StatusOr<std::set<std::string>> ReferencedArtifacts() override;

  absl::StatusOr<QueryResult> Query(const std::string& sql, const QueryLimits& limits) override;
  absl::Status Backup(const std::string& file) override;
  absl::StatusOr<StoreSizes> Sizes() override;
  absl::StatusOr<StoreExamination> Examine() override;

 private:
  const std::string file_;
  const ReaderPool::Opener open_;
  ReaderPool pool_;
};

// NOT_FOUND if there is no such sweep.
absl::Status RequireSweep(Db& db, SweepId sweep);

}  // namespace gridsweep
