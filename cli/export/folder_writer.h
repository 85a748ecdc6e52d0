// A folder that appears under its name when everything in it is written, or not at all.
#pragma once

#include <string>

#include "common/base/status.h"

namespace gridsweep {

// ALREADY_EXISTS if `folder` is there and not empty, or no folder.
absl::Status CheckNewFolder(const std::string& folder);

class FolderWriter {
 public:
  // Errors as CheckNewFolder.
  static absl::StatusOr<FolderWriter> Create(std::string folder);
  // Removes what was not finished.
  ~FolderWriter();
  FolderWriter(FolderWriter&& other) noexcept;
  FolderWriter& operator=(FolderWriter&&) = delete;

  // Where to write meanwhile.
  const std::string& temporary() const { return temporary_; }
  // Gives the folder its name. Call once, last.
  absl::Status Finish();

 private:
  FolderWriter(std::string folder, std::string temporary)
      : folder_(std::move(folder)), temporary_(std::move(temporary)) {}
  std::string folder_, temporary_;  // temporary_ is empty when nothing is left to remove
};

}  // namespace gridsweep
