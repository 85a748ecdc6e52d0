#include <cmath>

#include "worker/trainer/components/registry.h"
#include "worker/trainer/element_update.h"

namespace gridsweep {
namespace {

// Constants are rounded once; the elements are floats.
float Single(double value) {
  return static_cast<float>(value);
}

using std::sqrt;  // for rules on floats; at::sqrt is found for tensors

// Adam (Kingma, Ba: arXiv:1412.6980) and, with decay, AdamW (Loshchilov, Hutter: arXiv:1711.05101).
struct AdamRule {
  float beta1, rest1, beta2, rest2, eps;
  float root_correction2;  // 1 / √(1 - beta2^t)
  float rate;              // lr / (1 - beta1^t)
  float kept;              // 1 - lr * weight_decay

  template <typename T>
  void operator()(T& value, T& gradient, T& mean, T& square) const {
    mean = mean * beta1 + gradient * rest1;
    square = square * beta2 + gradient * gradient * rest2;
    value = value * kept - mean / (sqrt(square) * root_correction2 + eps) * rate;
  }
};

class Adam : public Optimizer {
 public:
  Adam(const Params& p, const FlatParameters& flat, double weight_decay)
      : Optimizer(flat, 2),
        beta1_(p.Float("beta1")),
        beta2_(p.Float("beta2")),
        eps_(p.Float("eps")),
        weight_decay_(weight_decay) {}

 private:
  void Update(double lr) override {
    const auto t = static_cast<double>(steps());
    const double correction1 = 1 - std::pow(beta1_, t), correction2 = 1 - std::pow(beta2_, t);
    UpdateElements(AdamRule{Single(beta1_), Single(1 - beta1_), Single(beta2_), Single(1 - beta2_),
                            Single(eps_), Single(1 / std::sqrt(correction2)), Single(lr / correction1),
                            Single(1 - lr * weight_decay_)},
                   values(), gradients(), buffer(0), buffer(1));
  }

  const double beta1_, beta2_, eps_, weight_decay_;
};

struct DescendRule {
  float lr;
  template <typename T>
  void operator()(T& value, T& gradient) const {
    value = value - gradient * lr;
  }
};

// The first velocity is the gradient itself, as zero times anything is zero.
struct MomentumRule {
  float lr, momentum;
  template <typename T>
  void operator()(T& value, T& gradient, T& velocity) const {
    velocity = velocity * momentum + gradient;
    value = value - velocity * lr;
  }
};

struct NesterovRule {
  float lr, momentum;
  template <typename T>
  void operator()(T& value, T& gradient, T& velocity) const {
    velocity = velocity * momentum + gradient;
    value = value - (gradient + velocity * momentum) * lr;
  }
};

class Sgd : public Optimizer {
 public:
  Sgd(const Params& p, const FlatParameters& flat)
      : Optimizer(flat, p.Float("momentum") == 0 ? 0 : 1),
        momentum_(p.Float("momentum")),
        nesterov_(p.Bool("nesterov")) {}

 private:
  void Update(double lr) override {
    if (momentum_ == 0) {
      UpdateElements(DescendRule{Single(lr)}, values(), gradients());
    } else if (nesterov_) {
      UpdateElements(NesterovRule{Single(lr), Single(momentum_)}, values(), gradients(), buffer(0));
    } else {
      UpdateElements(MomentumRule{Single(lr), Single(momentum_)}, values(), gradients(), buffer(0));
    }
  }

  const double momentum_;
  const bool nesterov_;
};

// Tieleman, Hinton: lecture 6.5 of "Neural Networks for Machine Learning", 2012; not centered.
struct RmsPropRule {
  float lr, alpha, rest, eps;
  template <typename T>
  void operator()(T& value, T& gradient, T& square) const {
    square = square * alpha + gradient * gradient * rest;
    value = value - gradient / (sqrt(square) + eps) * lr;
  }
};

struct RmsPropMomentumRule {
  float lr, alpha, rest, eps, momentum;
  template <typename T>
  void operator()(T& value, T& gradient, T& square, T& velocity) const {
    square = square * alpha + gradient * gradient * rest;
    velocity = velocity * momentum + gradient / (sqrt(square) + eps);
    value = value - velocity * lr;
  }
};

class RmsProp : public Optimizer {
 public:
  RmsProp(const Params& p, const FlatParameters& flat)
      : Optimizer(flat, p.Float("momentum") == 0 ? 1 : 2),
        alpha_(p.Float("alpha")),
        eps_(p.Float("eps")),
        momentum_(p.Float("momentum")) {}

 private:
  void Update(double lr) override {
    const RmsPropRule plain{Single(lr), Single(alpha_), Single(1 - alpha_), Single(eps_)};
    if (momentum_ == 0) {
      UpdateElements(plain, values(), gradients(), buffer(0));
    } else {
      UpdateElements(RmsPropMomentumRule{plain.lr, plain.alpha, plain.rest, plain.eps, Single(momentum_)},
                     values(), gradients(), buffer(0), buffer(1));
    }
  }

  const double alpha_, eps_, momentum_;
};

// Duchi, Hazan, Singer: JMLR 12, 2011.
struct AdagradRule {
  float lr, eps;
  template <typename T>
  void operator()(T& value, T& gradient, T& square) const {
    square = square + gradient * gradient;
    value = value - gradient / (sqrt(square) + eps) * lr;
  }
};

class Adagrad : public Optimizer {
 public:
  Adagrad(const Params& p, const FlatParameters& flat) : Optimizer(flat, 1), eps_(p.Float("eps")) {}

 private:
  void Update(double lr) override {
    UpdateElements(AdagradRule{Single(lr), Single(eps_)}, values(), gradients(), buffer(0));
  }

  const double eps_;
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
