#include "coordinator/store/file_system.h"

#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>

namespace gridsweep {
namespace {

struct NamedType {
  int64_t type;
  const char* name;
};

// From linux/magic.h and the file systems' own headers.
constexpr NamedType kNetworkTypes[] = {
    {0x6969, "nfs"},        {0x517B, "smb"},        {0xFF534D42, "cifs"},   {0xFE534D42, "smb2"},
    {0x01021997, "9p"},     {0x65735546, "fuse"},   {0x5346414F, "afs"},    {0x00C36400, "ceph"},
    {0x0BD00BD0, "lustre"}, {0x47504653, "gpfs"},   {0x73757245, "coda"},   {0x7461636F, "ocfs2"},
    {0x01161970, "gfs2"},   {0x19830326, "beegfs"}, {0x786F4256, "vboxsf"}, {0x20030528, "orangefs"},
};

}  // namespace

absl::StatusOr<int64_t> FileSystemType(const std::string& directory) {
  struct statfs info {};
  if (statfs(directory.c_str(), &info) != 0)
    return ErrnoError(errno, fmt::format("cannot look at '{}'", directory));
  // Some types have the top bit set and the field is signed on some machines.
  return static_cast<int64_t>(static_cast<uint32_t>(info.f_type));
}

std::string NetworkFileSystemName(int64_t type) {
  for (const NamedType& entry : kNetworkTypes) {
    if (entry.type == type) return entry.name;
  }
  return "";
}

absl::StatusOr<std::string> ResolveDatabasePath(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path file(path);
  if (!file.has_filename()) return InvalidArgument("'{}' is not the name of a database file", path);
  if (fs::exists(file, error)) {
    const fs::path resolved = fs::canonical(file, error);
    if (error) return ErrnoError(error.value(), fmt::format("cannot resolve '{}'", path));
    if (!fs::is_regular_file(resolved, error)) return InvalidArgument("'{}' is not a file", path);
    return resolved.string();
  }
  const fs::path folder = fs::canonical(file.has_parent_path() ? file.parent_path() : fs::path("."), error);
  if (error) {
    return ErrnoError(error.value(), fmt::format("cannot open the folder of database '{}'", path));
  }
  return (folder / file.filename()).string();
}

}  // namespace gridsweep
