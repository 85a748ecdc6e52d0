#include "coordinator/queue/cost_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gridsweep {
namespace {

TEST(CostModel, IsUnknownUntilAnEpochWasTrained) {
  CostModel costs;
  EXPECT_FALSE(costs.EpochSeconds("mlp").has_value());
  costs.Add("mlp", "cpu", 2, 1);
  EXPECT_EQ(costs.EpochSeconds("mlp"), 2);
  EXPECT_FALSE(costs.EpochSeconds("cnn").has_value());
}

TEST(CostModel, IsAMeanThatFollowsTheNewest) {
  CostModel costs;
  costs.Add("mlp", "cpu", 2, 1);
  costs.Add("mlp", "cpu", 4, 1);
  EXPECT_EQ(costs.EpochSeconds("mlp"), 3);
  for (int i = 0; i < 200; ++i) costs.Add("mlp", "cpu", 10, 1);
  EXPECT_NEAR(*costs.EpochSeconds("mlp"), 10, 0.05);
  CostModel loaded;
  loaded.Add("mlp", "cpu", 5, 1'000'000);
  loaded.Add("mlp", "cpu", 37, 1);
  EXPECT_EQ(loaded.EpochSeconds("mlp"), 6) << "many old epochs do not outweigh the new ones for ever";
}

TEST(CostModel, TellsDevicesApartAndFallsBackToTheirMean) {
  CostModel costs;
  costs.Add("cnn", "cpu", 9, 1);
  costs.Add("cnn", "cuda:0", 1, 3);
  EXPECT_EQ(costs.EpochSeconds("cnn", "cpu"), 9);
  EXPECT_EQ(costs.EpochSeconds("cnn", "cuda:5"), 1);
  EXPECT_EQ(costs.EpochSeconds("cnn"), 3);
  EXPECT_EQ(costs.EpochSeconds("cnn", "tpu"), 3);
}

TEST(CostModel, LeavesNonsenseOut) {
  CostModel costs;
  costs.Add("mlp", "cpu", std::nan(""), 1);
  costs.Add("mlp", "cpu", -1, 1);
  costs.Add("mlp", "cpu", std::numeric_limits<double>::infinity(), 1);
  costs.Add("mlp", "cpu", 1, 0);
  EXPECT_FALSE(costs.EpochSeconds("mlp").has_value());
}

}  // namespace
}  // namespace gridsweep
