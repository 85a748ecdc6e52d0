// A cell's objective over its seeds: mean, deviation, 95 % confidence interval. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/job/job_spec.h"
#include "common/job/metrics.h"

namespace gridsweep {

// The objective of a job, by its seed.
struct SeedValue {
  int64_t seed = 0;
  double value = 0;  // finite
};

// How the objective was measured.
struct Measure {
  Goal goal = Goal::kMax;
  // It is the share of `images` that was got right; 0 if it is no share, or if their number is not known.
  int64_t images = 0;
};

// Of an objective, as far as the data set is known.
Measure MeasureOf(const Objective& objective, const TrainingSpec& training, const DatasetInfo& dataset);

// What an interval or a comparison rests on.
enum class Evidence {
  kNone,      // nothing: a single value of unknown error
  kSeeds,     // the spread over seeds
  kBinomial,  // one seed: the error of a share of finitely many images, which says nothing about other seeds
};
std::string_view EvidenceName(Evidence evidence);  // "none", "seeds", "binomial"

struct MeanInterval {
  int64_t n = 0;
  double mean = 0;
  std::optional<double> sd;  // sample standard deviation, n >= 2
  // Half width of the 95 % confidence interval. n >= 2: t(0.975, n-1)·sd/√n (Student, "The probable error of a mean",
  // Biometrika 1908). n = 1 and a share p of N images: 1.96 binomial standard errors √(p(1-p)/N).
  std::optional<double> ci;
  Evidence evidence = Evidence::kNone;
};
// Summed in the order given: give them by seed. nullopt if there is none.
std::optional<MeanInterval> DescribeMean(const std::vector<SeedValue>& values, const Measure& measure);

double MeanOf(const std::vector<SeedValue>& values);  // REQUIRES: not empty

// p(1-p)/N, the squared standard error of a share p of N images (Bernoulli); a share outside of 0 … 1 counts as the nearer end.
double BinomialVariance(double share, int64_t images);

}  // namespace gridsweep
