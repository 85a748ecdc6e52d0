// Carries the trainers' files to the coordinator and back, one at a time, on a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"
#include "worker/agent/checkpoint_folder.h"
#include "worker/agent/transfers.h"

namespace gridsweep::agent {

// Thread-safe. What is asked for is done in order.
class ArtifactClient {
 public:
  static constexpr absl::Duration kDeadline = absl::Minutes(2);  // of one transfer
  using Done =
      std::function<void(const absl::Status&)>;  // called once, on the thread; not after the destructor

  ArtifactClient(const std::shared_ptr<grpc::Channel>& channel, CheckpointFolder folder, std::string worker,
                 std::string session);
  // Cuts off the transfer under way and forgets the rest.
  ~ArtifactClient();
  ArtifactClient(const ArtifactClient&) = delete;
  ArtifactClient& operator=(const ArtifactClient&) = delete;

  // OK also if the coordinator does not want it.
  void Upload(const UploadArtifact& upload, Done done);
  // OK once the file is in the folder, whole. Waits for a coordinator that is away, within the deadline.
  void Fetch(const std::string& sha256, Done done);
  void Drop(const std::string& sha256);
  // As CheckpointFolder::Prune.
  void Prune(const std::set<std::string>& needed);

 private:
  void Post(std::function<void()> task);
  void Run();
  absl::Status DoUpload(const UploadArtifact& upload);
  absl::Status DoFetch(const std::string& sha256);
  absl::Status Download(const std::string& sha256);
  // Makes `context` the one that the destructor cancels, until the next; false if that has begun.
  bool Register(grpc::ClientContext* context);

  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  const CheckpointFolder folder_;
  const std::string worker_, session_;

  std::mutex mu_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mu_
  bool stopping_ = false;                    // guarded by mu_
  grpc::ClientContext* call_ = nullptr;      // guarded by mu_; null when nothing is under way
  std::thread thread_;
};

}  // namespace gridsweep::agent
