#include "coordinator/report/report_sections.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <vector>

#include "coordinator/report/section.h"

namespace gridsweep {
namespace {

struct DetailedJob {
  JobId id;
  int64_t cell = 0;
};

// Those of the `most` best cells that have a result, best cell first.
absl::StatusOr<std::vector<DetailedJob>> BestJobs(StoreReader& reader, SweepId id, int64_t most) {
  GS_ASSIGN_OR_RETURN(const SweepRecord sweep, reader.GetSweep(id));
  GS_ASSIGN_OR_RETURN(const std::vector<CellResults> cells,
                      reader.BestResults(id, sweep.objective.goal, most));
  std::vector<DetailedJob> jobs;
  for (const RankedRow& row : RankCells(cells, {.goal = sweep.objective.goal})) {
    for (const int64_t job : row.job_ids) jobs.push_back({JobId{job}, row.cell});
  }
  return jobs;
}

std::vector<JobId> IdsOf(const std::vector<DetailedJob>& jobs) {
  std::vector<JobId> ids;
  for (const DetailedJob& job : jobs) ids.push_back(job.id);
  return ids;
}

}  // namespace

absl::StatusOr<std::string> BuildCurves(StoreReader& reader, SweepId id) {
  std::vector<int32_t> jobs;
  std::vector<int32_t> start;
  std::vector<int32_t> epochs;
  std::map<std::string, std::vector<float>> metrics;
  std::map<std::string, bool> measured;
  GS_RETURN_IF_ERROR(reader.ForEachEpoch(id, [&](JobId job, const EpochMetrics& epoch) {
    const auto number = static_cast<int32_t>(job.value);
    if (jobs.empty() || jobs.back() != number) {
      jobs.push_back(number);
      start.push_back(static_cast<int32_t>(epochs.size()));
    }
    epochs.push_back(static_cast<int32_t>(epoch.epoch));
    for (const Metric metric : kAllMetrics) {
      const std::optional<double> value = MetricValue(epoch, metric);
      const std::string name(MetricName(metric));
      measured[name] = measured[name] || value.has_value();
      metrics[name].push_back(static_cast<float>(value.value_or(std::nan(""))));
    }
    metrics["lr"].push_back(static_cast<float>(epoch.lr));
    return absl::OkStatus();
  }));
  measured["lr"] = !epochs.empty();
  start.push_back(static_cast<int32_t>(epochs.size()));
  Section section;
  Json names = Json::array();
  for (const auto& [name, values] : metrics) {
    if (!measured[name]) continue;
    names.push_back(name);
    section.Add(name, values);
  }
  section.SetMeta("by", "id");
  section.SetMeta("metrics", names);
  section.Add("job", jobs);
  section.Add("start", start);
  section.Add("epoch", epochs);
  return section.Packed();
}

absl::StatusOr<std::string> BuildConfusions(StoreReader& reader, SweepId id, int64_t most) {
  GS_ASSIGN_OR_RETURN(const std::vector<DetailedJob> best, BestJobs(reader, id, most));
  std::unordered_map<int64_t, int64_t> cell_of_job;
  for (const DetailedJob& job : best) cell_of_job.emplace(job.id.value, job.cell);
  std::map<int64_t, std::vector<int64_t>> sums;  // by cell
  GS_RETURN_IF_ERROR(reader.ForEachEvaluation(IdsOf(best), [&](JobId job, const Evaluation& evaluation) {
    std::vector<int64_t>& sum = sums[cell_of_job.at(job.value)];
    if (sum.empty()) sum.resize(evaluation.confusion.size(), 0);
    for (size_t i = 0; i < std::min(sum.size(), evaluation.confusion.size()); ++i)
      sum[i] += evaluation.confusion[i];
    return absl::OkStatus();
  }));
  std::vector<int32_t> cells;
  std::vector<int32_t> start;
  std::vector<uint16_t> actual;
  std::vector<uint16_t> predicted;
  std::vector<uint32_t> count;
  for (const auto& [cell, sum] : sums) {
    const auto classes = static_cast<size_t>(std::llround(std::sqrt(static_cast<double>(sum.size()))));
    cells.push_back(static_cast<int32_t>(cell));
    start.push_back(static_cast<int32_t>(count.size()));
    for (size_t i = 0; i < sum.size(); ++i) {
      if (sum[i] == 0) continue;
      actual.push_back(static_cast<uint16_t>(i / classes));
      predicted.push_back(static_cast<uint16_t>(i % classes));
      count.push_back(static_cast<uint32_t>(sum[i]));
    }
  }
  start.push_back(static_cast<int32_t>(count.size()));
  Section section;
  section.SetMeta("by", "id");
  section.Add("cells", cells);
  section.Add("start", start);
  section.Add("actual", actual);
  section.Add("predicted", predicted);
  section.Add("count", count);
  return section.Packed();
}

absl::StatusOr<std::string> BuildSamples(StoreReader& reader, SweepId id, int64_t most) {
  GS_ASSIGN_OR_RETURN(const std::vector<DetailedJob> best, BestJobs(reader, id, most));
  std::vector<int32_t> image;
  std::vector<uint16_t> actual;
  std::vector<int32_t> jobs;
  std::vector<uint16_t> predicted;
  std::vector<float> confidence;
  GS_RETURN_IF_ERROR(reader.ForEachEvaluation(IdsOf(best), [&](JobId job, const Evaluation& evaluation) {
    if (evaluation.predictions.empty()) return absl::OkStatus();
    if (image.empty()) {
      for (const Prediction& prediction : evaluation.predictions) {
        image.push_back(static_cast<int32_t>(prediction.index));
        actual.push_back(static_cast<uint16_t>(prediction.actual));
      }
    }
    // The sample is the same for all jobs of one data set; one that is not would be drawn at the wrong places.
    if (evaluation.predictions.size() != image.size()) return absl::OkStatus();
    jobs.push_back(static_cast<int32_t>(job.value));
    for (const Prediction& prediction : evaluation.predictions) {
      predicted.push_back(static_cast<uint16_t>(prediction.predicted));
      confidence.push_back(static_cast<float>(prediction.confidence));
    }
    return absl::OkStatus();
  }));
  GS_ASSIGN_OR_RETURN(const SampleImages images, reader.GetSampleImages(id, image));
  Section section;
  section.SetMeta("by", "id");
  section.SetMeta("height", images.height);
  section.SetMeta("width", images.width);
  section.Add("image", image);
  section.Add("actual", actual);
  section.Add("pixels", images.pixels);
  section.Add("jobs", jobs);
  section.Add("predicted", predicted);
  section.Add("confidence", confidence);
  return section.Packed();
}

}  // namespace gridsweep
