#include "common/job/job_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Catalog& catalog = Catalog::Builtin();

Json Minimal() {
  return Json::parse(R"({"dataset":"d","model":{"name":"mlp"},"activation":{"name":"relu"},
                         "optimizer":{"name":"adam"},"seed":1})");
}

JobSpec Read(const Json& json) {
  return JobSpecFromJson(json, catalog).value();
}

TEST(JobSpec, CanonicalFormIsTheDocumentedOne) {
  Json json = Minimal();
  json["regularization"] = Json::parse(R"([{"name":"dropout"}])");
  EXPECT_EQ(
      JobSpecToJson(Read(json)).dump(),
      R"({"activation":{"name":"relu","params":{}},"dataset":"d","dataset_digest":"",)"
      R"("model":{"name":"mlp","params":{"batch_norm":true,"hidden":[256,128]}},)"
      R"("objective":{"epoch":"best","goal":"max","metric":"val_accuracy"},)"
      R"("optimizer":{"name":"adam","params":{"beta1":0.9,"beta2":0.999,"eps":1e-08,"lr":0.001}},)"
      R"("regularization":[{"name":"dropout","params":{"p":0.3}}],"scheduler":{"name":"none","params":{}},)"
      R"("seed":1,"training":{"batch_size":128,"epochs":10,"samples":0,"validation":0.1}})");
}

TEST(JobSpec, RoundTrips) {
  Json json = Minimal();
  json["objective"] = {{"metric", "test_loss"}, {"epoch", "last"}};
  json["training"] = {{"validation", 0}, {"epochs", 3}};
  json["dataset_digest"] = std::string(64, 'a');
  json["seed"] = 4294967295;
  const JobSpec spec = Read(json);
  EXPECT_EQ(spec.objective.goal, Goal::kMin);
  EXPECT_EQ(Read(JobSpecToJson(spec)), spec);
}

struct BadJob {
  const char* patch;  // merged over Minimal()
  const char* message;
};
class BadJobs : public testing::TestWithParam<BadJob> {};

TEST_P(BadJobs, AreRefusedNamingTheField) {
  Json json = Minimal();
  json.merge_patch(Json::parse(GetParam().patch));
  const auto spec = JobSpecFromJson(json, catalog);
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(Message(spec.status()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadJobs,
    testing::Values(
        BadJob{R"({"model":null})", "missing field \"model\""},
        BadJob{R"({"seed":null})", "missing field \"seed\""},
        BadJob{R"({"seed":1.5})", "field \"seed\": expected an int"},
        BadJob{R"({"seeds":1})", "unknown field 'seeds' (did you mean 'seed'?)"},
        BadJob{R"({"model":{"name":"mpl"}})", "field \"model\": unknown model 'mpl' (did you mean 'mlp'?)"},
        BadJob{R"({"model":{"name":"mlp","params":{"hidden":"x"}}})", "field \"model\": parameter 'hidden'"},
        BadJob{R"({"optimizer":{"name":"adam","params":{"lr":0}}})",
               "parameter 'lr': expected float in (0, 10], got 0"},
        BadJob{R"({"regularization":[{"name":"none"}]})", "write an empty list"},
        BadJob{R"({"regularization":[{"name":"l2"},{"name":"l2"}]})", "'l2' appears twice"},
        BadJob{R"({"training":{"epochs":0}})",
               "field \"training\": field \"epochs\": expected int in [1, 10000], got 0"},
        BadJob{R"({"training":{"epoch":1}})", "did you mean 'epochs'?"},
        BadJob{R"({"training":{"validation":0},"objective":{"metric":"val_loss"}})",
               "val_loss needs validation > 0"},
        BadJob{R"({"objective":{"metric":"accuracy"}})", "unknown metric 'accuracy'"},
        BadJob{R"({"objective":{"metric":"val_loss","goal":"up"}})", "unknown goal 'up'"},
        BadJob{R"({"dataset_digest":"abc"})", "expected 64 hex digits"},
        BadJob{R"({"dataset":""})", "field \"dataset\" is empty"}));

TEST(JobSpec, KeysDoNotDependOnSpelling) {
  Json spelled = Minimal();
  spelled["optimizer"]["params"] = {{"lr", 0.001}};
  spelled["regularization"] = Json::parse(R"([{"name":"l2"},{"name":"dropout"}])");
  Json bare = Minimal();
  bare["regularization"] = Json::parse(R"([{"name":"dropout","params":{"p":0.3}},{"name":"l2"}])");
  EXPECT_EQ(CellKey(Read(spelled)), CellKey(Read(bare)));
  EXPECT_EQ(JobKey(Read(spelled)), JobKey(Read(bare)));
  EXPECT_EQ(CellKey(Read(bare)).size(), 64u);
}

TEST(JobSpec, KeysCoverWhatTheNumbersDependOnAndNothingElse) {
  const JobSpec base = Read(Minimal());
  JobSpec seed = base;
  seed.seed = 2;
  EXPECT_EQ(CellKey(seed), CellKey(base));
  EXPECT_NE(JobKey(seed), JobKey(base));
  JobSpec ranked_otherwise = base;
  ranked_otherwise.objective = DefaultObjective(Metric::kTestLoss);
  ranked_otherwise.dataset_digest = std::string(64, '0');
  EXPECT_EQ(JobKey(ranked_otherwise), JobKey(base));
  JobSpec other = base;
  other.training.batch_size = 64;
  EXPECT_NE(CellKey(other), CellKey(base));
  other = base;
  other.model.params["batch_norm"] = false;
  EXPECT_NE(CellKey(other), CellKey(base));
}

TEST(JobSpec, PrefixKeysLeaveOutTheSchedulerAndNothingElse) {
  const JobSpec base = Read(Minimal());
  Json stepped = Minimal();
  stepped["scheduler"] = {{"name", "step"}};
  EXPECT_EQ(PrefixKey(Read(stepped)), PrefixKey(base));
  JobSpec other = base;
  other.seed = 2;
  EXPECT_NE(PrefixKey(other), PrefixKey(base));
  other = base;
  other.optimizer.params["lr"] = 0.5;
  EXPECT_NE(PrefixKey(other), PrefixKey(base));
}

TEST(JobSpec, LabelsFollowTheAxes) {
  Json json = Minimal();
  json["regularization"] = Json::parse(R"([{"name":"dropout"},{"name":"l2"}])");
  json["optimizer"]["params"] = {{"lr", 0.01}};
  EXPECT_THAT(AxisLabels(catalog, Read(json)),
              ElementsAre("mlp", "relu", "adam(lr=0.01)", "l2(0.0001)+dropout(0.3)", "none"));
  EXPECT_EQ(RegularizationLabel(catalog, {}), "none");
}

}  // namespace
}  // namespace gridsweep
