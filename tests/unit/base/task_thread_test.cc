#include "common/base/task_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace gridsweep {
namespace {

using testing::ElementsAre;

TEST(TaskThread, StopFinishesWhatWasPostedInItsOrder) {
  std::vector<int> order;  // of the thread alone until it has ended
  std::promise<void> gate;
  TaskThread thread;
  thread.Post([&] { gate.get_future().wait(); });
  for (const int number : {1, 2, 3}) thread.Post([&order, number] { order.push_back(number); });
  gate.set_value();
  thread.Stop();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(TaskThread, DoesItsChoreAtTheStartAndAgain) {
  std::promise<void> third;
  int times = 0;
  TaskThread thread(absl::Milliseconds(1), [&] {
    if (++times == 3) third.set_value();
  });
  third.get_future().wait();
}

}  // namespace
}  // namespace gridsweep
