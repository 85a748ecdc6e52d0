// Times the real training step of the two standard models against its limit, the sum of its bare convolutions and
// matrix products. See bench/README.md for how to read the result.
#include <cmath>
#include <cstdio>
#include <exception>

#include "bench/bare_calls.h"
#include "bench/timing.h"
#include "common/base/command_line.h"
#include "worker/trainer/blas.h"
#include "worker/trainer/device.h"
#include "worker/trainer/device_dataset.h"
#include "worker/trainer/process_setup.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {
namespace {

constexpr int64_t kBatch = 128, kSide = 28, kClasses = 47, kImages = 12800;
constexpr double kDropout = 0.3;

struct Flags {
  int repeats = 5;
  double seconds = 0.5;
  std::string kernels = "auto";
};

// One measured quantity, a value a repeat.
struct Series {
  std::vector<double> wall, cpu;  // milliseconds
  void Add(const Times& begin, const Times& end, double runs) {
    wall.push_back(1e3 * (end.wall - begin.wall) / runs);
    cpu.push_back(1e3 * (end.cpu - begin.cpu) / runs);
  }
};

ImageSet RandomImages() {
  return {at::randint(0, 256, {kImages, 1, kSide, kSide}, at::kByte),
          at::randint(0, kClasses, {kImages}, at::kLong)};
}

JobSpec Job(const Registry& registry, const std::string& model, bool dropout) {
  Json json = {{"dataset", "random"},
               {"model", {{"name", model}}},
               {"activation", {{"name", "relu"}}},
               {"optimizer", {{"name", "adam"}}},
               {"seed", 1}};
  if (dropout) json["regularization"] = {{{"name", "dropout"}, {"params", {{"p", kDropout}}}}};
  return JobSpecFromJson(json, registry.MakeCatalog()).value();
}

// Trains steps as a job does: gathers the next batch of a shuffled order, then steps.
class RealStep {
 public:
  RealStep(std::string name, const JobSpec& spec, const Registry& registry, const ImageSet& images,
           Kernels kernels)
      : title(std::move(name)),
        images_(images),
        order_(at::randperm(images.size(), at::kLong)),
        session_(spec, registry, {kSide, kSide, kClasses}, at::kCPU, kernels),
        lr_(std::get<double>(spec.optimizer.params.at("lr"))) {}

  void Warm(double seconds) {
    for (int i = 0; i < 3; ++i) Run();
    const double begin = Now().wall;
    int runs = 0;
    for (; runs == 0 || Now().wall - begin < seconds; ++runs) Run();
    runs_ = std::max(3, runs);
  }
  void Measure() {
    const int64_t faults_before = MinorFaults();
    const Times begin = Now();
    for (int i = 0; i < runs_; ++i) Run();
    times.Add(begin, Now(), runs_);
    faults.push_back(static_cast<double>(MinorFaults() - faults_before) / runs_);
  }
  int runs() const { return runs_; }

  const std::string title;
  Series times;
  std::vector<double> faults;  // a step

 private:
  void Run() {
    const Batch batch = Gather(images_, order_.narrow(0, next_, kBatch));
    next_ = (next_ + kBatch) % kImages;
    session_.Step(batch.images, batch.labels, lr_);
  }

  const ImageSet& images_;
  const at::Tensor order_;
  TrainingSession session_;
  const double lr_;
  int64_t next_ = 0;
  int runs_ = 0;
};

// The bare calls of a step, one after the other as in a step.
class Limit {
 public:
  explicit Limit(std::vector<BareCall> bare) : calls(std::move(bare)), times(calls.size()) {
    for (const BareCall& call : calls) flop += call.flop;
  }

  void Measure(int runs) {
    std::vector<Times> sums(calls.size());
    for (int run = 0; run < runs; ++run) {
      for (size_t i = 0; i < calls.size(); ++i) {
        const Times begin = Now();
        calls[i].forms.front().run();
        const Times end = Now();
        sums[i].wall += end.wall - begin.wall;
        sums[i].cpu += end.cpu - begin.cpu;
      }
    }
    Times total;
    for (size_t i = 0; i < calls.size(); ++i) {
      times[i].Add({}, sums[i], runs);
      total.wall += sums[i].wall;
      total.cpu += sums[i].cpu;
    }
    all.Add({}, total, runs);
  }

  std::vector<BareCall> calls;
  std::vector<Series> times;  // of each call
  Series all;                 // of their sum
  double flop = 0;
};

struct ModelResult {
  std::string name;
  std::vector<std::unique_ptr<RealStep>> steps;  // without and with dropout
  std::unique_ptr<Limit> limit;
};

ModelResult MeasureModel(const std::string& name, std::vector<BareCall> calls, const Registry& registry,
                         const ImageSet& images, Kernels kernels, const Flags& flags) {
  ModelResult result{name, {}, nullptr};
  for (const bool dropout : {false, true}) {
    result.steps.push_back(
        std::make_unique<RealStep>(dropout ? fmt::format("{}, dropout {}", name, kDropout) : name,
                                   Job(registry, name, dropout), registry, images, kernels));
  }
  KeepFastestForms(calls, /*rounds=*/9);
  result.limit = std::make_unique<Limit>(std::move(calls));
  for (auto& step : result.steps) step->Warm(flags.seconds);
  result.limit->Measure(1);
  *result.limit = Limit(std::move(result.limit->calls));  // forget the first, cold run
  // In turn, so that what else the machine does meets all of them alike.
  for (int repeat = 0; repeat < flags.repeats; ++repeat) {
    for (auto& step : result.steps) {
      step->Measure();
      result.limit->Measure(step->runs());
    }
  }
  return result;
}

void PrintRow(const std::string& title, const std::vector<double>& step, const std::vector<double>& limit,
              double flop) {
  const double median = Median(step), bare = Median(limit);
  fmt::print("{:<18}{:>9.2f}{:>9.2f}{:>9.2f}{:>9.2f}{:>7.0f} %{:>9.1f}{:>9.1f}\n", title, median,
             *std::min_element(step.begin(), step.end()), *std::max_element(step.begin(), step.end()), bare,
             100 * bare / median, flop / median / 1e6, flop / bare / 1e6);
}

void PrintSteps(const std::vector<ModelResult>& results, const char* clock,
                std::vector<double> Series::*values) {
  fmt::print("{:<18}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", clock, "step ms", "min", "max", "limit ms",
             "share", "GFLOP/s", "limit's");
  for (const ModelResult& result : results) {
    for (const auto& step : result.steps)
      PrintRow(step->title, step->times.*values, result.limit->all.*values, result.limit->flop);
  }
  fmt::print("\n");
}

void PrintWork(const std::vector<ModelResult>& results) {
  fmt::print("{:<18}{:>9}{:>18}\n", "per step", "MFLOP", "minor page faults");
  for (const ModelResult& result : results) {
    for (const auto& step : result.steps)
      fmt::print("{:<18}{:>9.1f}{:>18.1f}\n", step->title, result.limit->flop / 1e6, Median(step->faults));
  }
}

void PrintCalls(const ModelResult& result) {
  const Limit& limit = *result.limit;
  fmt::print("\n{:<25}{:<23}{:>8}{:>9}   {}\n", result.name + ": bare call", "size", "wall ms", "GFLOP/s",
             "fastest form");
  for (size_t i = 0; i < limit.calls.size(); ++i) {
    const BareCall& call = limit.calls[i];
    const double ms = Median(limit.times[i].wall);
    fmt::print("  {:<23}{:<23}{:>8.3f}{:>9.1f}   {}\n", call.name, call.shape, ms, call.flop / ms / 1e6,
               call.forms.front().name);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Times training steps against their bare convolutions and matrix products", "step_limit");
  Flags flags;
  app.add_option("--repeats", flags.repeats, "How often everything is measured, in turn")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seconds", flags.seconds, "About how long each measurement of a step takes")
      ->check(CLI::Range(0.01, 60.0))
      ->capture_default_str();
  app.add_option("--kernels", flags.kernels, "As of gridsweep-trainer")
      ->envname("GRIDSWEEP_KERNELS")
      ->capture_default_str();
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;
  const absl::StatusOr<Kernels> kernels = ChooseKernels("cpu", flags.kernels);
  if (!kernels.ok()) {
    fmt::print(stderr, "step_limit: {}\n", Message(kernels.status()));
    return kExitUsage;
  }

  ConfigureTorch();
  UseOneBlasThread();
  ConfigureTrainingThread();
  const Registry registry = MakeRegistry();
  const ImageSet images = RandomImages();
  std::vector<ModelResult> results;
  results.push_back(
      MeasureModel("mlp", MlpCalls(kBatch, kSide * kSide, kClasses), registry, images, *kernels, flags));
  results.push_back(
      MeasureModel("cnn", CnnCalls(kBatch, kSide, kClasses), registry, images, *kernels, flags));

  fmt::print("limit: step of {} images, one thread, medians of {}\n  LibTorch {}, {}, {} kernels\n\n", kBatch,
             flags.repeats, LibTorchVersion(), DetectBlas().name, KernelsName(*kernels));
  PrintSteps(results, "wall time", &Series::wall);
  PrintSteps(results, "CPU time", &Series::cpu);
  PrintWork(results);
  for (const ModelResult& result : results) PrintCalls(result);
  return kExitOk;
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  gridsweep::PrepareProcess();
  try {
    return gridsweep::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "step_limit: {}\n", error.what());
    return gridsweep::kExitFailedJobs;
  }
}
