// Which data sets there are, and where.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>

#include "common/data/dataset.h"
#include "common/data/mend.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kImages = "images-idx3-ubyte";
constexpr std::string_view kLabels = "labels-idx1-ubyte";

std::string ExistingFile(const fs::path& stem) {
  std::error_code ignored;
  for (const char* ending : {"", ".gz"}) {
    fs::path path = stem;
    path += ending;
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  return "";
}

// The files of `name` in one folder under one naming scheme. `missing` names what is not there.
struct Candidate {
  DatasetFiles files;
  std::vector<std::string> missing;
};

Candidate Look(std::string_view name, const fs::path& folder, const std::string& train,
               const std::string& test) {
  Candidate candidate;
  candidate.files.name = name;
  candidate.files.directory = folder.string();
  const auto find = [&](const std::string& prefix, std::string_view kind, std::string& out) {
    const std::string file = fmt::format("{}-{}", prefix, kind);
    out = ExistingFile(folder / file);
    if (out.empty()) candidate.missing.push_back(file);
  };
  find(train, kImages, candidate.files.train_images);
  find(train, kLabels, candidate.files.train_labels);
  find(test, kImages, candidate.files.test_images);
  find(test, kLabels, candidate.files.test_labels);
  std::error_code ignored;
  const fs::path mapping = folder / fmt::format("{}-mapping.txt", name);
  if (fs::is_regular_file(mapping, ignored)) candidate.files.mapping = mapping.string();
  return candidate;
}

int64_t BytesOnDisk(const DatasetFiles& files) {
  int64_t bytes = 0;
  for (const std::string* path :
       {&files.train_images, &files.train_labels, &files.test_images, &files.test_labels, &files.mapping}) {
    std::error_code error;
    const auto size = path->empty() ? 0 : fs::file_size(*path, error);
    if (!error) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

// FindDataset; `files` is what was found, also of an incomplete set.
absl::Status Search(std::string_view name, const std::vector<std::string>& directories, DatasetFiles& files) {
  GS_RETURN_IF_ERROR(CheckDatasetName(name));
  const std::string train = fmt::format("{}-train", name), test = fmt::format("{}-test", name);
  for (const std::string& directory : directories) {
    const fs::path root(directory), folder = root / name;
    std::optional<Candidate> nearest;  // the most complete of the incomplete ones
    for (Candidate& candidate : std::vector{Look(name, root, train, test), Look(name, folder, train, test),
                                            Look(name, folder, "train", "t10k")}) {
      candidate.files.bytes = BytesOnDisk(candidate.files);
      if (candidate.missing.empty()) {
        files = std::move(candidate.files);
        return absl::OkStatus();
      }
      if (candidate.missing.size() < 4 && (!nearest || candidate.missing.size() < nearest->missing.size())) {
        nearest = std::move(candidate);
      }
    }
    if (nearest) {
      files = std::move(nearest->files);
      return DataLoss("data set '{}' in '{}' is incomplete: missing {}; {}", name, files.directory,
                      fmt::join(nearest->missing, ", "), MendDataset(name, files.directory, true));
    }
  }
  const std::string home = DefaultDataDirs().front();
  const bool looks_home =
      directories.empty() || std::find(directories.begin(), directories.end(), home) != directories.end();
  return NotFound(
      "no data set '{}' in {}; {}", name,
      directories.empty() ? "no data directory" : fmt::format("'{}'", fmt::join(directories, "', '")),
      MendDataset(name, looks_home ? home : directories.front(), false));
}

// Everything below `directories` whose name may be that of a data set, or of one of its files.
std::set<std::string> NamesToTry(const std::vector<std::string>& directories) {
  std::set<std::string> names;
  for (const std::string& directory : directories) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      std::string name = entry->path().filename().string();
      for (const std::string_view part : {"train", "test"}) {
        for (const std::string_view kind : {kImages, kLabels}) {
          const size_t end = name.find(fmt::format("-{}-{}", part, kind));
          if (end != std::string::npos) name.resize(end);
        }
      }
      names.insert(std::move(name));
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> DefaultDataDirs() {
  std::vector<std::string> directories;
  const char* data_home = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  if (data_home != nullptr && data_home[0] == '/') {
    directories.push_back(fmt::format("{}/gridsweep/data", data_home));
  } else if (home != nullptr && home[0] != '\0') {
    directories.push_back(fmt::format("{}/.local/share/gridsweep/data", home));
  }
  directories.push_back("/usr/share/datasets");
  return directories;
}

absl::Status CheckDatasetName(std::string_view name) {
  const bool legal = !name.empty() && name.size() <= 128 && name[0] != '.' &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return (c < 128 && std::isalnum(c) != 0) || c == '.' || c == '_' || c == '-';
                     });
  if (legal) return absl::OkStatus();
  return InvalidArgument(
      "'{}' is not a data set's name: expected 1 to 128 of A-Z a-z 0-9 . _ - and no dot first",
      name.substr(0, 160));
}

absl::StatusOr<DatasetFiles> FindDataset(std::string_view name, const std::vector<std::string>& directories) {
  DatasetFiles files;
  GS_RETURN_IF_ERROR(Search(name, directories, files));
  return files;
}

absl::StatusOr<DatasetFiles> FindUsableDataset(std::string_view name,
                                               const std::vector<std::string>& directories) {
  GS_ASSIGN_OR_RETURN(DatasetFiles files, FindDataset(name, directories));
  GS_RETURN_IF_ERROR(InspectDataset(files).status());
  return files;
}

std::vector<DatasetFiles> ListDatasets(const std::vector<std::string>& directories) {
  std::vector<DatasetFiles> list;
  for (const std::string& name : NamesToTry(directories)) {
    if (auto files = FindDataset(name, directories); files.ok()) list.push_back(*std::move(files));
  }
  return list;
}

std::vector<InspectedDataset> InspectDatasets(const std::vector<std::string>& directories) {
  std::vector<InspectedDataset> list;
  for (const std::string& name : NamesToTry(directories)) {
    InspectedDataset entry;
    const absl::Status found = Search(name, directories, entry.files);
    if (!found.ok() && !absl::IsDataLoss(found)) continue;
    entry.summary = found.ok() ? InspectDataset(entry.files) : absl::StatusOr<DatasetSummary>(found);
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace gridsweep
