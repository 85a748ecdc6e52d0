#include "common/data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/data/idx_files.h"

namespace gridsweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of reading everything, and of looking at header and size alone.
std::string ImageError(const std::string& path, absl::StatusCode code) {
  const auto images = ReadIdxImages(path);
  EXPECT_EQ(ReadIdxImagesHeader(path).status(), images.status());
  EXPECT_EQ(images.status().code(), code) << images.status();
  return Message(images.status());
}

TEST(Idx, ReadsPlainImages) {
  TempFolder folder;
  const auto images = ReadIdxImages(folder.Write("a", Idx3(2, 1, 3, {1, 2, 3, 4, 5, 255})));
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_EQ(images->count, 2);
  EXPECT_EQ(images->rows, 1);
  EXPECT_EQ(images->columns, 3);
  EXPECT_THAT(images->pixels, ElementsAre(1, 2, 3, 4, 5, 255));
}

TEST(Idx, ReadsGzippedFiles) {
  TempFolder folder;
  const auto images = ReadIdxImages(Gzip(folder.Write("a", Idx3(1, 2, 2, {9, 8, 7, 6}))));
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(images->pixels, ElementsAre(9, 8, 7, 6));
  const auto labels = ReadIdxLabels(Gzip(folder.Write("b", Idx1({3, 1, 4}))));
  ASSERT_TRUE(labels.ok()) << labels.status();
  EXPECT_THAT(*labels, ElementsAre(3, 1, 4));
}

TEST(Idx, TheHeaderIsReadAlone) {
  TempFolder folder;
  const std::string plain = folder.Write("a", Idx3(2, 1, 3, {1, 2, 3, 4, 5, 255}));
  const std::string copy = folder.Write("b", ReadFile(plain));
  for (const std::string& path : {plain, Gzip(copy)}) {
    const auto images = ReadIdxImagesHeader(path);
    ASSERT_TRUE(images.ok()) << images.status();
    EXPECT_EQ(images->count, 2);
    EXPECT_EQ(images->rows, 1);
    EXPECT_EQ(images->columns, 3);
    EXPECT_TRUE(images->pixels.empty());
  }
}

TEST(Idx, AGzipFileOfSeveralMembersIsWhole) {
  TempFolder folder;
  const std::string whole = Idx3(2, 1, 3, {1, 2, 3, 4, 5, 255});
  const std::string head = ReadFile(Gzip(folder.Write("a", whole.substr(0, 18))));
  const std::string tail = ReadFile(Gzip(folder.Write("b", whole.substr(18))));
  EXPECT_TRUE(ReadIdxImagesHeader(folder.Write("c.gz", head + tail)).ok());
}

TEST(Idx, ReadsContentLongerThanOneChunk) {
  TempFolder folder;
  std::vector<uint8_t> pixels(20'000'000);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 7 % 251);
  const auto images = ReadIdxImages(folder.Write("a", Idx3(20'000, 100, 10, pixels)));
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_TRUE(images->pixels == pixels);
}

TEST(Idx, MissingFileIsNotFound) {
  EXPECT_THAT(ImageError("/nonexistent/x", absl::StatusCode::kNotFound), HasSubstr("'/nonexistent/x'"));
}

TEST(Idx, FolderIsAnError) {
  TempFolder folder;
  EXPECT_FALSE(ReadIdxImages(folder.path()).ok());
}

TEST(Idx, WrongMagicNamesBoth) {
  TempFolder folder;
  EXPECT_THAT(ImageError(folder.Write("labels", Idx1(std::vector<uint8_t>(40))), absl::StatusCode::kDataLoss),
              AllOf(HasSubstr("0x00000801"), HasSubstr("0x00000803"), HasSubstr("labels")));
}

TEST(Idx, EmptyFileIsTruncated) {
  TempFolder folder;
  EXPECT_THAT(ImageError(folder.Write("a", ""), absl::StatusCode::kDataLoss), HasSubstr("truncated"));
}

TEST(Idx, MissingContentIsTruncated) {
  TempFolder folder;
  EXPECT_THAT(ImageError(folder.Write("a", Idx3(2, 2, 2, {1, 2, 3})), absl::StatusCode::kDataLoss),
              AllOf(HasSubstr("promises 8 bytes"), HasSubstr("holds 3")));
}

TEST(Idx, TruncatedGzipIsNoticed) {
  TempFolder folder;
  std::vector<uint8_t> pixels(4000);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i % 253);
  const std::string whole = ReadFile(Gzip(folder.Write("a", Idx3(1, 40, 100, pixels))));
  EXPECT_THAT(
      ImageError(folder.Write("b.gz", whole.substr(0, whole.size() / 2)), absl::StatusCode::kDataLoss),
      HasSubstr("truncated"));
  // All content is there, only the checksum is cut off.
  EXPECT_THAT(
      ImageError(folder.Write("c.gz", whole.substr(0, whole.size() - 4)), absl::StatusCode::kDataLoss),
      HasSubstr("truncated"));
}

TEST(Idx, CorruptGzipIsNoticed) {
  TempFolder folder;
  std::string bytes = ReadFile(Gzip(folder.Write("a", Idx3(1, 40, 100, std::vector<uint8_t>(4000, 5)))));
  bytes[bytes.size() - 6] ^= 0x55;  // a byte of the checksum
  EXPECT_THAT(Message(ReadIdxImages(folder.Write("b.gz", bytes)).status()), HasSubstr("corrupt"));
}

TEST(Idx, TrailingBytesAreAnError) {
  TempFolder folder;
  EXPECT_THAT(ImageError(folder.Write("a", Idx3(1, 1, 2, {1, 2, 3})), absl::StatusCode::kDataLoss),
              HasSubstr("holds more than the 2 bytes"));
}

TEST(Idx, AbsurdSizesAreRefusedWithoutAllocating) {
  TempFolder folder;
  EXPECT_THAT(ImageError(folder.Write("a", Idx3(0xffffffff, 0xffffffff, 0xffffffff, {})),
                         absl::StatusCode::kDataLoss),
              HasSubstr("2 GiB"));
  EXPECT_THAT(ImageError(folder.Write("b", Idx3(2'000'000, 32, 32, {1})), absl::StatusCode::kDataLoss),
              HasSubstr("truncated"));
}

}  // namespace
}  // namespace gridsweep
