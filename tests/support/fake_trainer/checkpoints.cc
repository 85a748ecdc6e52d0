#include "tests/support/fake_trainer/checkpoints.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "common/base/sha256.h"
#include "common/data/safetensors.h"

namespace gridsweep {
namespace {

constexpr char kFormat[] = "fake checkpoint";

std::string FileOf(const std::string& folder, const std::string& sha256) {
  return fmt::format("{}/{}.safetensors", folder, sha256);
}

WrittenFile Write(const std::string& folder, std::map<std::string, std::string> metadata) {
  const std::string weights(4096, 'w');
  SafeTensors content{.metadata = std::move(metadata), .tensors = {}};
  content.tensors["fc1.weight"] = {
      .dtype = "U8", .shape = {static_cast<int64_t>(weights.size())}, .bytes = weights};
  const std::string file = WriteSafeTensors(content);
  WrittenFile written{Sha256Hex(file), static_cast<int64_t>(file.size())};
  const std::string temporary = fmt::format("{}/fake-{}.part", folder, getpid());
  const int fd = open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, file.data(), file.size()) != static_cast<ssize_t>(file.size()) || fsync(fd) != 0 ||
      rename(temporary.c_str(), FileOf(folder, written.sha256).c_str()) != 0)
    std::cerr << "fake trainer cannot write to " << folder << "\n";
  close(fd);
  return written;
}

// What the file says, if it is a checkpoint.
absl::StatusOr<std::map<std::string, std::string>> Read(const std::string& folder,
                                                        const std::string& sha256) {
  std::ifstream in(FileOf(folder, sha256), std::ios::binary);
  if (!in) return NotFound("there is no such file");
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  if (Sha256Hex(file) != sha256) return DataLoss("the file is damaged");
  GS_ASSIGN_OR_RETURN(SafeTensors content, ParseSafeTensors(file));
  if (content.metadata["format"] != kFormat) return InvalidArgument("the file is no checkpoint");
  return std::move(content.metadata);
}

}  // namespace

WrittenFile WriteCheckpoint(const std::string& folder, const RunningJob& running, int64_t epoch) {
  std::map<std::string, std::string> metadata = Progress(running);
  metadata["format"] = kFormat;
  metadata["epoch"] = std::to_string(epoch);
  return Write(folder, std::move(metadata));
}

WrittenFile WriteModel(const std::string& folder, const RunningJob& running, int64_t epoch) {
  return Write(folder,
               {{"format", "fake model"}, {"job", running.job.dump()}, {"epoch", std::to_string(epoch)}});
}

absl::StatusOr<std::vector<Json>> GoOn(const std::string& folder, const std::string& sha256, int64_t attempt,
                                       RunningJob& running) {
  GS_ASSIGN_OR_RETURN(auto metadata, Read(folder, sha256));
  return GoOnFrom(std::move(metadata), attempt, running);
}

}  // namespace gridsweep
