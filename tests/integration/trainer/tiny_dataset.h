// A small data set that can be learnt, and jobs on it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/json.h"

namespace gridsweep {

// A folder with the data set "tiny": 4 classes of 8 x 8 pixels, each class bright in its quarter, with noise.
class TinyDataset {
 public:
  explicit TinyDataset(int train_images = 200, int test_images = 60) {
    std::string pattern = (std::filesystem::temp_directory_path() / "gridsweep-trainer-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    WritePart("train", train_images);
    WritePart("test", test_images);
  }
  ~TinyDataset() { std::filesystem::remove_all(path_); }
  TinyDataset(const TinyDataset&) = delete;
  TinyDataset& operator=(const TinyDataset&) = delete;

  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
    return path_ + "/" + name;
  }

 private:
  static std::string BigEndian(int word) {
    return {static_cast<char>(word >> 24), static_cast<char>(word >> 16), static_cast<char>(word >> 8),
            static_cast<char>(word)};
  }

  void WritePart(const std::string& part, int images) {
    std::string pixels = BigEndian(0x803) + BigEndian(images) + BigEndian(8) + BigEndian(8);
    std::string labels = BigEndian(0x801) + BigEndian(images);
    for (int i = 0; i < images; ++i) {
      const int label = i % 4;
      labels += static_cast<char>(label);
      for (int r = 0; r < 8; ++r) {
        for (int c = 0; c < 8; ++c) {
          noise_ = noise_ * 6364136223846793005u + 1442695040888963407u;
          const bool bright = r / 4 * 2 + c / 4 == label;
          pixels += static_cast<char>((noise_ >> 56) / 2 + (bright ? 100 : 0));
        }
      }
    }
    Write("tiny-" + part + "-images-idx3-ubyte", pixels);
    Write("tiny-" + part + "-labels-idx1-ubyte", labels);
  }

  std::string path_;
  uint64_t noise_ = 1;
};

inline Json ComponentJson(const std::string& name, Json params = Json::object()) {
  return {{"name", name}, {"params", std::move(params)}};
}

// A small MLP, two epochs.
inline Json TinyJob() {
  return {{"activation", ComponentJson("relu")},
          {"dataset", "tiny"},
          {"dataset_digest", ""},
          {"model", ComponentJson("mlp", {{"hidden", {16, 8}}})},
          {"objective", {{"epoch", "best"}, {"goal", "max"}, {"metric", "val_accuracy"}}},
          {"optimizer", ComponentJson("adam", {{"lr", 0.01}})},
          {"regularization", Json::array({ComponentJson("dropout", {{"p", 0.2}})})},
          {"scheduler", ComponentJson("none")},
          {"seed", 1},
          {"training", {{"batch_size", 16}, {"epochs", 2}, {"samples", 0}, {"validation", 0.1}}}};
}

}  // namespace gridsweep
