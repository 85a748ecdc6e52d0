// The coordinator's files: its folder as it is, on a disk that fails, and the two transfers, cut into steps that a crash may come
// between.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "coordinator/artifacts/artifact_folder.h"
#include "coordinator/service/artifact_offer.h"
#include "coordinator/store/store_reader.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/fault_folder.h"
#include "tests/simulation/sim_network.h"
#include "tests/simulation/sim_random.h"
#include "tests/simulation/witness.h"

namespace gridsweep {

// Not thread-safe; nothing passed in is owned.
class SimArtifacts {
 public:
  using Reply = std::function<void(SimNetwork::Answer)>;
  // Has the store do something in the next batch. `done` is not called if the coordinator dies.
  using Operation = std::function<absl::Status(Store&, absl::Time now)>;
  using Post = std::function<void(Operation, std::function<void(const absl::Status&)> done)>;

  // `on_death`: a death that was asked for here has come. `limit`: bytes of all files.
  SimArtifacts(std::string path, int64_t limit, EventQueue* events, SimRandom* random, Witness* witness,
               Post post, std::function<void()> on_death);

  // With the coordinator: what lies in the folder must be what `reader` says, or more.
  absl::Status Start(StoreReader* reader);
  void Stop(bool power_loss);
  FaultFolder& disk() { return disk_; }
  // The coordinator is to die when the next file is in its place, before it is recorded.
  void DieBeforeRow() { die_before_row_ = true; }
  // No death that was asked for and has not come.
  void Live();
  // Of all transfers to the coordinator, how many are cut off under way.
  void set_cuts(double cuts) { cuts_ = cuts; }
  // Damages or removes a file that is referred to, if there is any: returns whether.
  bool Damage();

  void Put(const std::string& header, const std::string& data, const Reply& reply);
  void Get(const std::string& sha256, const Reply& reply);

  // Cuts off what is under way, collects, and objects to files without a row and rows without a file. REQUIRES: it runs.
  void CheckAtEnd();
  int64_t stored() const { return stored_; }

 private:
  // A file on its way in.
  struct Incoming {
    ArtifactOffer offer;
    std::string data;
    Reply reply;
    size_t sent = 0;
    std::unique_ptr<ArtifactFolder::Incoming> file;
    std::optional<ArtifactFolder::Pin> pin;
  };

  void Receive(uint64_t id);
  void Write(uint64_t id);
  void Complete(uint64_t id);
  void Record(uint64_t id);
  void End(uint64_t id, const absl::Status& status);
  // Runs `what` for the transfer after `delay`, if both live then.
  void Then(uint64_t id, absl::Duration delay, void (SimArtifacts::*what)(uint64_t));
  bool Died();
  void Collect();  // now and every now and then
  void Sweep();
  void CheckFiles(const char* when);
  int64_t Bytes() const;  // of all whole files

  const int64_t limit_;
  EventQueue* const events_;
  SimRandom* const random_;
  Witness* const witness_;
  const Post post_;
  const std::function<void()> on_death_;
  FaultFolder disk_;
  StoreReader* reader_ = nullptr;
  std::unique_ptr<ArtifactFolder> folder_;  // null while it does not run
  std::map<uint64_t, Incoming> incoming_;   // destroyed before the folder
  uint64_t next_ = 0;
  uint64_t life_ = 0;
  double cuts_ = 0;
  bool die_before_row_ = false;
  int64_t bound_ = 0;              // the limit, or what a loss of power has brought back
  std::set<std::string> damaged_;  // files that were, by faults of the disk
  int64_t stored_ = 0;
};

}  // namespace gridsweep
