// Going on from a checkpoint is, bit for bit, not having been interrupted; from anything else it is from scratch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/base/sha256.h"
#include "common/data/safetensors.h"
#include "tests/integration/trainer/tiny_dataset.h"
#include "tests/integration/trainer/trainer_process.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Events = std::vector<Json>;

class CheckpointResumeTest : public ::testing::Test {
 protected:
  std::unique_ptr<TrainerProcess> Start(std::vector<std::string> flags = {}) {
    std::vector<std::string> args = {"--data-dir", data_.path()};
    args.insert(args.end(), flags.begin(), flags.end());
    auto trainer = std::make_unique<TrainerProcess>(std::move(args));
    EXPECT_EQ(trainer->Next()["type"], "hello");
    return trainer;
  }
  std::unique_ptr<TrainerProcess> StartWithCheckpoints(const std::string& kernels = "tuned") {
    return Start({"--checkpoints", folder_.path(), "--checkpoint-interval", "0", "--kernels", kernels});
  }

  // Uses every source of randomness.
  static Json Job(const Json& model, const Json& optimizer = ComponentJson("adam"),
                  const Json& scheduler = ComponentJson("none")) {
    Json job = TinyJob();
    job["model"] = model;
    job["optimizer"] = optimizer;
    job["scheduler"] = scheduler;
    job["regularization"] = Json::array({ComponentJson("dropout"), ComponentJson("l1")});
    job["training"]["epochs"] = 5;
    return job;
  }
  static Json Job(const char* model) { return Job(ComponentJson(model)); }

  // Everything but the clock, the attempt's number and what tells an interrupted training from another. Models are in it,
  // by their hash.
  static std::string Numbers(const Events& events) {
    std::string text;
    for (Json event : events) {
      if (event["type"] == "checkpoint" || event["type"] == "checkpoint_unusable") continue;
      for (const char* key : {"seconds", "samples_per_second", "attempt", "shared_by", "resumed_epoch"})
        event.erase(key);
      text += event.dump() + "\n";
    }
    return text;
  }

  static Events OfType(const Events& events, const char* type) {
    Events found;
    for (const Json& event : events) {
      if (event["type"] == type) found.push_back(event);
    }
    return found;
  }

  // By epoch.
  static std::map<int64_t, std::string> Checkpoints(const Events& events) {
    std::map<int64_t, std::string> checkpoints;
    for (const Json& event : OfType(events, "checkpoint")) checkpoints[event["epoch"]] = event["checkpoint"];
    return checkpoints;
  }

  static std::vector<std::string> Types(const Events& events) {
    std::vector<std::string> types;
    for (const Json& event : events) types.push_back(event["type"]);
    return types;
  }

  Events Run(TrainerProcess& trainer, const Json& job, const std::vector<std::string>& resume = {}) {
    trainer.SendRun(++attempt_, job, resume);
    return trainer.Finish(attempt_);
  }

  std::string PathOf(const std::string& sha256) const { return folder_ / sha256 + ".safetensors"; }

  // A file in the folder that does hash to its name.
  std::string Plant(const std::string& bytes) const {
    WriteFile(PathOf(Sha256Hex(bytes)), bytes);
    return Sha256Hex(bytes);
  }

  const TinyDataset data_;
  const TempDir folder_;
  int64_t attempt_ = 0;
};

TEST_F(CheckpointResumeTest, FromEveryEpochOfEveryOptimizerWithAnyKernels) {
  const std::vector<Json> optimizers = {ComponentJson("adam"), ComponentJson("sgd"),
                                        ComponentJson("rmsprop", {{"momentum", 0.5}}),
                                        ComponentJson("adagrad"), ComponentJson("sgd", {{"momentum", 0.0}})};
  const std::vector<Json> schedulers = {ComponentJson("plateau", {{"patience", 0}, {"threshold", 1.0}}),
                                        ComponentJson("step", {{"step_size", 2}}), ComponentJson("cosine"),
                                        ComponentJson("exponential"), ComponentJson("none")};
  for (const char* kernels : {"tuned", "plain"}) {
    auto without = Start({"--kernels", kernels});
    auto with = StartWithCheckpoints(kernels);
    std::vector<std::pair<Json, Events>> straight;
    for (const Json& model :
         {ComponentJson("mlp", {{"hidden", {16, 8}}}), ComponentJson("cnn", {{"channels", {4, 6}}})}) {
      for (size_t i = 0; i < optimizers.size(); ++i) {
        Json job = Job(model, optimizers[i], schedulers[i]);
        // Once with a best epoch that lies behind: its model and measurement have to be carried along.
        if (i % 2 == 1) job["objective"] = {{"epoch", "best"}, {"goal", "max"}, {"metric", "train_loss"}};
        straight.emplace_back(job, Run(*with, job));
        const Events& events = straight.back().second;
        EXPECT_EQ(events.back()["outcome"], "succeeded") << events.back();
        EXPECT_EQ(Checkpoints(events).size(), 4U) << "after all epochs but the last";
        Events plain = Run(*without, job);
        EXPECT_THAT(Types(plain), Not(testing::Contains(testing::AnyOf("checkpoint", "model"))));
        plain.insert(plain.end() - 1, OfType(events, "model").at(0));
        EXPECT_EQ(Numbers(plain), Numbers(events)) << "a checkpoint changed a number: " << job;
      }
    }
    with = StartWithCheckpoints(kernels);  // nothing in its memory
    for (const auto& [job, expected] : straight) {
      for (const auto& [epoch, sha256] : Checkpoints(expected)) {
        const Events events = Run(*with, job, {sha256});
        EXPECT_EQ(events[0]["resumed_epoch"], epoch);
        EXPECT_EQ(Numbers(events), Numbers(expected)) << kernels << ", after epoch " << epoch << ": " << job;
        const Events epochs = OfType(events, "epoch"), old = OfType(expected, "epoch");
        for (size_t i = 0; i < epochs.size(); ++i) {
          EXPECT_EQ(epochs[i]["seconds"] == old[i]["seconds"], i < static_cast<size_t>(epoch))
              << "told, not trained again";
        }
      }
    }
  }
}

TEST_F(CheckpointResumeTest, KilledAgainAndAgain) {
  for (const char* model : {"mlp", "cnn"}) {
    const Json job = Job(model);
    auto trainer = StartWithCheckpoints();
    const Events expected = Run(*trainer, job);
    std::vector<std::string> resume;
    for (int64_t epoch = 1; epoch <= 3; ++epoch) {
      trainer = StartWithCheckpoints();
      trainer->SendRun(1, job, resume);
      Json event = trainer->Next();
      EXPECT_EQ(event.value("resumed_epoch", 0), epoch - 1);
      while (event["type"] != "checkpoint") event = trainer->Next();
      EXPECT_EQ(event["epoch"], epoch);
      EXPECT_EQ(event["bytes"], std::filesystem::file_size(PathOf(event["checkpoint"])));
      resume.insert(resume.begin(), event["checkpoint"].get<std::string>());
      trainer.reset();  // SIGKILL
    }
    trainer = StartWithCheckpoints();
    EXPECT_EQ(Numbers(Run(*trainer, job, resume)), Numbers(expected));
    trainer.reset();
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().extension() == ".safetensors") {
        EXPECT_EQ(entry.path().stem(), Sha256Hex(ReadFile(entry.path())));
      }
    }
  }
}

TEST_F(CheckpointResumeTest, JobsOfABundleGoOnFromDifferentCheckpoints) {
  const std::vector<Json> schedulers = {ComponentJson("none"),
                                        ComponentJson("step", {{"step_size", 2}}),
                                        ComponentJson("step", {{"step_size", 4}}),
                                        ComponentJson("plateau", {{"patience", 0}, {"threshold", 1.0}}),
                                        ComponentJson("cosine"),
                                        ComponentJson("step", {{"step_size", 2}, {"gamma", 0.1}})};
  for (const char* model : {"mlp", "cnn"}) {
    std::vector<Json> jobs;
    for (const Json& scheduler : schedulers)
      jobs.push_back(Job(ComponentJson(model), ComponentJson("adam"), scheduler));
    jobs[0]["objective"] = {{"epoch", "last"}, {"goal", "max"}, {"metric", "test_accuracy"}};
    jobs[1]["objective"] = {{"epoch", "best"}, {"goal", "max"}, {"metric", "train_loss"}};
    auto trainer = StartWithCheckpoints();
    std::vector<Events> expected;
    for (const Json& job : jobs) expected.push_back(Run(*trainer, job));
    trainer->SendBundle(101, jobs);
    std::vector<std::map<int64_t, std::string>> checkpoints;
    for (size_t i = 0; i < jobs.size(); ++i) {
      const Events events = trainer->Finish(101 + static_cast<int64_t>(i));
      EXPECT_EQ(Numbers(events), Numbers(expected[i])) << jobs[i];
      checkpoints.push_back(Checkpoints(events));
    }
    EXPECT_EQ(checkpoints[0][1], checkpoints[4][1]) << "one file for all of a group";
    EXPECT_EQ(checkpoints[0][3], checkpoints[2][3]);
    EXPECT_NE(checkpoints[0][3], checkpoints[1][3]);

    // Three groups at the same time: from scratch, from the checkpoint that all shared, and from their own.
    trainer = StartWithCheckpoints();
    trainer->SendBundle(201, jobs,
                        {{checkpoints[0][3]},
                         {checkpoints[1][2]},
                         {checkpoints[2][3]},
                         {},
                         {checkpoints[4][4]},
                         {checkpoints[1][2]}});
    std::vector<Events> resumed;
    for (size_t i = 0; i < jobs.size(); ++i) {
      resumed.push_back(trainer->Finish(201 + static_cast<int64_t>(i)));
      EXPECT_EQ(Numbers(resumed[i]), Numbers(expected[i])) << jobs[i];
    }
    EXPECT_EQ(resumed[0][0]["resumed_epoch"], 3);
    EXPECT_EQ(resumed[1][0]["resumed_epoch"], 2);
    EXPECT_FALSE(resumed[3][0].contains("resumed_epoch"));
    EXPECT_EQ(OfType(resumed[0], "epoch")[3]["shared_by"], 2) << "with the step at 4";
    EXPECT_EQ(OfType(resumed[0], "epoch")[4]["shared_by"], 1);
    EXPECT_EQ(OfType(resumed[1], "epoch")[2]["shared_by"], 1) << "one checkpoint, two learning rates";
    EXPECT_EQ(OfType(resumed[3], "epoch")[0]["shared_by"], 1);
  }
}

TEST_F(CheckpointResumeTest, WhatCannotBeUsedIsToldAndTheNextIsTried) {
  const Json job = Job("mlp");
  auto trainer = StartWithCheckpoints();
  const Events expected = Run(*trainer, job);
  auto checkpoints = Checkpoints(expected);
  Json other = job;
  other["seed"] = 2;
  const std::string foreign = Checkpoints(Run(*trainer, other))[3];
  other = job;
  other["scheduler"] = ComponentJson("step", {{"step_size", 1}});
  const std::string other_rates = Checkpoints(Run(*trainer, other))[3];
  auto plain = StartWithCheckpoints("plain");
  const std::string elsewhere = Checkpoints(Run(*plain, job))[3];
  const std::string good = ReadFile(PathOf(checkpoints[3]));
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 1;
  WriteFile(PathOf(checkpoints[3]), flipped);
  WriteFile(PathOf(checkpoints[4]), ReadFile(PathOf(checkpoints[4])).substr(0, 1000));
  Json best = job;
  best["objective"] = {
      {"epoch", "best"}, {"goal", "max"}, {"metric", "train_loss"}};  // its epoch 1 is in no file of others

  const std::vector<std::pair<std::string, std::string>> unusable = {
      {checkpoints[4], "damaged"},
      {checkpoints[3], "damaged"},
      {std::string(64, 'a'), "No such file"},
      {"../../etc/passwd", "64 hex"},
      {Plant(good.substr(0, good.size() / 2)), "cut off"},
      {Plant(""), "too few"},
      {Plant("\x80\x02}q"), "too few"},
      {Plant(good.substr(0, 8) + "{}" + good.substr(10)), "JSON"},
      {foreign, "another job"},
      {other_rates, "learning rate in epoch 2"},
      {elsewhere, "environment"},
      {OfType(expected, "model")[0]["artifact"], "format"}};
  std::vector<std::string> resume;
  for (const auto& [sha256, why] : unusable) resume.push_back(sha256);
  const auto expect_told = [&](const Events& events) {
    const Events told = OfType(events, "checkpoint_unusable");
    ASSERT_EQ(told.size(), unusable.size());
    for (size_t i = 0; i < told.size(); ++i) {
      EXPECT_EQ(told[i]["checkpoint"], unusable[i].first);
      EXPECT_THAT(told[i]["error"].get<std::string>(), HasSubstr(unusable[i].second));
      EXPECT_EQ(events[i + 1], told[i]) << "right after started";
    }
  };
  const Events scratch = Run(*trainer, job, resume);
  EXPECT_FALSE(scratch[0].contains("resumed_epoch"));
  EXPECT_EQ(Numbers(scratch), Numbers(expected));
  expect_told(scratch);

  resume.push_back(checkpoints[2]);
  resume.push_back(checkpoints[1]);  // not looked at
  const Events older = Run(*trainer, job, resume);
  EXPECT_EQ(older[0]["resumed_epoch"], 2);
  EXPECT_EQ(Numbers(older), Numbers(expected));
  expect_told(older);

  // Of the same training, written for another objective.
  if (OfType(expected, "model")[0]["epoch"] != 1) {
    const std::string last = Checkpoints(scratch)[4];
    const Events told = OfType(Run(*trainer, best, {last}), "checkpoint_unusable");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_THAT(told[0]["error"].get<std::string>(), HasSubstr("no model of epoch 1"));
  }
}

// Each hashes to its name and says that it is of this job: made by an enemy, or by a bug.
TEST_F(CheckpointResumeTest, AnInventedCheckpointIsRefused) {
  Json job = Job("mlp");
  job["objective"] = {{"epoch", "last"}, {"goal", "max"}, {"metric", "test_accuracy"}};
  auto trainer = StartWithCheckpoints();
  const Events expected = Run(*trainer, job);
  const std::string good = ReadFile(PathOf(Checkpoints(expected)[2]));
  const SafeTensors content = ParseSafeTensors(good).value();
  ASSERT_TRUE(content.tensors.contains("record.2.predicted"));
  const std::string garbage(1 << 20, '\x7f');
  const auto planted = [&](auto change) {
    SafeTensors invented = content;
    change(invented);
    return Plant(WriteSafeTensors(invented));
  };
  // Of the same size, filled with 0x7f.
  const auto filled = [&](const char* name) {
    return planted([&](SafeTensors& s) {
      s.tensors[name].bytes = std::string_view(garbage).substr(0, s.tensors[name].bytes.size());
    });
  };
  const auto emptied = [&](const char* name) {
    return planted([&](SafeTensors& s) { s.tensors[name].shape = {0}, s.tensors[name].bytes = {}; });
  };
  Json epochs = Json::parse(content.metadata.at("epochs"));
  for (int epoch = 3; epoch <= 5; ++epoch) {
    epochs.push_back(epochs.back());
    epochs.back()["epoch"] = epoch;
  }
  const std::vector<std::pair<std::string, std::string>> invented = {
      {filled("record.2.predicted"), "60 images of 4 classes"},
      {emptied("record.2.predicted"), "60 images of 4 classes"},
      {emptied("record.2.confidence"), "60 images of 4 classes"},
      {emptied("model.values"), "parameters"},
      {emptied("model.buffer.1"), "buffers"},
      {emptied("optimizer.0"), "optimizer"},
      {planted([](SafeTensors& s) { s.tensors.erase("optimizer.1"); }), "optimizer"},
      {filled("generator.dropout"), "generator"},
      {filled("generator.shuffle"), "generator"},
      {emptied("generator.shuffle"), "generator"},
      {planted([&](SafeTensors& s) { s.metadata["epochs"] = epochs.dump(), s.metadata["epoch"] = "5"; }), ""},
      {planted([](SafeTensors& s) { s.metadata["epochs"] = "[]"; }), "epochs"}};
  std::vector<std::string> resume;
  for (const auto& [sha256, why] : invented) resume.push_back(sha256);
  const Events events = Run(*trainer, job, resume);
  EXPECT_EQ(Numbers(events), Numbers(expected));
  const Events told = OfType(events, "checkpoint_unusable");
  ASSERT_EQ(told.size(), invented.size());
  for (size_t i = 0; i < told.size(); ++i)
    EXPECT_THAT(told[i]["error"].get<std::string>(), HasSubstr(invented[i].second)) << i;
}

TEST_F(CheckpointResumeTest, WithoutAFolderNothingIsWrittenOrRead) {
  auto trainer = Start();
  const Events events = Run(*trainer, Job("mlp"), {std::string(64, 'a')});
  EXPECT_THAT(Types(events), ElementsAre("started", "epoch", "epoch", "epoch", "epoch", "epoch", "finished"));
  EXPECT_FALSE(events[0].contains("resumed_epoch"));
}

TEST_F(CheckpointResumeTest, TheIntervalIsKept) {
  auto trainer = Start({"--checkpoints", folder_.path(), "--checkpoint-interval", "100000"});
  EXPECT_THAT(Types(Run(*trainer, Job("mlp"))),
              ElementsAre("started", "epoch", "epoch", "epoch", "epoch", "epoch", "model", "finished"));
}

TEST_F(CheckpointResumeTest, AFolderThatIsGoneCostsNoJob) {
  auto without = Start();
  const std::string expected = Numbers(Run(*without, Job("mlp")));
  auto trainer = StartWithCheckpoints();
  std::filesystem::remove_all(folder_.path());
  EXPECT_EQ(Numbers(Run(*trainer, Job("mlp"))), expected);
  trainer->CloseInput();
  const ProgramResult result = trainer->Wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, testing::AllOf(HasSubstr("WARNING: attempt 2: no checkpoint"),
                                         HasSubstr("its model is not kept")));
}

TEST_F(CheckpointResumeTest, TheFolderIsCheckedAtStart) {
  const ProgramResult result = RunTrainer({"--checkpoints", data_.Write("file", "")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("is no folder"));
  EXPECT_EQ(RunTrainer({"--checkpoint-interval", "-1"}).exit_code, 2);
}

}  // namespace
}  // namespace gridsweep
