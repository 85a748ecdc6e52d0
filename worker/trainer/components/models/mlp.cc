#include "worker/trainer/components/registry.h"

namespace gridsweep {
namespace {

// [Linear → batch normalization → activation → dropout] per hidden layer → Linear
class Mlp : public Model {
 public:
  Mlp(const Params& p, const ModelContext& context, LayerBuilder& build)
      : activation_(context.activation), dropout_(context.dropout) {
    int64_t width = context.rows * context.columns;
    for (const int64_t units : p.IntList("hidden")) {
      Linear linear = build.AddLinear(width, units);
      hidden_.push_back({std::move(linear), build.AddBatchNormIf(p.Bool("batch_norm"), units)});
      width = units;
    }
    output_ = build.AddLinear(width, context.classes);
  }

  at::Tensor Forward(const at::Tensor& images, bool training) override {
    at::Tensor x = images.flatten(1);
    for (const Hidden& hidden : hidden_) {
      x = hidden.linear(x);
      if (hidden.norm) x = (*hidden.norm)(x, training);
      x = dropout_(activation_.apply(x), training);
    }
    return output_(x);
  }

  int64_t min_batch() const override { return !hidden_.empty() && hidden_[0].norm ? 2 : 1; }

 private:
  struct Hidden {
    Linear linear;
    std::optional<BatchNorm> norm;
  };
  Activation activation_;
  Dropout dropout_;
  std::vector<Hidden> hidden_;
  Linear output_;
};

}  // namespace

void Register_mlp(Registry& registry) {
  registry.models.Add(
      {"mlp",
       "multilayer perceptron: fully connected hidden layers, then one output per class",
       {IntListParam("hidden", {256, 128}, "width of each hidden layer, in units")
            .AtLeast(1)
            .AtMost(4096)
            .Length(1, 8),
        BoolParam("batch_norm", true, "batch normalization after each hidden layer, before the activation")}},
      [](const Params& p, const ModelContext& context, LayerBuilder& build) {
        return std::make_unique<Mlp>(p, context, build);
      });
}

}  // namespace gridsweep
