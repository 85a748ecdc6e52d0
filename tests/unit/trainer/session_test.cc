#include <gtest/gtest.h>

#include <new>

#include "tests/unit/trainer/job_documents.h"
#include "worker/trainer/torch_guard.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {
namespace {

const ImageShape kShape{6, 6, 4};

at::Tensor FewImages() {
  return at::linspace(0, 1, 8 * 36).view({8, 1, 6, 6});
}
at::Tensor FewLabels() {
  return at::arange(8, at::kLong).remainder(4);
}

TEST(TrainingSession, EveryComponentTrainsFromItsDefaults) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec& spec : catalog.components()) {
    Json json = JobJson();
    const std::string axis(AxisName(spec.axis));
    if (spec.axis == Axis::kRegularization) {
      if (spec.name != "none") json[axis] = Json::array({ComponentJson(spec.name)});
    } else {
      json[axis] = ComponentJson(spec.name);
    }
    TrainingSession session(ResolvedJob(json, registry), registry, kShape, at::kCPU, Kernels::kTuned);
    const auto result = session.Step(FewImages(), FewLabels(), 0.01);
    EXPECT_TRUE(result.loss.isfinite().item<bool>()) << spec.name;
    EXPECT_TRUE(session.ParametersFinite()) << spec.name;
  }
}

TEST(TrainingSession, SameSeedSameNumbers) {
  const Registry registry = MakeRegistry();
  Json json = JobJson();
  json["regularization"] = Json::array({ComponentJson("dropout")});
  const auto losses = [&](int seed) {
    json["seed"] = seed;
    TrainingSession session(ResolvedJob(json, registry), registry, kShape, at::kCPU, Kernels::kTuned);
    std::vector<float> out;
    for (int i = 0; i < 5; ++i)
      out.push_back(session.Step(FewImages(), FewLabels(), 0.01).loss.item<float>());
    return out;
  };
  EXPECT_EQ(losses(1), losses(1));
  EXPECT_NE(losses(1), losses(2));
}

// One step of plain SGD with and without a penalty: the difference is -lr times the penalty's gradient.
class Penalty : public ::testing::Test {
 protected:
  std::vector<at::Tensor> AfterOneStep(const Json& regularization) {
    Json json = JobJson();
    json["optimizer"] = ComponentJson("sgd", {{"momentum", 0.0}});
    json["regularization"] = regularization;
    TrainingSession session(ResolvedJob(json, registry_), registry_, kShape, at::kCPU, Kernels::kTuned);
    initial_.clear();
    for (const at::Tensor& p : session.parameters()) initial_.push_back(p.detach().clone());
    session.Step(FewImages(), FewLabels(), 0.5);
    std::vector<at::Tensor> out;
    for (const at::Tensor& p : session.parameters()) out.push_back(p.detach().clone());
    return out;
  }
  const Registry registry_ = MakeRegistry();
  std::vector<at::Tensor> initial_;
};

TEST_F(Penalty, L1PullsWeightsButNotBiasesOrNorms) {
  const auto plain = AfterOneStep(Json::array());
  const auto with = AfterOneStep(Json::array({ComponentJson("l1", {{"lambda", 0.01}})}));
  for (size_t i = 0; i < plain.size(); ++i) {
    const at::Tensor expected = plain[i].dim() >= 2 ? plain[i] - 0.5 * 0.01 * initial_[i].sign() : plain[i];
    EXPECT_TRUE(at::allclose(with[i], expected, 1e-5, 1e-6)) << i;
  }
}

TEST_F(Penalty, L2PullsEveryParameter) {
  const auto plain = AfterOneStep(Json::array());
  const auto with = AfterOneStep(Json::array({ComponentJson("l2", {{"lambda", 0.01}})}));
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_TRUE(at::allclose(with[i], plain[i] - 0.5 * 0.01 * initial_[i], 1e-5, 1e-6)) << i;
  }
}

TEST(GuardTorch, TurnsExceptionsIntoOneLineStatuses) {
  const auto thrown = [](auto throws) {
    return GuardTorch([&]() -> absl::Status {
      throws();
      return absl::OkStatus();
    });
  };
  EXPECT_TRUE(thrown([] {}).ok());
  const absl::Status shape = thrown([] { at::ones({2, 3}).mm(at::ones({2, 3})); });
  EXPECT_EQ(shape.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Message(shape).find('\n'), std::string::npos);
  EXPECT_EQ(thrown([] { throw std::bad_alloc(); }).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(thrown([] { at::empty({int64_t{1} << 50}); }).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(thrown([] { throw std::runtime_error("CUDA out of memory. Tried to allocate"); }).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(thrown([] { throw std::runtime_error("CUDA error: device-side assert triggered"); }).code(),
            absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace gridsweep
