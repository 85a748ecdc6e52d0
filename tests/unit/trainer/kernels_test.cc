// The tuned kernels compute what LibTorch's own operators and autograd do, to rounding.
#include "worker/trainer/kernels.h"

#include <gtest/gtest.h>

#include "tests/unit/trainer/job_documents.h"
#include "worker/trainer/element_update.h"
#include "worker/trainer/normalize_pool.h"
#include "worker/trainer/training_session.h"
#include "worker/trainer/tuned_ops.h"

namespace gridsweep {
namespace {

// Of the largest value, after sums of a few thousand products in another order.
constexpr double kTolerance = 1e-5;

void ExpectClose(const at::Tensor& actual, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  const double scale = std::max(1e-3, expected.abs().max().item<double>());
  EXPECT_LE((actual - expected).abs().max().item<double>(), kTolerance * scale) << what;
}

TEST(Kernels, FollowFromTheDeviceUnlessNamed) {
  EXPECT_EQ(ChooseKernels("cpu", "auto").value(), Kernels::kTuned);
  EXPECT_EQ(ChooseKernels("cuda:0", "auto").value(), Kernels::kPlain);
  EXPECT_EQ(ChooseKernels("cpu", "plain").value(), Kernels::kPlain);
  EXPECT_EQ(ChooseKernels("cpu", "fast").status().code(), absl::StatusCode::kInvalidArgument);
}

class TunedOps : public ::testing::Test {
 protected:
  static at::Tensor Random(at::IntArrayRef shape) {
    return at::rand(shape, at::detail::createCPUGenerator(1)).sub_(0.5);
  }
  // Output and gradients of weight, bias and (if it has one) x, by `function`.
  template <typename Function>
  static std::vector<at::Tensor> Run(const Function& function, const at::Tensor& x, bool x_gradient,
                                     const at::Tensor& weight, const at::Tensor& bias, bool buffers) {
    const at::Tensor input = x.clone().set_requires_grad(x_gradient);
    const at::Tensor w = weight.clone().set_requires_grad(true), b = bias.clone().set_requires_grad(true);
    if (buffers) {
      w.mutable_grad() = at::ones_like(weight);
      b.mutable_grad() = at::ones_like(bias);
    }
    const at::Tensor y = function(input, w, b);
    (y * at::linspace(-1, 1, y.numel()).view(y.sizes())).sum().backward();
    std::vector<at::Tensor> out = {y.detach(), w.grad(), b.grad()};
    if (x_gradient) out.push_back(input.grad());
    return out;
  }
};

TEST_F(TunedOps, LinearIsLinear) {
  const at::Tensor x = Random({9, 31}), weight = Random({17, 31}), bias = Random({17});
  for (const bool x_gradient : {false, true}) {
    for (const bool buffers : {false, true}) {
      const auto tuned = Run(TunedLinear, x, x_gradient, weight, bias, buffers);
      const auto plain = Run(
          [](const at::Tensor& i, const at::Tensor& w, const at::Tensor& b) { return at::linear(i, w, b); },
          x, x_gradient, weight, bias, buffers);
      for (size_t i = 0; i < plain.size(); ++i) ExpectClose(tuned[i], plain[i], fmt::format("tensor {}", i));
    }
  }
}

TEST_F(TunedOps, ImageConvolutionIsAConvolutionAtEverySize) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{28, 28}, {5, 9}, {1, 1}, {1, 7}, {2, 1}}) {
    const at::Tensor x = Random({6, 1, rows, columns}), weight = Random({8, 1, 3, 3}), bias = Random({8});
    const auto tuned = Run(TunedImageConvolution, x, false, weight, bias, true);
    const auto plain = Run(
        [](const at::Tensor& i, const at::Tensor& w, const at::Tensor& b) {
          return at::conv2d(i, w, b, {1, 1}, at::IntArrayRef({1, 1}), {1, 1}, 1);
        },
        x, false, weight, bias, true);
    for (size_t i = 0; i < plain.size(); ++i)
      ExpectClose(tuned[i], plain[i], fmt::format("{} x {}, tensor {}", rows, columns, i));
  }
}

// Losses of a few steps, then log-probabilities in evaluation, then the parameters.
std::vector<at::Tensor> Train(const Json& json, const Registry& registry, const ImageShape& shape,
                              Kernels kernels) {
  TrainingSession session(ResolvedJob(json, registry), registry, shape, at::kCPU, kernels);
  const at::Tensor images = at::rand({24, 1, shape.rows, shape.columns}, at::detail::createCPUGenerator(2));
  const at::Tensor labels = at::arange(24, at::kLong).remainder(shape.classes);
  std::vector<at::Tensor> out;
  for (int step = 0; step < 4; ++step) out.push_back(session.Step(images, labels, 0.01).loss);
  out.push_back(session.Predict(images).clone());
  return out;
}

TEST(Kernels, EveryModelActivationAndRegularizerTrainsAsByLibTorch) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec* model : catalog.OnAxis(Axis::kModel)) {
    for (const ComponentSpec* activation : catalog.OnAxis(Axis::kActivation)) {
      for (const ComponentSpec* regularizer : catalog.OnAxis(Axis::kRegularization)) {
        for (const bool batch_norm : {true, false}) {
          for (const int64_t side : {13, 8}) {  // odd: pooling leaves a row and a column out
            Json json = JobJson();
            json["model"] = ComponentJson(model->name, {{"batch_norm", batch_norm}});
            json["activation"] = ComponentJson(activation->name);
            json["optimizer"] = ComponentJson("sgd");
            if (regularizer->name != "none")
              json["regularization"] = Json::array({ComponentJson(regularizer->name)});
            const ImageShape shape{side, side, 5};
            const auto tuned = Train(json, registry, shape, Kernels::kTuned);
            const auto plain = Train(json, registry, shape, Kernels::kPlain);
            for (size_t i = 0; i < plain.size(); ++i) {
              // Four steps multiply the rounding of the first.
              EXPECT_TRUE(at::allclose(tuned[i], plain[i], 1e-3, 1e-4))
                  << json.dump() << " " << side << " value " << i << "\n"
                  << tuned[i] << plain[i];
            }
          }
        }
      }
    }
  }
}

TEST(NormalizeAndPool, IsPoolingAfterNormalization) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{8, 8}, {7, 9}, {2, 2}, {3, 2}, {28, 28}}) {
    for (const int64_t channels : {1, 5, 32}) {
      const auto make = [&](const at::Tensor& values) { return values.clone().set_requires_grad(true); };
      const at::Tensor x = at::randn({6, channels, rows, columns}, at::detail::createCPUGenerator(1));
      x.clamp_(-0.5, 1e9);  // ties, as flat backgrounds make them: the gradient is the first one's
      const at::Tensor weight = at::linspace(-1.5, 2, channels), bias = at::linspace(0, 1, channels);
      const auto run = [&](const auto& function) {
        const BatchNorm norm{make(weight), make(bias), at::zeros({channels}), at::ones({channels})};
        const at::Tensor input = make(x), y = function(input, norm, true);
        (y * at::linspace(-1, 2, y.numel()).view(y.sizes())).sum().backward();
        const c10::InferenceMode inference;
        return std::vector<at::Tensor>{
            y.detach(),        input.grad(),     norm.weight.grad(),      norm.bias.grad(),
            norm.running_mean, norm.running_var, function(x, norm, false)};
      };
      const auto tuned = run(NormalizeAndPool);
      const auto plain = run([](const at::Tensor& input, const BatchNorm& norm, bool training) {
        return at::max_pool2d(norm(input, training), {2, 2});
      });
      for (size_t i = 0; i < plain.size(); ++i)
        ExpectClose(tuned[i], plain[i], fmt::format("{} x {} x {}, tensor {}", channels, rows, columns, i));
    }
  }
}

struct TestRule {
  float factor;
  template <typename T>
  void operator()(T& value, T& gradient, T& square) const {
    using std::sqrt;
    square = square * factor + gradient * gradient;
    value = value - gradient / (sqrt(square) + factor);
  }
};

// GPUs run rules by LibTorch's operators; the loop of CPUs computes the same.
TEST(ElementUpdate, LoopsAndTensorsAgree) {
  for (const int64_t n : {1, 15, 16, 1000}) {
    std::vector<at::Tensor> loop, tensors;
    for (int i = 0; i < 3; ++i) {
      loop.push_back(at::rand({n}, at::detail::createCPUGenerator(static_cast<uint64_t>(i))));
      tensors.push_back(loop.back().clone());
    }
    UpdateElements(TestRule{0.5f}, loop[0], loop[1], loop[2]);
    element_update::OnTensors(TestRule{0.5f}, tensors[0], tensors[1], tensors[2]);
    for (size_t i = 0; i < 3; ++i) ExpectClose(loop[i], tensors[i], fmt::format("buffer {} of {}", i, n));
  }
}

// Whatever instructions the CPU has, the bits are those of the plain loop.
TEST(ElementUpdate, InstructionSetsDoNotMatter) {
  std::vector<at::Tensor> wide, plain;
  for (int i = 0; i < 3; ++i) {
    wide.push_back(at::rand({1001}, at::detail::createCPUGenerator(static_cast<uint64_t>(i))));
    plain.push_back(wide.back().clone());
  }
  UpdateElements(TestRule{0.7f}, wide[0], wide[1], wide[2]);
  element_update::Loop(TestRule{0.7f}, 1001, plain[0].data_ptr<float>(), plain[1].data_ptr<float>(),
                       plain[2].data_ptr<float>());
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(at::equal(wide[i], plain[i])) << i;
}

TEST(TrainingSession, GoingOnFromASavedStateIsGoingOn) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  const at::Tensor images = at::rand({16, 1, 8, 8}, at::detail::createCPUGenerator(3));
  const at::Tensor labels = at::arange(16, at::kLong).remainder(4);
  for (const ComponentSpec* model : catalog.OnAxis(Axis::kModel)) {
    for (const ComponentSpec* optimizer : catalog.OnAxis(Axis::kOptimizer)) {
      Json json = JobJson();
      json["model"] = ComponentJson(model->name);
      json["optimizer"] = ComponentJson(optimizer->name);
      json["regularization"] = Json::array({ComponentJson("dropout")});
      TrainingSession session(ResolvedJob(json, registry), registry, {8, 8, 4}, at::kCPU, Kernels::kTuned);
      const auto go_on = [&] {
        std::vector<float> losses;
        for (int i = 0; i < 3; ++i) losses.push_back(session.Step(images, labels, 0.01).loss.item<float>());
        losses.push_back(session.Predict(images).sum().item<float>());
        return losses;
      };
      go_on();
      const SessionState state = session.Save();
      const auto expected = go_on();
      session.Restore(state);
      EXPECT_EQ(go_on(), expected) << model->name << " " << optimizer->name;
      session.Restore(state);
      EXPECT_EQ(go_on(), expected) << model->name << " " << optimizer->name << ", a second time";
    }
  }
}

}  // namespace
}  // namespace gridsweep
