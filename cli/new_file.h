// A file that appears under its name when it is whole, or not at all.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

// Written beside its place and moved there at the end. Movable.
class NewFile {
 public:
  // ALREADY_EXISTS if there is such a file and it is not to be replaced; otherwise the system's error.
  static absl::StatusOr<NewFile> Create(const std::string& path, bool replace = false);
  // Removes what is not finished.
  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;

  absl::Status Write(std::string_view data);
  // Syncs and moves it to its place; ALREADY_EXISTS if one has appeared there that is not to be replaced.
  absl::Status Finish();

 private:
  NewFile(std::string path, std::string temporary, int fd, bool replace);

  std::string path_, temporary_;
  int fd_;
  bool replace_;
};

}  // namespace gridsweep
