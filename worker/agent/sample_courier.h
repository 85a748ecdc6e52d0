// Brings the coordinator the test images that its trainers' predictions are about, once a data set, so that reports can show
// them. On a thread of its own; nothing waits for it, and it gives up quietly.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/task_thread.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"
#include "worker/agent/trainer_events.h"

namespace gridsweep::agent {

class SampleCourier {
 public:
  SampleCourier(const std::shared_ptr<grpc::Channel>& channel, std::vector<std::string> data_dirs);

  // Called by one thread with every event of the trainers. With the first result on a data set the images are offered.
  void OnTrainerEvent(const TrainerEvent& event);

 private:
  struct Sample {
    std::string dataset;
    std::string digest;
    std::vector<int64_t> images;
  };
  void Offer(const Sample& sample);

  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  const std::vector<std::string> data_dirs_;
  // Used by the calling thread alone.
  std::map<int64_t, DatasetInfo> running_;  // by attempt
  std::set<std::string> offered_;           // digests
  TaskThread thread_;                       // last: its tasks use the rest
};

}  // namespace gridsweep::agent
