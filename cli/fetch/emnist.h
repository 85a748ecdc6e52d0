// The EMNIST data sets (Cohen, Afshar, Tapson, van Schaik: "EMNIST: an extension of MNIST to handwritten letters", 2017)
// from the official archive.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

// The archive "gzip.zip": 535.73 MiB.
inline constexpr char kEmnistUrl[] = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip";
inline constexpr char kEmnistSha256[] = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e";
inline constexpr const char* kEmnistSplits[] = {"balanced", "byclass", "bymerge",
                                                "letters",  "digits",  "mnist"};

// Each of the splits once, in the order given; "all" stands for all of them. Returns INVALID_ARGUMENT listing the splits,
// with "did you mean".
absl::StatusOr<std::vector<std::string>> ExpandEmnistSplits(const std::vector<std::string>& splits);

// The names of a split's five files: images and labels of both parts, and the mapping.
std::vector<std::string> EmnistFiles(const std::string& split);

// Writes one split's files from the archive at `zip_path` into `directory`. All of them appear, complete and under their
// own names, or none. Returns DATA_LOSS if the archive is damaged or lacks a file, RESOURCE_EXHAUSTED if the disk is full.
absl::Status ExtractEmnistSplit(const std::string& zip_path, const std::string& split,
                                const std::string& directory);

}  // namespace gridsweep
