#include "worker/trainer/components/registry.h"

namespace gridsweep {

void RegisterActivations(Registry& registry) {
  auto& r = registry.activations;
  const auto monotone = [](bool value) { return std::map<std::string, bool>{{"monotone", value}}; };

  r.Add({"relu", "rectified linear unit, max(0, x)", {}, monotone(true)}, [](const Params&) {
    return Activation{[](const at::Tensor& x) { return at::relu(x); }, true};
  });

  r.Add({"leaky_relu",
         "x for x > 0, slope * x otherwise",
         {FloatParam("slope", 0.01, "slope for negative inputs").AtLeast(0).Below(1)},
         monotone(true)},
        [](const Params& p) {
          return Activation{
              [slope = p.Float("slope")](const at::Tensor& x) { return at::leaky_relu(x, slope); }, true};
        });

  r.Add({"elu",
         "x for x > 0, alpha * (exp(x) - 1) otherwise",
         {FloatParam("alpha", 1.0, "limit for very negative inputs, with the sign changed")
              .Above(0)
              .AtMost(10)},
         monotone(true)},
        [](const Params& p) {
          return Activation{[alpha = p.Float("alpha")](const at::Tensor& x) { return at::elu(x, alpha); },
                            true};
        });

  r.Add({"tanh", "hyperbolic tangent", {}, monotone(true)}, [](const Params&) {
    return Activation{[](const at::Tensor& x) { return at::tanh(x); }, true};
  });

  r.Add({"gelu", "Gaussian error linear unit, x * Phi(x), exact form", {}, monotone(false)},
        [](const Params&) {
          return Activation{[](const at::Tensor& x) { return at::gelu(x); }, false};
        });

  r.Add({"silu", "sigmoid linear unit (swish), x * sigmoid(x)", {}, monotone(false)}, [](const Params&) {
    return Activation{[](const at::Tensor& x) { return at::silu(x); }, false};
  });
}

}  // namespace gridsweep
