#include <gtest/gtest.h>

#include "tests/unit/trainer/job_documents.h"
#include "worker/trainer/seeding.h"

namespace gridsweep {
namespace {

Component Resolved(const Registry& registry, Axis axis, const std::string& name,
                   const std::map<std::string, ParamValue>& params = {}) {
  return registry.MakeCatalog().Resolve(axis, name, params).value();
}

struct Built {
  std::unique_ptr<Model> model;
  std::vector<at::Tensor> parameters;
};

Built Build(const Registry& registry, const Component& model, int64_t rows, int64_t columns,
            const std::string& activation = "relu") {
  LayerBuilder build(MakeGenerator(1, kInitPurpose, at::kCPU));
  const ModelContext context{rows, columns, 47,
                             registry.activations.Make(Resolved(registry, Axis::kActivation, activation)),
                             Dropout()};
  auto made = registry.models.Make(model, context, build);
  return {std::move(made), build.parameters()};
}

int64_t Count(const std::vector<at::Tensor>& tensors) {
  int64_t n = 0;
  for (const at::Tensor& tensor : tensors) n += tensor.numel();
  return n;
}

TEST(Models, EveryEntryMapsImagesOfAnySizeToLogits) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec* spec : catalog.OnAxis(Axis::kModel)) {
    for (const auto& [rows, columns] :
         {std::pair<int64_t, int64_t>{28, 28}, {32, 32}, {5, 9}, {1, 1}, {1, 8}, {3, 2}}) {
      const Built built = Build(registry, Resolved(registry, Axis::kModel, spec->name), rows, columns);
      for (const bool training : {true, false}) {
        const at::Tensor logits = built.model->Forward(at::rand({3, 1, rows, columns}), training);
        EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{3, 47}))
            << spec->name << " " << rows << "x" << columns;
        EXPECT_TRUE(logits.isfinite().all().item<bool>());
      }
    }
  }
}

TEST(Models, ParameterCountsAreThoseOfTheReferenceStudy) {
  const Registry registry = MakeRegistry();
  const auto count = [&](const char* name, bool batch_norm) {
    return Count(Build(registry, Resolved(registry, Axis::kModel, name, {{"batch_norm", batch_norm}}), 28, 28)
                     .parameters);
  };
  EXPECT_EQ(count("mlp", false), 784 * 256 + 256 + 256 * 128 + 128 + 128 * 47 + 47);
  EXPECT_EQ(count("mlp", true), count("mlp", false) + 2 * (256 + 128));
  EXPECT_EQ(count("cnn", false), 9 * 32 + 32 + 9 * 32 * 64 + 64 + 64 * 49 * 128 + 128 + 128 * 47 + 47);
  EXPECT_EQ(count("cnn", true), count("cnn", false) + 2 * (32 + 64));
}

TEST(Models, DeepCnnStopsPoolingBeforeTheMapVanishes) {
  const Registry registry = MakeRegistry();
  const Component cnn = Resolved(registry, Axis::kModel, "cnn",
                                 {{"channels", std::vector<int64_t>{2, 2, 2, 2}}, {"hidden", int64_t{3}}});
  const Built built = Build(registry, cnn, 4, 4);  // 4 → 2 → 1 → 1 → 1
  EXPECT_EQ(built.parameters[16].sizes(), (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(built.model->min_batch(), 2);
  EXPECT_EQ(Build(registry, cnn, 28, 28).model->min_batch(), 1);
}

TEST(Models, BatchNormSetsTheSmallestBatch) {
  const Registry registry = MakeRegistry();
  EXPECT_EQ(Build(registry, Resolved(registry, Axis::kModel, "mlp"), 4, 4).model->min_batch(), 2);
  EXPECT_EQ(Build(registry, Resolved(registry, Axis::kModel, "mlp", {{"batch_norm", false}}), 4, 4)
                .model->min_batch(),
            1);
}

TEST(Activations, ValuesAndGradientsAreFinite) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec* spec : catalog.OnAxis(Axis::kActivation)) {
    const Activation activation =
        registry.activations.Make(Resolved(registry, Axis::kActivation, spec->name));
    at::Tensor x = at::linspace(-100, 100, 4001).set_requires_grad(true);
    const at::Tensor y = activation.apply(x);
    y.sum().backward();
    EXPECT_TRUE(y.isfinite().all().item<bool>()) << spec->name;
    EXPECT_TRUE(x.grad().isfinite().all().item<bool>()) << spec->name;
    EXPECT_GT(x.grad().abs().sum().item<double>(), 0) << spec->name;
    const bool never_falls = y.diff().ge(0).all().item<bool>();
    EXPECT_EQ(never_falls, activation.monotone) << spec->name;
    EXPECT_EQ(spec->properties.at("monotone"), activation.monotone) << spec->name;
  }
}

TEST(Activations, KnownValues) {
  const Registry registry = MakeRegistry();
  const auto at_minus_one = [&](const char* name, const std::map<std::string, ParamValue>& params) {
    const auto activation = registry.activations.Make(Resolved(registry, Axis::kActivation, name, params));
    return activation.apply(at::full({1}, -1.0)).item<double>();
  };
  EXPECT_DOUBLE_EQ(at_minus_one("relu", {}), 0);
  EXPECT_NEAR(at_minus_one("leaky_relu", {{"slope", 0.25}}), -0.25, 1e-7);
  EXPECT_NEAR(at_minus_one("elu", {{"alpha", 2.0}}), 2 * (std::exp(-1.0) - 1), 1e-6);
  EXPECT_NEAR(at_minus_one("tanh", {}), std::tanh(-1.0), 1e-6);
  EXPECT_NEAR(at_minus_one("gelu", {}), -0.5 * std::erfc(1 / std::sqrt(2.0)), 1e-6);
  EXPECT_NEAR(at_minus_one("silu", {}), -1 / (1 + std::exp(1.0)), 1e-6);
}

TEST(Activations, PoolingFirstChangesNothingForMonotoneOnes) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec* spec : catalog.OnAxis(Axis::kActivation)) {
    const Activation activation =
        registry.activations.Make(Resolved(registry, Axis::kActivation, spec->name));
    if (!activation.monotone) continue;
    const at::Tensor x = at::randn({4, 3, 8, 8});
    EXPECT_TRUE(
        at::equal(activation.apply(at::max_pool2d(x, {2, 2})), at::max_pool2d(activation.apply(x), {2, 2})))
        << spec->name;
  }
}

}  // namespace
}  // namespace gridsweep
