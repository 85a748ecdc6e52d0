#include "common/schedule/shared_epochs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace gridsweep {
namespace {

using ::testing::ElementsAre;

constexpr double kLr = 0.1;

Component Make(const std::string& name, const std::map<std::string, ParamValue>& params = {}) {
  return Catalog::Builtin().Resolve(Axis::kScheduler, name, params).value();
}

EpochBounds Exactly(int64_t epochs) {
  return {epochs, epochs};
}

TEST(AddedEpochs, AJobAloneTrainsAllOfThem) {
  EXPECT_THAT(AddedEpochs({Make("cosine")}, kLr, 7), ElementsAre(Exactly(7)));
  EXPECT_THAT(AddedEpochs({Make("plateau")}, kLr, 7), ElementsAre(Exactly(7)));
}

TEST(AddedEpochs, AreThoseAfterTheRatesPart) {
  // Steps of 3 part from a constant rate with epoch 4, and from one another when the shorter has its second step.
  EXPECT_THAT(
      AddedEpochs({Make("none"), Make("step", {{"step_size", int64_t{3}}}), Make("exponential")}, kLr, 10),
      ElementsAre(Exactly(10), Exactly(7), Exactly(9)));
  EXPECT_THAT(
      AddedEpochs({Make("step", {{"step_size", int64_t{2}}}), Make("step", {{"step_size", int64_t{4}}})}, kLr,
                  10),
      ElementsAre(Exactly(10), Exactly(8)));
}

TEST(AddedEpochs, OfSchedulesThatNeverPartAreNone) {
  EXPECT_THAT(AddedEpochs({Make("none"), Make("step", {{"step_size", int64_t{10}}}),
                           Make("exponential", {{"gamma", 1.0}})},
                          kLr, 10),
              ElementsAre(Exactly(10), Exactly(0), Exactly(0)));
}

TEST(AddedEpochs, OfAPlateauLieBetweenNeverAndAsSoonAsItCan) {
  const Component plateau = Make("plateau", {{"patience", int64_t{1}}});  // earliest after 3 epochs
  EXPECT_THAT(AddedEpochs({Make("none"), plateau}, kLr, 10), ElementsAre(Exactly(10), EpochBounds{0, 7}));
  EXPECT_THAT(AddedEpochs({Make("none"), plateau}, kLr, 3), ElementsAre(Exactly(10 - 7), Exactly(0)));
  // Whichever comes first: with the exponential they have one epoch in common at most.
  EXPECT_THAT(AddedEpochs({plateau, Make("exponential")}, kLr, 10), ElementsAre(Exactly(10), Exactly(9)));
  const Component eager = Make("plateau", {{"patience", int64_t{0}}});
  const std::vector<EpochBounds> both = AddedEpochs({plateau, eager}, kLr, 10);
  EXPECT_EQ(both[0].at_least + both[1].at_least, 10);
  EXPECT_EQ(both[0].at_most + both[1].at_most, 18);
}

TEST(AddedEpochs, APlateauThatCannotFallIsExact) {
  EXPECT_THAT(AddedEpochs({Make("none"), Make("plateau", {{"min_lr", 0.1}})}, kLr, 50),
              ElementsAre(Exactly(50), Exactly(0)));
}

TEST(AddedEpochs, BundlesAreLimited) {
  std::vector<Component> schedulers;
  for (int64_t size = 0; size < 40; ++size) schedulers.push_back(Make("step", {{"step_size", 100 + size}}));
  int64_t sum = 0;
  for (const EpochBounds& bounds : AddedEpochs(schedulers, kLr, 10)) sum += bounds.at_most;
  EXPECT_EQ(sum, 20) << "32 jobs and 8";
}

}  // namespace
}  // namespace gridsweep
