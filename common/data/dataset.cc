#include "common/data/dataset.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "common/base/sha256.h"
#include "common/data/idx.h"
#include "common/data/mend.h"

namespace gridsweep {
namespace {

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

enum class Depth { kHeaders, kPixels };

absl::StatusOr<Part> ReadPart(const std::string& images_path, const std::string& labels_path, Depth depth) {
  Part part;
  GS_ASSIGN_OR_RETURN(
      part.images, depth == Depth::kPixels ? ReadIdxImages(images_path) : ReadIdxImagesHeader(images_path));
  GS_ASSIGN_OR_RETURN(part.labels, ReadIdxLabels(labels_path));
  if (part.images.count == 0 || part.images.rows == 0 || part.images.columns == 0) {
    return DataLoss("'{}' holds no images ({} of {} x {} pixels)", images_path, part.images.count,
                    part.images.rows, part.images.columns);
  }
  if (part.images.count != static_cast<int64_t>(part.labels.size())) {
    return DataLoss("'{}' holds {} labels, but '{}' holds {} images", labels_path, part.labels.size(),
                    images_path, part.images.count);
  }
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

// Both parts, verified against each other; labels count from 0.
struct Parts {
  Part train, test;
  std::vector<std::string> class_names;
};

absl::StatusOr<Parts> ReadParts(const DatasetFiles& files, Depth depth) {
  GS_ASSIGN_OR_RETURN(Part train, ReadPart(files.train_images, files.train_labels, depth));
  GS_ASSIGN_OR_RETURN(Part test, ReadPart(files.test_images, files.test_labels, depth));
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
  return Parts{std::move(train), std::move(test), ClassNames(files.name, mapping, classes)};
}

absl::StatusOr<Dataset> Load(const DatasetFiles& files) {
  GS_ASSIGN_OR_RETURN(Parts parts, ReadParts(files, Depth::kPixels));
  if (files.name.starts_with(kEmnistPrefix)) {
    Transpose(parts.train.images);
    Transpose(parts.test.images);
  }
  Dataset data;
  data.name = files.name;
  data.rows = parts.train.images.rows;
  data.columns = parts.train.images.columns;
  data.class_names = std::move(parts.class_names);
  data.train_pixels = std::move(parts.train.images.pixels);
  data.test_pixels = std::move(parts.test.images.pixels);
  data.train_labels = std::move(parts.train.labels);
  data.test_labels = std::move(parts.test.labels);
  data.digest = Digest(data);
  return data;
}

absl::StatusOr<DatasetSummary> Summarize(const DatasetFiles& files) {
  GS_ASSIGN_OR_RETURN(const Parts parts, ReadParts(files, Depth::kHeaders));
  return DatasetSummary{.train_size = parts.train.images.count,
                        .test_size = parts.test.images.count,
                        .classes = static_cast<int64_t>(parts.class_names.size())};
}

// Says which data set, and what mends it.
absl::Status Explain(const DatasetFiles& files, const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("data set '{}': {}; {}", files.name, Message(status),
                                                 MendDataset(files.name, files.directory, true)));
}

}  // namespace

absl::StatusOr<Dataset> LoadDataset(const DatasetFiles& files) {
  auto data = Load(files);
  if (data.ok()) return data;
  return Explain(files, data.status());
}

absl::StatusOr<DatasetSummary> InspectDataset(const DatasetFiles& files) {
  auto summary = Summarize(files);
  if (summary.ok()) return summary;
  return Explain(files, summary.status());
}

}  // namespace gridsweep
