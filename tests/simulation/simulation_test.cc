// The coordinator and its workers in virtual time, with every fault at once. A failing seed replays exactly:
//   simulate --seed N
#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

#include "common/base/log.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

#ifdef GRIDSWEEP_SIMULATION_SEEDS
constexpr uint64_t kSeeds = GRIDSWEEP_SIMULATION_SEEDS;
#else
constexpr uint64_t kSeeds = 200;
#endif

SimulationResult RunSeed(uint64_t seed) {
  const TempDir directory;
  return Simulate(seed, directory.path());
}

std::string Describe(const SimulationResult& result) {
  std::string text =
      "seed " + std::to_string(result.seed) + ", " + std::to_string(result.attempts) + " attempts";
  for (const std::string& violation : result.violations) text += "\n" + violation;
  return text + result.story;
}

class SimulationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ConfigureLog(LogLevel::kError, LogFormat::kText); }
};

TEST_F(SimulationTest, NothingIsLostTwiceOrWrongWhateverGoesWrong) {
  const SimulationResult calm = RunSeed(0);
  ASSERT_TRUE(calm.violations.empty()) << Describe(calm);
  ASSERT_EQ(calm.attempts, 24) << "one for each job";
  ASSERT_EQ(calm.models, 10) << "those of the best";
  int64_t faults = 0, resumes = 0, files = 0, forgeries = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulationResult result = RunSeed(seed);
    ASSERT_TRUE(result.violations.empty()) << Describe(result);
    ASSERT_EQ(result.ranking, calm.ranking) << Describe(result);
    faults += result.faults;
    resumes += result.resumes;
    files += result.files;
    forgeries += result.forgeries;
  }
  // Or it shows nothing.
  constexpr auto kRuns = static_cast<int64_t>(kSeeds);
  EXPECT_GE(faults, 10 * kRuns);
  EXPECT_GE(files, 30 * kRuns);
  EXPECT_GE(resumes, 3 * kRuns) << "checkpoints are stored and not used";
  EXPECT_GE(forgeries, 50 * kRuns);
}

TEST_F(SimulationTest, ASeedReplaysExactly) {
  for (const uint64_t seed : {3, 17}) {
    const SimulationResult once = RunSeed(seed), again = RunSeed(seed);
    EXPECT_EQ(once.story, again.story);
    EXPECT_EQ(once.attempts, again.attempts);
    EXPECT_EQ(once.resumes, again.resumes);
    EXPECT_EQ(once.files, again.files);
    EXPECT_EQ(once.forgeries, again.forgeries);
    EXPECT_EQ(once.virtual_seconds, again.virtual_seconds);
  }
}

}  // namespace
}  // namespace gridsweep
