#include "worker/trainer/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/trainer/job_documents.h"
#include "worker/trainer/seeding.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const ImageShape kShape{6, 6, 4};

EpochMetrics Metrics(int64_t epoch) {
  EpochMetrics metrics;
  metrics.epoch = epoch;
  metrics.train_loss = 1.0 / static_cast<double>(epoch);
  metrics.test_loss = 0.5;
  metrics.test_accuracy = 0.75;
  metrics.val_loss = 0.25;
  metrics.lr = 0.1;
  return metrics;
}

// A training in its second epoch, of which the first is the best.
class CheckpointTest : public ::testing::Test {
 protected:
  static Json Job() {
    Json json = JobJson();
    json["regularization"] = Json::array({ComponentJson("dropout")});
    return json;
  }

  CheckpointTest() {
    Train();
    const Measurement test{0.5, 0.75, at::arange(4, at::kLong), at::linspace(0, 1, 4)};
    const auto best = std::make_shared<const EpochRecord>(EpochRecord{1, test, session_.SaveModel()});
    Train();
    const auto last = std::make_shared<const EpochRecord>(EpochRecord{2, test, session_.SaveModel()});
    checkpoint_ = {{session_.Save(), shuffle_.get_state()}, {Metrics(1), Metrics(2)}, {{1, best}, {2, last}}};
  }

  void Train() {
    for (int i = 0; i < 3; ++i)
      session_.Step(at::rand({8, 1, 6, 6}), at::arange(8, at::kLong).remainder(4), 0.1);
  }

  const Registry registry_ = MakeRegistry();
  TrainingSession session_{ResolvedJob(Job(), registry_), registry_, kShape, at::kCPU, Kernels::kTuned};
  at::Generator shuffle_ = MakeGenerator(1, kShufflePurpose, at::kCPU);
  const CheckpointIdentity identity_ =
      CheckpointIdentity::Of(ResolvedJob(Job(), registry_), std::string(64, 'd'), "here");
  Checkpoint checkpoint_;
};

void ExpectEqual(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << i;
}

void ExpectEqual(const ModelState& a, const ModelState& b) {
  EXPECT_TRUE(a.values.equal(b.values));
  ExpectEqual(a.buffers, b.buffers);
}

TEST_F(CheckpointTest, ReadsBackBitForBit) {
  ASSERT_OK_AND_ASSIGN(const std::string file, WriteCheckpoint(checkpoint_, identity_));
  ASSERT_OK_AND_ASSIGN(const Checkpoint read, ReadCheckpoint(file, identity_));
  const SessionState &session = read.state.session, &expected = checkpoint_.state.session;
  EXPECT_THAT(session_.Check(session), IsOk());
  ExpectEqual(session.model, expected.model);
  ExpectEqual(session.optimizer.buffers, expected.optimizer.buffers);
  EXPECT_EQ(session.optimizer.steps, 6);
  EXPECT_TRUE(session.dropout.equal(expected.dropout));
  EXPECT_TRUE(read.state.shuffle.equal(checkpoint_.state.shuffle));
  EXPECT_EQ(read.epochs, checkpoint_.epochs);
  ASSERT_EQ(read.records.size(), 2U);
  for (const auto& [epoch, record] : checkpoint_.records) {
    const EpochRecord& other = *read.records.at(epoch);
    EXPECT_EQ(other.epoch, epoch);
    EXPECT_EQ(other.test.loss, record->test.loss);
    EXPECT_EQ(other.test.accuracy, record->test.accuracy);
    ExpectEqual({other.test.predicted, other.test.confidence},
                {record->test.predicted, record->test.confidence});
    ExpectEqual(other.model, record->model);
  }
  EXPECT_FALSE(read.records.at(1)->model.values.equal(read.records.at(2)->model.values));
}

TEST_F(CheckpointTest, AnotherJobSchedulerAndObjectiveApartIsRefused) {
  ASSERT_OK_AND_ASSIGN(const std::string file, WriteCheckpoint(checkpoint_, identity_));
  const auto read_as = [&](const Json& job, const char* environment = "here", char digest = 'd') {
    return ReadCheckpoint(
        file, CheckpointIdentity::Of(ResolvedJob(job, registry_), std::string(64, digest), environment));
  };
  Json job = Job();
  job["scheduler"] = ComponentJson("cosine");
  job["objective"]["metric"] = "train_loss";
  EXPECT_THAT(read_as(job), IsOk());
  job = Job();
  job["seed"] = 2;
  EXPECT_THAT(read_as(job), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another job")));
  job = Job();
  job["training"]["epochs"] = 3;
  EXPECT_THAT(read_as(job), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another job")));
  EXPECT_THAT(read_as(Job(), "here", 'e'),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another job")));
  EXPECT_THAT(read_as(Job(), "there"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("environment is 'here', not 'there'")));
  CheckpointIdentity other = identity_;
  other.version = "99";
  EXPECT_THAT(ReadCheckpoint(file, other), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("version")));
}

TEST_F(CheckpointTest, AnythingElseIsRefused) {
  ASSERT_OK_AND_ASSIGN(const std::string file, WriteCheckpoint(checkpoint_, identity_));
  ASSERT_OK_AND_ASSIGN(const SafeTensors content, ParseSafeTensors(file));
  const auto error = [&](auto change) {
    SafeTensors broken = content;
    change(broken);
    return ReadCheckpoint(WriteSafeTensors(broken), identity_).status();
  };
  for (const auto& [key, value] : content.metadata) {
    EXPECT_THAT(error([&](SafeTensors& s) { s.metadata.erase(key); }),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr(key)));
  }
  for (const auto& [key, value] : content.metadata) {
    for (const char* text : {"", "-1", "7x", "[]", "{}", "null", "[{}]", "99999999999999999999"})
      EXPECT_FALSE(error([&](SafeTensors& s) { s.metadata[key] = text; }).ok()) << key << " " << text;
  }
  for (const auto& [name, tensor] : content.tensors) {
    const absl::Status status = error([&](SafeTensors& s) {
      s.tensors[name].dtype = "F64", s.tensors[name].shape = {0}, s.tensors[name].bytes = {};
    });
    EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument, HasSubstr(name)));
  }
  EXPECT_THAT(error([&](SafeTensors& s) {
                s.tensors["model.values"].shape = {int64_t{1} << 62, 0}, s.tensors["model.values"].bytes = {};
              }),
              Not(IsOk()));
  EXPECT_THAT(error([](SafeTensors& s) {
                s.tensors["more"] = {"U8", {1}, "x"};
              }),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("'more'")));
  EXPECT_THAT(error([](SafeTensors& s) { s.metadata["epoch"] = "1"; }),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("2 epochs")));
  for (const char* required :
       {"model.values", "generator.dropout", "generator.shuffle", "record.1.values", "record.2.confidence"})
    EXPECT_THAT(error([&](SafeTensors& s) { s.tensors.erase(required); }), Not(IsOk())) << required;
}

// A file that hashes to its name can still have been made by an enemy or by a bug.
TEST_F(CheckpointTest, NoFileBreaksTheReaderOrTheSession) {
  ASSERT_OK_AND_ASSIGN(const std::string file, WriteCheckpoint(checkpoint_, identity_));
  int usable = 0;
  for (size_t i = 0; i < file.size(); i += i < 3000 ? 1 : 37) {
    EXPECT_FALSE(ReadCheckpoint(std::string_view(file).substr(0, i), identity_).ok()) << i;
    std::string broken = file;
    broken[i] = static_cast<char>(broken[i] ^ 0x41);
    const auto read = ReadCheckpoint(broken, identity_);
    if (read.ok() && session_.Check(read->state.session).ok()) ++usable;
  }
  EXPECT_GT(usable, 0) << "a changed weight shows in the hash alone";
}

TEST_F(CheckpointTest, StateOfAnotherModelOrGeneratorDoesNotFit) {
  const auto error = [&](auto change) {
    SessionState state = session_.Save();
    change(state);
    return session_.Check(state);
  };
  EXPECT_THAT(session_.Check(session_.Save()), IsOk());
  EXPECT_THAT(error([](SessionState& s) { s.model.values = at::zeros({3}); }), Not(IsOk()));
  EXPECT_THAT(error([](SessionState& s) { s.model.values = s.model.values.to(at::kDouble); }), Not(IsOk()));
  EXPECT_THAT(error([](SessionState& s) { s.model.buffers.pop_back(); }),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("buffers")));
  EXPECT_THAT(error([](SessionState& s) { s.optimizer.buffers.clear(); }),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("optimizer")));
  EXPECT_THAT(error([](SessionState& s) { s.dropout = at::zeros({4}, at::kByte); }),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("generator")));
  EXPECT_THAT(error([](SessionState& s) { s.dropout.fill_(255); }),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("generator")));
}

TEST_F(CheckpointTest, ModelsAreNamedAsInPyTorch) {
  const auto names_of = [&](const Json& model) {
    Json job = Job();
    job["model"] = model;
    TrainingSession session(ResolvedJob(job, registry_), registry_, kShape, at::kCPU, Kernels::kTuned);
    const auto named = session.Named(session.SaveModel());
    std::vector<std::string> names;
    size_t found = 0;
    for (const auto& [name, tensor] : named) {
      names.push_back(fmt::format("{}[{}]", name, fmt::join(tensor.sizes().vec(), ",")));
      for (const at::Tensor& parameter : session.parameters())
        found += parameter.sizes() == tensor.sizes() && parameter.equal(tensor);
    }
    EXPECT_GE(found, session.parameters().size());
    return names;
  };
  EXPECT_THAT(names_of(ComponentJson("mlp", {{"hidden", {8}}})),
              ElementsAre("bn1.bias[8]", "bn1.running_mean[8]", "bn1.running_var[8]", "bn1.weight[8]",
                          "fc1.bias[8]", "fc1.weight[8,36]", "fc2.bias[4]", "fc2.weight[4,8]"));
  EXPECT_THAT(names_of(ComponentJson("cnn", {{"channels", {2, 3}}, {"hidden", 5}, {"batch_norm", false}})),
              ElementsAre("conv1.bias[2]", "conv1.weight[2,1,3,3]", "conv2.bias[3]", "conv2.weight[3,2,3,3]",
                          "fc1.bias[5]", "fc1.weight[5,3]", "fc2.bias[4]", "fc2.weight[4,5]"));
}

}  // namespace
}  // namespace gridsweep
