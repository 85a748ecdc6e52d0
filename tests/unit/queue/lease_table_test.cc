#include "coordinator/queue/lease_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Lease Of(const std::string& worker) {
  Lease lease;
  lease.worker = worker;
  return lease;
}

TEST(LeaseTable, KnowsTheLeasesOfEachWorker) {
  LeaseTable table;
  table.Add(AttemptId{3}, Of("alice"));
  table.Add(AttemptId{1}, Of("alice"));
  table.Add(AttemptId{2}, Of("bob"));
  EXPECT_THAT(table.OfWorker("alice"), ElementsAre(AttemptId{1}, AttemptId{3}));
  EXPECT_EQ(table.Find(AttemptId{2})->worker, "bob");

  table.Erase(AttemptId{1});
  table.Erase(AttemptId{99});
  EXPECT_EQ(table.Find(AttemptId{1}), nullptr);
  EXPECT_THAT(table.OfWorker("alice"), ElementsAre(AttemptId{3}));
  table.Erase(AttemptId{3});
  EXPECT_THAT(table.OfWorker("alice"), IsEmpty());
  EXPECT_THAT(table.OfWorker("nobody"), IsEmpty());

  table.Clear();
  EXPECT_THAT(table.all(), IsEmpty());
  EXPECT_THAT(table.OfWorker("bob"), IsEmpty());
}

TEST(LeaseTable, ExtendsAllAtOnce) {
  LeaseTable table;
  table.Add(AttemptId{1}, Of("alice"));
  table.Add(AttemptId{2}, Of("bob"));
  table.ExtendAll(absl::Seconds(7));
  for (const auto& [attempt, lease] : table.all()) EXPECT_EQ(lease.expiry, absl::Seconds(7));
}

}  // namespace
}  // namespace gridsweep
