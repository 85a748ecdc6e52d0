#include "coordinator/artifacts/artifact_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class ArtifactFolderTest : public testing::Test {
 protected:
  ArtifactFolderTest() { Open(10'000); }
  void Open(int64_t limit, ArtifactDisk disk = {}) {
    folder_ = nullptr;
    folder_ = ArtifactFolder::Open(path_, limit, std::move(disk)).value();
  }
  // Hands `bytes` in, in two pieces.
  absl::Status Add(const std::string& bytes) {
    GS_ASSIGN_OR_RETURN(const auto incoming,
                        folder_->Receive(Sha256Hex(bytes), static_cast<int64_t>(bytes.size())));
    GS_RETURN_IF_ERROR(incoming->Write(std::string_view(bytes).substr(0, bytes.size() / 2)));
    GS_RETURN_IF_ERROR(incoming->Write(std::string_view(bytes).substr(bytes.size() / 2)));
    return incoming->Finish().status();
  }
  absl::StatusOr<std::string> Get(const std::string& sha256, int64_t piece = 7) {
    GS_ASSIGN_OR_RETURN(const auto file, folder_->Read(sha256));
    std::string all;
    while (true) {
      GS_ASSIGN_OR_RETURN(const std::string data, file->Next(piece));
      if (data.empty()) return all;
      all += data;
    }
  }
  size_t Files() const {
    const std::filesystem::directory_iterator files(path_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }
  std::string FileOf(const std::string& bytes) const {
    return path_ + "/" + Sha256Hex(bytes) + ".safetensors";
  }
  int Collect(std::set<std::string> kept = {}) {
    return folder_->Collect([&]() -> absl::StatusOr<std::set<std::string>> { return kept; }).value();
  }

  TempDir dir_;
  const std::string path_ = dir_ / "some/folder";
  std::unique_ptr<ArtifactFolder> folder_;
};

TEST_F(ArtifactFolderTest, WhatComesInGoesOutAlsoAfterARestart) {
  ASSERT_THAT(Add("the bytes of a checkpoint"), IsOk());
  EXPECT_EQ(folder_->bytes(), 25);
  Open(10'000);
  EXPECT_EQ(folder_->bytes(), 25);
  EXPECT_EQ(Get(Sha256Hex("the bytes of a checkpoint")).value(), "the bytes of a checkpoint");
  EXPECT_TRUE(folder_->Find(Sha256Hex("the bytes of a checkpoint")).has_value());
  EXPECT_FALSE(folder_->Find(Sha256Hex("another")).has_value());
  EXPECT_THAT(Get(Sha256Hex("another")), StatusIs(StatusCode::kNotFound, testing::_));
}

TEST_F(ArtifactFolderTest, AFileWhoseNameMayBeLostIsNotFoundAndMayComeAgain) {
  bool fails = false;
  Open(10'000,
       {.sync_folder = [&](const std::string&) { return fails ? Unavailable("broken") : absl::OkStatus(); }});
  fails = true;
  EXPECT_FALSE(Add("a checkpoint").ok());
  EXPECT_FALSE(folder_->Find(Sha256Hex("a checkpoint")).has_value()) << "nobody may rely on it";
  fails = false;
  EXPECT_THAT(Add("a checkpoint"), IsOk());
  EXPECT_TRUE(folder_->Find(Sha256Hex("a checkpoint")).has_value());
  EXPECT_EQ(folder_->bytes(), 12);
}

TEST_F(ArtifactFolderTest, ItsNamesAreSyncedWhenItIsOpened) {
  ASSERT_THAT(Add("a checkpoint"), IsOk());
  int synced = 0;
  Open(10'000, {.sync_folder = [&](const std::string&) {
         ++synced;
         return absl::OkStatus();
       }});
  EXPECT_EQ(synced, 1) << "the last process may not have come to it";
  const auto fails = [](const std::string&) { return Unavailable("broken"); };
  EXPECT_FALSE(ArtifactFolder::Open(path_, 10'000, {.sync_folder = fails}).ok());
}

TEST_F(ArtifactFolderTest, LittleOfTheDiskIsLeftForOthers) {
  Open(10'000, {.available = [](const std::string&) { return std::optional<uint64_t>(64 << 20); }});
  EXPECT_THAT(Add("a checkpoint"), StatusIs(StatusCode::kResourceExhausted, HasSubstr("nearly full")));
}

TEST_F(ArtifactFolderTest, OtherBytesThanAnnouncedLeaveNothing) {
  const std::string sha256 = Sha256Hex("right");
  {
    auto incoming = folder_->Receive(sha256, 5).value();
    ASSERT_THAT(incoming->Write("wrong"), IsOk());
    EXPECT_THAT(incoming->Finish().status(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("SHA-256")));
  }
  {
    auto incoming = folder_->Receive(sha256, 5).value();
    ASSERT_THAT(incoming->Write("righ"), IsOk());
    EXPECT_THAT(incoming->Finish().status(),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("4 bytes arrived")));
  }
  {
    auto incoming = folder_->Receive(sha256, 5).value();
    EXPECT_THAT(incoming->Write("rightly"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("more than")));
  }
  { auto given_up = folder_->Receive(sha256, 5).value(); }
  EXPECT_EQ(Files(), 0U);
  EXPECT_EQ(folder_->bytes(), 0);
}

TEST_F(ArtifactFolderTest, NamesAndSizesAreChecked) {
  EXPECT_THAT(folder_->Receive("../../etc/passwd", 5), StatusIs(StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(folder_->Receive(std::string(64, 'A'), 5), StatusIs(StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(folder_->Read("../../etc/passwd"), StatusIs(StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(folder_->Receive(Sha256Hex("x"), 0), StatusIs(StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(folder_->Receive(Sha256Hex("x"), kMaxArtifactBytes + 1),
              StatusIs(StatusCode::kInvalidArgument, testing::_));
}

TEST_F(ArtifactFolderTest, TheLimitCountsWhatIsUnderWay) {
  Open(100);
  auto first = folder_->Receive(Sha256Hex("x"), 60).value();
  EXPECT_THAT(folder_->Receive(Sha256Hex("y"), 60),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("--artifacts-limit")));
  first = nullptr;
  EXPECT_THAT(folder_->Receive(Sha256Hex("y"), 60), IsOk());
}

TEST_F(ArtifactFolderTest, TheSameContentTwiceCountsOnce) {
  ASSERT_THAT(Add("twice"), IsOk());
  ASSERT_THAT(Add("twice"), IsOk());
  EXPECT_EQ(folder_->bytes(), 5);
  EXPECT_EQ(Files(), 1U);
}

TEST_F(ArtifactFolderTest, ADamagedFileIsNotPassedOffAsWholeAndGoes) {
  for (const std::string& damaged : {std::string("0123456788"), std::string("01234"), std::string()}) {
    ASSERT_THAT(Add("0123456789"), IsOk());
    WriteFile(FileOf("0123456789"), damaged);
    EXPECT_THAT(Get(Sha256Hex("0123456789")), StatusIs(StatusCode::kDataLoss, testing::_)) << damaged.size();
    EXPECT_EQ(Files(), 0U);
    EXPECT_EQ(folder_->bytes(), 0);
  }
}

TEST_F(ArtifactFolderTest, WhatNobodyRefersToIsCollectedButNotWhatIsPinned) {
  for (const char* bytes : {"kept", "pinned", "garbage"}) ASSERT_THAT(Add(bytes), IsOk());
  {
    const auto pin = folder_->Find(Sha256Hex("pinned"));
    ASSERT_TRUE(pin.has_value());
    EXPECT_EQ(Collect({Sha256Hex("kept")}), 1);
  }
  EXPECT_EQ(Files(), 2U);
  EXPECT_EQ(Collect({Sha256Hex("kept")}), 1);
  EXPECT_EQ(folder_->bytes(), 4);
}

TEST_F(ArtifactFolderTest, WhatIsRecordedWhileItCollectsIsNotLost) {
  ASSERT_THAT(Add("new"), IsOk());
  const absl::StatusOr<int> removed = folder_->Collect([&]() -> absl::StatusOr<std::set<std::string>> {
    const auto pin = folder_->Find(Sha256Hex("new"));  // recorded just after the snapshot, and let go
    return std::set<std::string>();
  });
  ASSERT_THAT(removed, IsOk());
  EXPECT_EQ(*removed, 0);
  EXPECT_THAT(Get(Sha256Hex("new")), IsOk());
  EXPECT_THAT(folder_->Collect([]() -> absl::StatusOr<std::set<std::string>> { return Unavailable("busy"); }),
              StatusIs(StatusCode::kUnavailable, testing::_));
  EXPECT_EQ(Files(), 1U) << "without an answer nothing is removed";
}

TEST_F(ArtifactFolderTest, LeftoversOfAnEarlierProcessAreRemovedAndOtherFilesAreLeftAlone) {
  ASSERT_THAT(Add("whole"), IsOk());
  WriteFile(FileOf("half") + ".part-ab12cd34", "ha");
  WriteFile(path_ + "/README", "mine");
  Open(10'000);
  EXPECT_EQ(Files(), 2U);
  EXPECT_EQ(folder_->bytes(), 5);
  EXPECT_EQ(Collect(), 1);
  EXPECT_EQ(ReadFile(path_ + "/README"), "mine");
}

TEST_F(ArtifactFolderTest, AReaderChangesNothing) {
  ASSERT_THAT(Add("0123456789"), IsOk());
  WriteFile(FileOf("0123456789"), "damaged");
  folder_ = ArtifactFolder::OpenReadOnly(path_);
  EXPECT_THAT(folder_->Receive(Sha256Hex("x"), 1), StatusIs(StatusCode::kFailedPrecondition, testing::_));
  EXPECT_THAT(Get(Sha256Hex("0123456789")), StatusIs(StatusCode::kDataLoss, testing::_));
  EXPECT_EQ(Files(), 1U);
}

}  // namespace
}  // namespace gridsweep
