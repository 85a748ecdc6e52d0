#include "cli/export/folder_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

size_t EntriesIn(const std::string& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(FolderWriter, TheFolderAppearsWhenItIsFinishedOrNotAtAll) {
  TempDir dir;
  {
    ASSERT_OK_AND_ASSIGN(FolderWriter writer, FolderWriter::Create(dir / "out"));
    std::ofstream(writer.temporary() + "/a") << "x";
    EXPECT_FALSE(fs::exists(dir / "out"));
    ASSERT_THAT(writer.Finish(), IsOk());
  }
  EXPECT_TRUE(fs::exists(dir / "out/a"));
  { ASSERT_OK_AND_ASSIGN(const FolderWriter given_up, FolderWriter::Create(dir / "other")); }
  EXPECT_EQ(EntriesIn(dir.path()), 1u) << "nothing is left of the other";
}

TEST(FolderWriter, AnEmptyFolderIsTakenAndAFullOneIsNot) {
  TempDir dir;
  fs::create_directory(dir / "empty");
  ASSERT_OK_AND_ASSIGN(FolderWriter writer, FolderWriter::Create(dir / "empty/"));
  ASSERT_THAT(writer.Finish(), IsOk());
  fs::create_directory(dir / "full");
  std::ofstream(dir / "full/a") << "x";
  EXPECT_THAT(FolderWriter::Create(dir / "full").status(),
              StatusIs(absl::StatusCode::kAlreadyExists, testing::HasSubstr("is not an empty folder")));
}

}  // namespace
}  // namespace gridsweep
