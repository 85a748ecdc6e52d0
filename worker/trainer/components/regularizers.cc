#include "worker/trainer/components/registry.h"

namespace gridsweep {

void RegisterRegularizers(Registry& registry) {
  auto& r = registry.regularizers;

  r.Add({"none", "no regularization"}, [](const Params&, Regularization&) {});

  r.Add({"l1",
         "lambda * sum |w| added to the loss, over weights but not biases or norms",
         {FloatParam("lambda", 1e-5, "strength of the penalty").AtLeast(0).AtMost(1).Primary()}},
        [](const Params& p, Regularization& out) { out.l1 = p.Float("lambda"); });

  r.Add({"l2",
         "weight decay: lambda * w added to the gradient by the optimizer",
         {FloatParam("lambda", 1e-4, "strength of the penalty").AtLeast(0).AtMost(1).Primary()}},
        [](const Params& p, Regularization& out) { out.l2 = p.Float("lambda"); });

  r.Add({"dropout",
         "zeroes outputs of hidden fully connected layers at random while training",
         {FloatParam("p", 0.3, "probability that an output is zeroed").AtLeast(0).Below(1).Primary()}},
        [](const Params& p, Regularization& out) { out.dropout = p.Float("p"); });
}

}  // namespace gridsweep
