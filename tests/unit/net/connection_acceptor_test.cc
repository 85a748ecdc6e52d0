#include "coordinator/net/connection_acceptor.h"

#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>

#include "tests/support/raw_client.h"
#include "tests/support/status_matchers.h"
#include "tests/support/wait_until.h"

namespace gridsweep {
namespace {

// Keeps what it is given open until told otherwise.
class Taken {
 public:
  ~Taken() {
    while (CloseOne()) {
    }
  }
  void Take(int connection) {
    const std::lock_guard lock(mu_);
    open_.push_back(connection);
    ++taken_;
  }
  bool CloseOne() {
    const std::lock_guard lock(mu_);
    if (open_.empty()) return false;
    close(open_.front());
    open_.pop_front();
    return true;
  }
  int taken() const { return taken_; }
  testing::AssertionResult Reaches(int count) {
    return WaitUntil(
        fmt::format("{} connections", count), [&] { return taken_ >= count; },
        [&] { return fmt::format("{} were taken", taken_.load()); });
  }

 private:
  std::mutex mu_;
  std::list<int> open_;  // guarded by mu_
  std::atomic<int> taken_{0};
};

TEST(ConnectionAcceptor, TakesAboutTheMostAndTheNextWhenOneHasEnded) {
  constexpr int kMost = 3;
  constexpr int kSlack = 64;
  constexpr int kCrowd = kMost + kSlack + 5;
  std::list<RawClient> crowd;
  Taken taken;
  ListeningSockets sockets = ListeningSockets::Bind("127.0.0.1:0").value();
  const std::string address = fmt::format("127.0.0.1:{}", sockets.port());
  // They wait in the system's queue. Their own ends are files of this process, and open already when the acceptor counts.
  for (int i = 0; i < kCrowd; ++i) ASSERT_TRUE(crowd.emplace_back(address).connected());
  ConnectionAcceptor acceptor(std::move(sockets), kMost,
                              [&](int /*listener*/, int connection) { taken.Take(connection); });
  for (int i = kMost + kSlack; i < kCrowd; ++i) {
    ASSERT_TRUE(taken.Reaches(i));
    EXPECT_EQ(taken.taken(), i) << "before another has ended";
    ASSERT_TRUE(taken.CloseOne());
  }
  EXPECT_TRUE(taken.Reaches(kCrowd));
}

TEST(ConnectionAcceptor, StopClosesTheDoor) {
  ListeningSockets sockets = ListeningSockets::Bind("127.0.0.1:0").value();
  const std::string address = fmt::format("127.0.0.1:{}", sockets.port());
  Taken taken;
  ConnectionAcceptor acceptor(std::move(sockets), 100,
                              [&](int /*listener*/, int connection) { taken.Take(connection); });
  const RawClient before(address);
  ASSERT_TRUE(taken.Reaches(1));
  acceptor.Stop();
  EXPECT_FALSE(RawClient(address).connected());
}

}  // namespace
}  // namespace gridsweep
