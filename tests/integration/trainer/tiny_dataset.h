// A small data set that can be learnt, and jobs on it.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/json.h"
#include "tests/support/idx_bytes.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {

// A folder with the data set "tiny": 4 classes of 8 x 8 pixels, each class bright in its quarter, with noise.
class TinyDataset : public TempDir {
 public:
  explicit TinyDataset(int train_images = 200, int test_images = 60) {
    WritePart("train", train_images);
    WritePart("test", test_images);
  }

  std::string Write(const std::string& name, const std::string& bytes) const {
    WriteFile(*this / name, bytes);
    return *this / name;
  }

 private:
  void WritePart(const std::string& part, int images) {
    std::string pixels, labels;
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
    Write("tiny-" + part + "-images-idx3-ubyte", IdxImageFile(static_cast<uint32_t>(images), 8, 8, pixels));
    Write("tiny-" + part + "-labels-idx1-ubyte", IdxLabelFile(labels));
  }

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
