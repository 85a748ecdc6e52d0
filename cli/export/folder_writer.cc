#include "cli/export/folder_writer.h"

#include <filesystem>

#include "common/base/atomic_file.h"
#include "common/base/random.h"

namespace gridsweep {
namespace fs = std::filesystem;

absl::Status CheckNewFolder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error)))
    return AlreadyExists("'{}' exists already and is not an empty folder: name another one", folder);
  return absl::OkStatus();
}

absl::StatusOr<FolderWriter> FolderWriter::Create(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  GS_RETURN_IF_ERROR(CheckNewFolder(folder));
  std::error_code error;
  std::string temporary = folder + std::string(kUnfinished) + RandomHex(4);
  fs::create_directories(temporary, error);
  if (error) return Unavailable("cannot make the folder '{}': {}", temporary, error.message());
  return FolderWriter(std::move(folder), std::move(temporary));
}

FolderWriter::~FolderWriter() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

FolderWriter::FolderWriter(FolderWriter&& other) noexcept
    : folder_(std::move(other.folder_)), temporary_(std::exchange(other.temporary_, {})) {}

absl::Status FolderWriter::Finish() {
  std::error_code error;
  // Over an empty folder of that name.
  fs::rename(temporary_, folder_, error);
  if (error) return Unavailable("cannot move '{}' to '{}': {}", temporary_, folder_, error.message());
  temporary_.clear();
  return absl::OkStatus();
}

}  // namespace gridsweep
