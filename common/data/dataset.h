// Image classification data sets: names, where their files are, and reading them. No LibTorch here; the trainer turns
// the bytes into tensors, the worker and the command line only look.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

// Four files found for a data set's name.
struct DatasetFiles {
  std::string name;
  std::string directory;
  std::string train_images, train_labels, test_images, test_labels;  // paths
  std::string mapping;  // path of NAME-mapping.txt (label → ASCII codes), empty if there is none
  int64_t bytes = 0;    // on disk, all files
};

// Where data sets are looked for when no --data-dir is given: $XDG_DATA_HOME/gridsweep/data (or
// ~/.local/share/gridsweep/data), then /usr/share/datasets (Debian's dataset-* packages).
std::vector<std::string> DefaultDataDirs();

// A name is [A-Za-z0-9._-]{1,128} and does not start with a dot: never a path. Returns INVALID_ARGUMENT.
absl::Status CheckDatasetName(std::string_view name);

// Finds the files of `name` below `directories`, first hit wins: DIR/NAME-{train,test}-{images-idx3,labels-idx1}-ubyte
// [.gz], or a folder DIR/NAME with those names, or with the usual MNIST file names (train-images-idx3-ubyte[.gz],
// t10k-…). Returns NOT_FOUND saying where it looked and the command that mends it; DATA_LOSS if some of the four exist.
absl::StatusOr<DatasetFiles> FindDataset(std::string_view name, const std::vector<std::string>& directories);

// Every data set that FindDataset finds below `directories`, by name. Incomplete ones are left out.
std::vector<DatasetFiles> ListDatasets(const std::vector<std::string>& directories);

// A data set in memory. Pixels are uint8, images upright (the transposed storage of emnist-* undone), row-major.
struct Dataset {
  std::string name;
  std::string
      digest;  // SHA-256 over sizes, upright pixels and labels of both parts: equal content, equal digest
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<std::string>
      class_names;  // by label; labels are 0 .. classes-1 (emnist letters: 1..26 shifted to 0..25)
  std::vector<uint8_t> train_pixels, test_pixels;
  std::vector<uint8_t> train_labels, test_labels;
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

// Reads and verifies: magic, equal image and label counts, one image size, labels within range. Returns DATA_LOSS with
// the file, what is wrong, and the command that mends it.
absl::StatusOr<Dataset> LoadDataset(const DatasetFiles& files);

// What labels and headers say; images are not read.
struct DatasetSummary {
  int64_t train_size = 0;
  int64_t test_size = 0;
  int64_t classes = 0;
};

// Verifies what LoadDataset does as far as that goes without reading the images: their headers, and the sizes of their
// files. Same errors. Takes milliseconds where reading everything takes seconds.
absl::StatusOr<DatasetSummary> InspectDataset(const DatasetFiles& files);

// FindDataset, and InspectDataset has nothing against it.
absl::StatusOr<DatasetFiles> FindUsableDataset(std::string_view name,
                                               const std::vector<std::string>& directories);

struct InspectedDataset {
  DatasetFiles files;                      // some paths are empty if it is incomplete
  absl::StatusOr<DatasetSummary> summary;  // or what is wrong and the command that mends it
};
// Every data set of which some file is below `directories`, by name, as FindDataset and InspectDataset see it.
std::vector<InspectedDataset> InspectDatasets(const std::vector<std::string>& directories);

// Class names for a data set: from its mapping file, else known sets (fashion-mnist, mnist, the emnist splits), else the
// label numbers. `classes` is 1 + the largest label.
std::vector<std::string> ClassNames(std::string_view name, const std::string& mapping_text, int64_t classes);

}  // namespace gridsweep
