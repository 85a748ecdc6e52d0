#include "common/data/dataset.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "common/base/sha256.h"
#include "common/data/idx.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEmnist = "emnist-";
constexpr std::string_view kEmnistSplits[] = {"balanced", "byclass", "bymerge", "digits", "letters", "mnist"};
constexpr std::string_view kImages = "images-idx3-ubyte";
constexpr std::string_view kLabels = "labels-idx1-ubyte";

bool IsEmnist(std::string_view name) {
  return name.starts_with(kEmnist);
}

// The command that brings `name` to this machine.
std::string Mend(std::string_view name, bool again) {
  const std::string_view split = IsEmnist(name) ? name.substr(kEmnist.size()) : std::string_view();
  if (std::find(std::begin(kEmnistSplits), std::end(kEmnistSplits), split) != std::end(kEmnistSplits)) {
    return fmt::format("run: gridsweep data fetch emnist --split {}", split);
  }
  if (name == "fashion-mnist") {
    return fmt::format("run: apt-get install {}dataset-fashion-mnist", again ? "--reinstall " : "");
  }
  return again ? "replace the file, or pass --data-dir with the folder of a good copy"
               : "pass --data-dir with the folder that holds it";
}

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

void Transpose(IdxImages& images) {
  const int64_t rows = images.rows, columns = images.columns;
  std::vector<uint8_t> one(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < images.count; ++i) {
    uint8_t* image = images.pixels.data() + i * rows * columns;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) one[static_cast<size_t>(c * rows + r)] = image[r * columns + c];
    }
    std::copy(one.begin(), one.end(), image);
  }
  std::swap(images.rows, images.columns);
}

std::string ReadText(const std::string& path) {
  if (path.empty()) return "";
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// One part (train or test), verified against itself.
struct Part {
  IdxImages images;
  std::vector<uint8_t> labels;
};

absl::StatusOr<Part> ReadPart(const std::string& images_path, const std::string& labels_path,
                              bool transposed) {
  Part part;
  GS_ASSIGN_OR_RETURN(part.images, ReadIdxImages(images_path));
  GS_ASSIGN_OR_RETURN(part.labels, ReadIdxLabels(labels_path));
  if (part.images.count == 0 || part.images.rows == 0 || part.images.columns == 0) {
    return DataLoss("'{}' holds no images ({} of {} x {} pixels)", images_path, part.images.count,
                    part.images.rows, part.images.columns);
  }
  if (part.images.count != static_cast<int64_t>(part.labels.size())) {
    return DataLoss("'{}' holds {} labels, but '{}' holds {} images", labels_path, part.labels.size(),
                    images_path, part.images.count);
  }
  if (transposed) Transpose(part.images);
  return part;
}

// Moves labels that start at `first` to 0 and checks them against the known number of classes (256 if
// unknown).
absl::Status NormalizeLabels(const std::string& path, int first, int64_t classes,
                             std::vector<uint8_t>& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    const int label = labels[i] - first;
    if (label < 0 || label >= classes) {
      return DataLoss("'{}': label {} of image {} is out of range, expected {} to {}", path, labels[i], i,
                      first, first + classes - 1);
    }
    labels[i] = static_cast<uint8_t>(label);
  }
  return absl::OkStatus();
}

// Without a list of classes the training set says which there are: all from 0 on, and no others in the test set.
absl::Status CheckClasses(const DatasetFiles& files, const std::vector<uint8_t>& train,
                          const std::vector<uint8_t>& test) {
  const std::set<uint8_t> classes(train.begin(), train.end());
  for (int label = 0; label <= *classes.rbegin(); ++label) {
    if (!classes.contains(static_cast<uint8_t>(label)))
      return DataLoss("'{}' has labels up to {} but none of class {}: labels must count from 0 without a gap",
                      files.train_labels, *classes.rbegin(), label);
  }
  for (size_t i = 0; i < test.size(); ++i) {
    if (!classes.contains(test[i]))
      return DataLoss("'{}': label {} of image {} is no class of '{}', expected 0 to {}", files.test_labels,
                      test[i], i, files.train_labels, *classes.rbegin());
  }
  return absl::OkStatus();
}

std::string Digest(const Dataset& data) {
  Sha256 sha;
  const auto part = [&](const std::vector<uint8_t>& pixels, const std::vector<uint8_t>& labels) {
    sha.Update(fmt::format("{} x {} x {}\n", labels.size(), data.rows, data.columns));
    sha.Update(pixels.data(), pixels.size());
    sha.Update(labels.data(), labels.size());
  };
  part(data.train_pixels, data.train_labels);
  part(data.test_pixels, data.test_labels);
  return sha.HexDigest();
}

absl::StatusOr<Dataset> Load(const DatasetFiles& files) {
  const bool transposed = IsEmnist(files.name);
  GS_ASSIGN_OR_RETURN(Part train, ReadPart(files.train_images, files.train_labels, transposed));
  GS_ASSIGN_OR_RETURN(Part test, ReadPart(files.test_images, files.test_labels, transposed));
  if (train.images.rows != test.images.rows || train.images.columns != test.images.columns) {
    return DataLoss("'{}' holds images of {} x {} pixels, but '{}' of {} x {}", files.test_images,
                    test.images.rows, test.images.columns, files.train_images, train.images.rows,
                    train.images.columns);
  }
  const int first = files.name == "emnist-letters" ? 1 : 0;
  const std::string mapping = ReadText(files.mapping);
  const auto known = static_cast<int64_t>(ClassNames(files.name, mapping, 0).size());
  const int64_t limit = known > 0 ? known : 256;
  GS_RETURN_IF_ERROR(NormalizeLabels(files.train_labels, first, limit, train.labels));
  GS_RETURN_IF_ERROR(NormalizeLabels(files.test_labels, first, limit, test.labels));
  if (known == 0) GS_RETURN_IF_ERROR(CheckClasses(files, train.labels, test.labels));
  const int64_t classes = 1 + std::max(*std::max_element(train.labels.begin(), train.labels.end()),
                                       *std::max_element(test.labels.begin(), test.labels.end()));
  Dataset data;
  data.name = files.name;
  data.rows = train.images.rows;
  data.columns = train.images.columns;
  data.class_names = ClassNames(files.name, mapping, classes);
  data.train_pixels = std::move(train.images.pixels);
  data.test_pixels = std::move(test.images.pixels);
  data.train_labels = std::move(train.labels);
  data.test_labels = std::move(test.labels);
  data.digest = Digest(data);
  return data;
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
  GS_RETURN_IF_ERROR(CheckDatasetName(name));
  const std::string train = fmt::format("{}-train", name), test = fmt::format("{}-test", name);
  for (const std::string& directory : directories) {
    const fs::path root(directory), folder = root / name;
    std::optional<Candidate> nearest;  // the most complete of the incomplete ones
    for (Candidate& candidate : std::vector{Look(name, root, train, test), Look(name, folder, train, test),
                                            Look(name, folder, "train", "t10k")}) {
      if (candidate.missing.empty()) {
        candidate.files.bytes = BytesOnDisk(candidate.files);
        return candidate.files;
      }
      if (candidate.missing.size() < 4 && (!nearest || candidate.missing.size() < nearest->missing.size())) {
        nearest = std::move(candidate);
      }
    }
    if (nearest) {
      return DataLoss("data set '{}' in '{}' is incomplete: missing {}; {}", name, nearest->files.directory,
                      fmt::join(nearest->missing, ", "), Mend(name, true));
    }
  }
  return NotFound(
      "no data set '{}' in {}; {}", name,
      directories.empty() ? "no data directory" : fmt::format("'{}'", fmt::join(directories, "', '")),
      Mend(name, false));
}

std::vector<DatasetFiles> ListDatasets(const std::vector<std::string>& directories) {
  std::map<std::string, DatasetFiles> found;
  const std::string marker = fmt::format("-train-{}", kImages);
  for (const std::string& directory : directories) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      std::string name = entry->path().filename().string();
      const size_t end = name.find(marker);
      if (end != std::string::npos) name.resize(end);
      if (found.contains(name)) continue;
      if (auto files = FindDataset(name, {directory}); files.ok()) found.emplace(name, *std::move(files));
    }
  }
  std::vector<DatasetFiles> list;
  for (auto& [name, files] : found) list.push_back(std::move(files));
  return list;
}

absl::StatusOr<Dataset> LoadDataset(const DatasetFiles& files) {
  auto data = Load(files);
  if (data.ok()) return data;
  return absl::Status(data.status().code(), fmt::format("data set '{}': {}; {}", files.name,
                                                        Message(data.status()), Mend(files.name, true)));
}

}  // namespace gridsweep
