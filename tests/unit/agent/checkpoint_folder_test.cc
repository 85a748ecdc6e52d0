#include "worker/agent/checkpoint_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "common/base/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep::agent {
namespace {

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class CheckpointFolderTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(folder_.Create(), IsOk()); }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    return names;
  }
  // Adds a file whose bytes come in these pieces, and then `last`.
  absl::Status Add(const std::string& sha256, std::vector<std::string> pieces,
                   const absl::Status& last = absl::OkStatus()) const {
    pieces.emplace_back();
    auto piece = pieces.begin();
    return folder_.Add(sha256, [&]() -> absl::StatusOr<std::string> {
      if (piece->empty() && !last.ok()) return last;
      return *piece++;
    });
  }
  // A file that was last written two hours ago.
  void WriteOld(const std::string& name) const {
    const std::string path = folder_.path() + "/" + name;
    WriteFile(path, "x");
    std::filesystem::last_write_time(path,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  }

  const TempDir dir_;
  const CheckpointFolder folder_{dir_ / "checkpoints"};
  const std::string hash_ = Sha256Hex("two pieces");
};

TEST_F(CheckpointFolderTest, AFetchedFileIsThereWhenItIsWhole) {
  EXPECT_THAT(folder_.Check(hash_), StatusIs(StatusCode::kNotFound, _));
  ASSERT_THAT(Add(hash_, {"two ", "pieces"}), IsOk());
  EXPECT_THAT(folder_.Check(hash_), IsOk());
  EXPECT_THAT(Names(), ElementsAre(hash_ + ".safetensors"));
  EXPECT_THAT(Add(hash_, {"two pieces"}), IsOk()) << "a second time";
  struct stat info {};
  ASSERT_EQ(stat(folder_.FileOf(hash_).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(CheckpointFolderTest, WhatIsNotWholeLeavesNothing) {
  EXPECT_THAT(Add(hash_, {"two "}), StatusIs(StatusCode::kDataLoss, _));
  EXPECT_THAT(Add(hash_, {"two "}, absl::UnavailableError("away")), StatusIs(StatusCode::kUnavailable, _));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(CheckpointFolderTest, PrunesNeitherWhatIsNeededNorWhatIsBeingFetched) {
  for (const char* name : {"needed.safetensors", "needed.safetensors.part-ab12cd34", "other.safetensors",
                           "other.safetensors.part-ab12cd34"})
    WriteOld(name);
  WriteFile(folder_.path() + "/young.safetensors", "x");
  folder_.Prune({"needed"}, /*limit=*/1000, absl::Hours(1));
  EXPECT_THAT(Names(), UnorderedElementsAre("needed.safetensors", "needed.safetensors.part-ab12cd34",
                                            "young.safetensors"));
  folder_.Prune({"needed"}, /*limit=*/2, absl::Hours(1));
  EXPECT_THAT(Names(), UnorderedElementsAre("needed.safetensors", "needed.safetensors.part-ab12cd34"));
}

}  // namespace
}  // namespace gridsweep::agent
