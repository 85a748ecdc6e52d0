#include "cli/fetch/emnist.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>

#include "cli/fetch/zip_reader.h"
#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

// A file under a temporary name until Publish; gone if it is never published.
class PendingFile {
 public:
  explicit PendingFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {}
  PendingFile(PendingFile&& other) noexcept
      : path_(other.path_),
        temporary_(std::exchange(other.temporary_, "")),
        fd_(std::exchange(other.fd_, -1)) {}
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile() {
    if (fd_ >= 0) close(fd_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  absl::Status Open() {
    fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return fd_ >= 0 ? absl::OkStatus() : Error();
  }
  absl::Status Write(std::string_view data) {
    while (!data.empty()) {
      const ssize_t written = write(fd_, data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Error();
      data.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }
  absl::Status Close() {
    const bool synced = fsync(fd_) == 0;
    const bool closed = close(std::exchange(fd_, -1)) == 0;
    return synced && closed ? absl::OkStatus() : Error();
  }
  absl::Status Publish() {
    if (rename(temporary_.c_str(), path_.c_str()) != 0) return Error();
    temporary_.clear();
    return absl::OkStatus();
  }

 private:
  absl::Status Error() const { return ErrnoError(errno, fmt::format("cannot write '{}'", path_)); }

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
};

absl::Status CheckSplit(const std::string& split) {
  const std::vector<std::string> known(std::begin(kEmnistSplits), std::end(kEmnistSplits));
  if (std::find(known.begin(), known.end(), split) != known.end()) return absl::OkStatus();
  const std::string near = DidYouMean(split, known);
  return InvalidArgument("EMNIST has no split '{}'{}; the splits are {}, or all", split,
                         near.empty() ? "" : fmt::format(", did you mean '{}'", near),
                         fmt::join(known, ", "));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandEmnistSplits(const std::vector<std::string>& splits) {
  std::vector<std::string> expanded;
  const auto add = [&](const std::string& split) {
    if (std::find(expanded.begin(), expanded.end(), split) == expanded.end()) expanded.push_back(split);
  };
  for (const std::string& split : splits) {
    if (split == "all") {
      for (const char* each : kEmnistSplits) add(each);
    } else {
      GS_RETURN_IF_ERROR(CheckSplit(split));
      add(split);
    }
  }
  return expanded;
}

std::vector<std::string> EmnistFiles(const std::string& split) {
  const std::string prefix = "emnist-" + split;
  return {prefix + "-train-images-idx3-ubyte.gz", prefix + "-train-labels-idx1-ubyte.gz",
          prefix + "-test-images-idx3-ubyte.gz", prefix + "-test-labels-idx1-ubyte.gz",
          prefix + "-mapping.txt"};
}

absl::Status ExtractEmnistSplit(const std::string& zip_path, const std::string& split,
                                const std::string& directory) {
  GS_ASSIGN_OR_RETURN(const ZipReader zip, ZipReader::Open(zip_path));
  std::vector<PendingFile> files;
  for (const std::string& name : EmnistFiles(split)) {
    const ZipMember* member = zip.FindByBaseName(name);
    if (member == nullptr)
      return DataLoss("'{}' does not contain '{}': it is not the EMNIST archive", zip_path, name);
    PendingFile& file = files.emplace_back(directory + "/" + name);
    GS_RETURN_IF_ERROR(file.Open());
    GS_RETURN_IF_ERROR(zip.Read(*member, [&](std::string_view piece) { return file.Write(piece); }));
    GS_RETURN_IF_ERROR(file.Close());
  }
  for (PendingFile& file : files) GS_RETURN_IF_ERROR(file.Publish());
  return absl::OkStatus();
}

}  // namespace gridsweep
