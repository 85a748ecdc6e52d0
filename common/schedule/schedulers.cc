#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "common/schedule/scheduler.h"

namespace gridsweep {
namespace {

// A schedule that depends on the number of epochs done and the current learning rate alone.
template <typename Rule>
class RuleScheduler : public Scheduler {
 public:
  RuleScheduler(double lr, Rule rule) : lr_(lr), rule_(std::move(rule)) {}
  double Next(const EpochMetrics& done) override { return lr_ = rule_(done.epoch, lr_); }

 private:
  double lr_;
  Rule rule_;
};

template <typename Rule>
std::unique_ptr<Scheduler> MakeRule(double lr, Rule rule) {
  return std::make_unique<RuleScheduler<Rule>>(lr, std::move(rule));
}

// ReduceLROnPlateau with mode min, relative threshold and no cooldown.
class Plateau : public Scheduler {
 public:
  Plateau(const Params& p, double lr)
      : factor_(p.Float("factor")),
        patience_(p.Int("patience")),
        threshold_(p.Float("threshold")),
        min_lr_(p.Float("min_lr")),
        lr_(lr) {}

  double Next(const EpochMetrics& done) override {
    const double loss = done.val_loss.value_or(done.test_loss);
    if (loss < best_ * (1 - threshold_)) {
      best_ = loss;
      bad_epochs_ = 0;
    } else if (++bad_epochs_ > patience_) {
      bad_epochs_ = 0;
      const double lower = std::max(lr_ * factor_, min_lr_);
      if (lr_ - lower > kSmallestChange) lr_ = lower;
    }
    return lr_;
  }
  bool UsesMetrics() const override { return true; }

 private:
  static constexpr double kSmallestChange = 1e-8;  // torch's `eps`
  const double factor_;
  const int64_t patience_;
  const double threshold_, min_lr_;
  double lr_;
  double best_ = std::numeric_limits<double>::infinity();
  int64_t bad_epochs_ = 0;
};

}  // namespace

void RegisterSchedulers(SchedulerList& r) {
  r.Add({"none", "the learning rate stays as it is"}, [](const Params&, double lr, int64_t) {
    return MakeRule(lr, [](int64_t, double current) { return current; });
  });

  r.Add({"step",
         "learning rate times gamma after every step_size epochs",
         {IntParam("step_size", 3, "epochs between two steps").AtLeast(1).AtMost(10'000),
          FloatParam("gamma", 0.5, "factor of each step").Above(0).AtMost(1)}},
        [](const Params& p, double lr, int64_t) {
          return MakeRule(
              lr, [size = p.Int("step_size"), gamma = p.Float("gamma")](int64_t done, double current) {
                return done % size == 0 ? current * gamma : current;
              });
        });

  r.Add({"plateau",
         "learning rate times factor when val_loss (test_loss if nothing is held out) stops falling",
         {FloatParam("factor", 0.5, "factor of each reduction").Above(0).Below(1),
          IntParam("patience", 1, "epochs without improvement that are tolerated").AtLeast(0).AtMost(1000),
          FloatParam("threshold", 1e-4, "relative improvement that counts").AtLeast(0).AtMost(1),
          FloatParam("min_lr", 0, "the learning rate never falls below this").AtLeast(0).AtMost(10)}},
        [](const Params& p, double lr, int64_t) { return std::make_unique<Plateau>(p, lr); });

  r.Add({"exponential",
         "learning rate times gamma after every epoch",
         {FloatParam("gamma", 0.9, "factor of each epoch").Above(0).AtMost(1)}},
        [](const Params& p, double lr, int64_t) {
          return MakeRule(lr,
                          [gamma = p.Float("gamma")](int64_t, double current) { return current * gamma; });
        });

  r.Add({"cosine",
         "half a cosine from the optimizer's learning rate to min_lr over the job's epochs",
         {FloatParam("min_lr", 0, "learning rate that the curve ends at").AtLeast(0).AtMost(10)}},
        [](const Params& p, double lr, int64_t epochs) {
          return MakeRule(lr, [lr, epochs, min = p.Float("min_lr")](int64_t done, double) {
            const double angle = std::numbers::pi * static_cast<double>(done) / static_cast<double>(epochs);
            return min + (lr - min) * (1 + std::cos(angle)) / 2;
          });
        });
}

const SchedulerList& Schedulers() {
  static const SchedulerList* const all = [] {
    auto* const list = new SchedulerList(Axis::kScheduler);
    RegisterSchedulers(*list);
    return list;
  }();
  return *all;
}

}  // namespace gridsweep
