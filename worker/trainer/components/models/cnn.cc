#include "worker/trainer/components/registry.h"
#include "worker/trainer/normalize_pool.h"

namespace gridsweep {
namespace {

// [convolution 3x3 → batch normalization → activation → max pooling 2x2] per stage → Linear → activation →
// dropout → Linear. A stage does not pool where that would leave no rows or no columns.
class Cnn : public Model {
 public:
  Cnn(const Params& p, const ModelContext& context, LayerBuilder& build)
      : activation_(context.activation), dropout_(context.dropout) {
    int64_t rows = context.rows, columns = context.columns, channels = 1;
    for (const int64_t outputs : p.IntList("channels")) {
      const bool pools = rows >= 2 && columns >= 2;
      Convolution convolution = build.AddConvolution(channels, outputs);
      stages_.push_back({std::move(convolution), build.AddBatchNormIf(p.Bool("batch_norm"), outputs), pools});
      if (rows * columns == 1 && p.Bool("batch_norm")) min_batch_ = 2;
      rows = pools ? rows / 2 : rows;
      columns = pools ? columns / 2 : columns;
      channels = outputs;
    }
    hidden_ = build.AddLinear(channels * rows * columns, p.Int("hidden"));
    output_ = build.AddLinear(p.Int("hidden"), context.classes);
  }

  at::Tensor Forward(const at::Tensor& images, bool training) override {
    at::Tensor x = images;
    for (const Stage& stage : stages_) {
      x = stage.convolution(x);
      if (stage.norm && stage.pools && activation_.monotone && stage.convolution.kernels == Kernels::kTuned &&
          x.is_cpu()) {
        x = activation_.apply(NormalizeAndPool(x, *stage.norm, training));
        continue;
      }
      if (stage.norm) x = (*stage.norm)(x, training);
      if (!activation_.monotone) x = activation_.apply(x);
      if (stage.pools) x = at::max_pool2d(x, {2, 2});
      if (activation_.monotone) x = activation_.apply(x);
    }
    return output_(dropout_(activation_.apply(hidden_(x.flatten(1))), training));
  }

  int64_t min_batch() const override { return min_batch_; }

 private:
  struct Stage {
    Convolution convolution;
    std::optional<BatchNorm> norm;
    bool pools;
  };
  Activation activation_;
  Dropout dropout_;
  std::vector<Stage> stages_;
  Linear hidden_, output_;
  int64_t min_batch_ = 1;
};

}  // namespace

void Register_cnn(Registry& registry) {
  registry.models.Add(
      {"cnn",
       "convolutional network: per stage a 3x3 convolution and 2x2 max pooling, then a fully connected layer",
       {IntListParam("channels", {32, 64}, "channels of each convolution stage")
            .AtLeast(1)
            .AtMost(512)
            .Length(1, 4),
        IntParam("hidden", 128, "width of the fully connected layer, in units").AtLeast(1).AtMost(4096),
        BoolParam("batch_norm", true, "batch normalization after each hidden layer, before the activation")}},
      [](const Params& p, const ModelContext& context, LayerBuilder& build) {
        return std::make_unique<Cnn>(p, context, build);
      });
}

}  // namespace gridsweep
