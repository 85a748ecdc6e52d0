// A worker's folder of files, and what carries them to the coordinator and back, one at a time.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/sim_network.h"
#include "tests/simulation/sim_random.h"
#include "worker/agent/transfers.h"

namespace gridsweep {

// How files go over the simulated network: what Sync is not begins with one of these.
inline constexpr char kPutTag = 'P';  // then 8 hex digits, that many bytes of header, the file
inline constexpr char kGetTag = 'G';  // then the SHA-256
inline constexpr size_t kPutDigits = 8;

// As the real client does it. The folder outlives processes, tasks do not. Not thread-safe; nothing passed in is owned.
class SimTransfers {
 public:
  using Done = std::function<void(const absl::Status&)>;
  // Runs something when the process can: later if it is frozen, never if it has ended.
  using Deliver = std::function<void(std::function<void()>)>;

  SimTransfers(std::string worker, EventQueue* events, SimRandom* random, SimNetwork* network)
      : worker_(std::move(worker)), events_(events), random_(random), network_(network) {}

  // A new process: of the last one only the folder is left.
  void Begin(std::string session, Deliver deliver);

  void Upload(const agent::UploadArtifact& upload, Done done);
  void Fetch(const std::string& sha256, Done done);
  void Drop(const std::string& sha256);

  // By the trainer: returns the name.
  std::string Write(const std::string& content);
  // NOT_FOUND, or DATA_LOSS for a file that was damaged.
  absl::StatusOr<std::string> Read(const std::string& sha256) const;
  bool Has(const std::string& sha256) const { return files_.contains(sha256); }

  // Faults: the folder is lost, as on a new machine; or files are damaged.
  void LoseFolder() { files_.clear(); }
  void DamageFiles();

 private:
  void Add(std::function<void()> task);
  void Next();
  void Finish(const Done& done, const absl::Status& status);
  void Download(const std::string& sha256, absl::Duration deadline, const Done& done);

  const std::string worker_;
  EventQueue* const events_;
  SimRandom* const random_;
  SimNetwork* const network_;

  std::string session_;
  Deliver deliver_;
  std::deque<std::function<void()>> tasks_;
  bool busy_ = false;
  std::map<std::string, std::string> files_;
};

}  // namespace gridsweep
