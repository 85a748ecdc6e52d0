#include <cmath>

#include "worker/trainer/components/registry.h"

namespace gridsweep {
namespace {

// Adam (Kingma, Ba: arXiv:1412.6980) and, with decay, AdamW (Loshchilov, Hutter: arXiv:1711.05101).
class Adam : public Optimizer {
 public:
  Adam(const Params& p, const FlatParameters& flat, double weight_decay)
      : flat_(flat),
        beta1_(p.Float("beta1")),
        beta2_(p.Float("beta2")),
        eps_(p.Float("eps")),
        weight_decay_(weight_decay),
        mean_(at::zeros_like(flat.values)),
        square_(at::zeros_like(flat.values)),
        denominator_(at::empty_like(flat.values)) {}

  void Step(double lr) override {
    ++steps_;
    const double correction1 = 1 - std::pow(beta1_, steps_);
    const double correction2 = 1 - std::pow(beta2_, steps_);
    if (weight_decay_ != 0) flat_.values.mul_(1 - lr * weight_decay_);
    mean_.mul_(beta1_).add_(flat_.gradients, 1 - beta1_);
    square_.mul_(beta2_).addcmul_(flat_.gradients, flat_.gradients, 1 - beta2_);
    at::sqrt_out(denominator_, square_).div_(std::sqrt(correction2)).add_(eps_);
    flat_.values.addcdiv_(mean_, denominator_, -lr / correction1);
  }

 private:
  FlatParameters flat_;
  const double beta1_, beta2_, eps_, weight_decay_;
  at::Tensor mean_, square_, denominator_;
  double steps_ = 0;
};

class Sgd : public Optimizer {
 public:
  Sgd(const Params& p, const FlatParameters& flat)
      : flat_(flat), momentum_(p.Float("momentum")), nesterov_(p.Bool("nesterov")) {}

  void Step(double lr) override {
    if (momentum_ == 0) {
      flat_.values.add_(flat_.gradients, -lr);
      return;
    }
    if (velocity_.defined()) {
      velocity_.mul_(momentum_).add_(flat_.gradients);
    } else {
      velocity_ = flat_.gradients.clone();
    }
    flat_.values.add_(nesterov_ ? flat_.gradients.add_(velocity_, momentum_) : velocity_, -lr);
  }

 private:
  FlatParameters flat_;
  const double momentum_;
  const bool nesterov_;
  at::Tensor velocity_;
};

// Tieleman, Hinton: lecture 6.5 of "Neural Networks for Machine Learning", 2012; not centered.
class RmsProp : public Optimizer {
 public:
  RmsProp(const Params& p, const FlatParameters& flat)
      : flat_(flat),
        alpha_(p.Float("alpha")),
        eps_(p.Float("eps")),
        momentum_(p.Float("momentum")),
        square_(at::zeros_like(flat.values)),
        velocity_(momentum_ > 0 ? at::zeros_like(flat.values) : at::Tensor()),
        denominator_(at::empty_like(flat.values)) {}

  void Step(double lr) override {
    square_.mul_(alpha_).addcmul_(flat_.gradients, flat_.gradients, 1 - alpha_);
    at::sqrt_out(denominator_, square_).add_(eps_);
    if (momentum_ > 0) {
      velocity_.mul_(momentum_).addcdiv_(flat_.gradients, denominator_);
      flat_.values.add_(velocity_, -lr);
    } else {
      flat_.values.addcdiv_(flat_.gradients, denominator_, -lr);
    }
  }

 private:
  FlatParameters flat_;
  const double alpha_, eps_, momentum_;
  at::Tensor square_, velocity_, denominator_;
};

// Duchi, Hazan, Singer: JMLR 12, 2011.
class Adagrad : public Optimizer {
 public:
  Adagrad(const Params& p, const FlatParameters& flat)
      : flat_(flat),
        eps_(p.Float("eps")),
        square_(at::zeros_like(flat.values)),
        denominator_(at::empty_like(flat.values)) {}

  void Step(double lr) override {
    square_.addcmul_(flat_.gradients, flat_.gradients);
    at::sqrt_out(denominator_, square_).add_(eps_);
    flat_.values.addcdiv_(flat_.gradients, denominator_, -lr);
  }

 private:
  FlatParameters flat_;
  const double eps_;
  at::Tensor square_, denominator_;
};

Param Lr(double value) {
  return FloatParam("lr", value, "learning rate of the first epoch").Above(0).AtMost(10);
}
Param Eps(double value) {
  return FloatParam("eps", value, "added to the denominator for numerical stability").Above(0).AtMost(1);
}
Param Beta1() {
  return FloatParam("beta1", 0.9, "decay of the running mean of gradients").AtLeast(0).Below(1);
}
Param Beta2() {
  return FloatParam("beta2", 0.999, "decay of the running mean of squared gradients").AtLeast(0).Below(1);
}
Param Momentum(double value) {
  return FloatParam("momentum", value, "share of the previous step that is kept; 0 is none")
      .AtLeast(0)
      .Below(1);
}

}  // namespace

void RegisterOptimizers(Registry& registry) {
  auto& r = registry.optimizers;

  r.Add({"adam",
         "adaptive moments with bias correction (Kingma and Ba, 2015)",
         {Lr(0.001), Beta1(), Beta2(), Eps(1e-8)}},
        [](const Params& p, const FlatParameters& flat) { return std::make_unique<Adam>(p, flat, 0); });

  r.Add({"adamw",
         "adam with decoupled weight decay (Loshchilov and Hutter, 2019)",
         {Lr(0.001), Beta1(), Beta2(), Eps(1e-8),
          FloatParam("weight_decay", 0.01, "share of each weight taken off per step, times the learning rate")
              .AtLeast(0)
              .AtMost(1)}},
        [](const Params& p, const FlatParameters& flat) {
          return std::make_unique<Adam>(p, flat, p.Float("weight_decay"));
        });

  r.Add({"sgd",
         "stochastic gradient descent with momentum",
         {Lr(0.05), Momentum(0.9),
          BoolParam("nesterov", false, "look ahead along the momentum; needs momentum > 0")}},
        [](const Params& p, const FlatParameters& flat) { return std::make_unique<Sgd>(p, flat); });

  r.Add({"rmsprop",
         "gradient divided by a running root mean square",
         {Lr(0.001),
          FloatParam("alpha", 0.99, "decay of the running mean of squared gradients").AtLeast(0).Below(1),
          Eps(1e-8), Momentum(0)}},
        [](const Params& p, const FlatParameters& flat) { return std::make_unique<RmsProp>(p, flat); });

  r.Add({"adagrad", "learning rate shrinks with the sum of squared gradients", {Lr(0.01), Eps(1e-10)}},
        [](const Params& p, const FlatParameters& flat) { return std::make_unique<Adagrad>(p, flat); });
}

}  // namespace gridsweep
