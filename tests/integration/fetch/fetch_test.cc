// `data fetch` against a server that misbehaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include "cli/fetch/download.h"
#include "cli/fetch/fetch_emnist.h"
#include "cli/fetch/zip_reader.h"
#include "common/base/sha256.h"
#include "tests/integration/fetch/zip_writer.h"
#include "tests/support/http_server.h"
#include "tests/support/idx_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Noise(size_t size, int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// An IDX file: for images twelve of noise, for labels theirs.
std::string IdxFile(bool images, int seed) {
  return images ? IdxImageFile(12, 28, 28, Noise(12 * 28 * 28, seed)) : IdxLabelFile(std::string(12, '\1'));
}

// The files of two splits as the official archive has them, small and not compressed.
std::vector<std::pair<std::string, std::string>> ArchiveMembers() {
  std::vector<std::pair<std::string, std::string>> members;
  int seed = 0;
  for (const char* split : {"balanced", "letters"}) {
    for (const std::string& name : EmnistFiles(split)) {
      const bool is_mapping = name.ends_with(".txt");
      const bool images = name.find("images") != std::string::npos;
      members.emplace_back("gzip/" + name, is_mapping ? "no mapping" : IdxFile(images, ++seed));
    }
  }
  return members;
}

std::set<std::string> Files(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.insert(entry.path().filename());
  return names;
}

class FetchTest : public ::testing::Test {
 protected:
  FetchTest() {
    context_.err.stream = &err_;
    context_.out.stream = &out_;
    context_.interruptions = [this] { return interruptions_; };
    spec_.directory = dir_ / "data";
    spec_.sha256 = Sha256Hex(zip_);
    spec_.stall_timeout = absl::Seconds(1);
    spec_.retry_pause = absl::ZeroDuration();
  }

  absl::Status Fetch(std::vector<HttpFault> script, bool ignore_range = false) {
    server_ = std::make_unique<HttpServer>(zip_, std::move(script), ignore_range);
    spec_.url = server_->Url();
    return FetchEmnist(spec_, context_);
  }

  void ExpectBalancedComplete() {
    const std::vector<std::string> names = EmnistFiles("balanced");
    EXPECT_EQ(Files(spec_.directory), std::set<std::string>(names.begin(), names.end())) << err_.str();
    for (const auto& [name, content] : members_) {
      const std::string path = spec_.directory + "/" + name.substr(5);
      if (std::filesystem::exists(path)) {
        EXPECT_EQ(ReadFile(path), content) << name;
      }
    }
  }

  const TempDir dir_;
  const std::vector<std::pair<std::string, std::string>> members_ = ArchiveMembers();
  const std::string zip_ = MakeZip(members_);
  std::ostringstream out_, err_;
  int interruptions_ = 0;
  Context context_;
  FetchEmnistSpec spec_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(FetchTest, FetchesTheWantedSplitAndNothingElse) {
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
  EXPECT_THAT(server_->Ranges(), ElementsAre(""));
}

TEST_F(FetchTest, GoesOnWhereABrokenConnectionStopped) {
  ASSERT_THAT(Fetch({{HttpFault::kTruncate, 20000}, {HttpFault::kTruncate, 7000}}), IsOk());
  ExpectBalancedComplete();
  EXPECT_THAT(server_->Ranges(), ElementsAre("", "bytes=20000-", "bytes=27000-"));
}

TEST_F(FetchTest, GoesOnAfterTheProgramItselfWasEnded) {
  std::filesystem::create_directories(spec_.directory);
  WriteFile(spec_.directory + "/emnist-gzip.zip.part", zip_.substr(0, 12345));
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
  EXPECT_THAT(server_->Ranges(), ElementsAre("bytes=12345-"));
}

TEST_F(FetchTest, ACompletePartIsOnlyVerified) {
  WriteFile(spec_.directory + "/emnist-gzip.zip.part", zip_);
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
}

TEST_F(FetchTest, BreaksOffAStalledConnection) {
  ASSERT_THAT(Fetch({{HttpFault::kStall, 20000}}), IsOk());
  ExpectBalancedComplete();
  EXPECT_THAT(server_->Ranges(), ElementsAre("", "bytes=20000-"));
}

TEST_F(FetchTest, AStallIsNamed) {
  ASSERT_THAT(Fetch({{HttpFault::kStall, 20000}}), IsOk());
  EXPECT_THAT(err_.str(), HasSubstr("nothing came from '" + spec_.url + "' for 1 s, trying again"));
}

TEST_F(FetchTest, AServerThatIgnoresRangesIsReadFromTheStart) {
  ASSERT_THAT(Fetch({{HttpFault::kTruncate, 20000}}, true), IsOk());
  ExpectBalancedComplete();
}

TEST_F(FetchTest, AServerThatNeverGetsFurtherIsGivenUp) {
  const std::vector<HttpFault> script(50, {HttpFault::kTruncate, 20000});
  EXPECT_THAT(Fetch(script, true), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("gave up")));
  EXPECT_LE(server_->Ranges().size(), 10u);
}

TEST_F(FetchTest, ACorruptDownloadLeavesNothingBehind) {
  EXPECT_THAT(Fetch({{HttpFault::kCorrupt, 1000}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not the expected file")));
  EXPECT_THAT(Files(spec_.directory), IsEmpty());
}

TEST_F(FetchTest, ALeftoverOfAnotherFileIsReplaced) {
  WriteFile(spec_.directory + "/emnist-gzip.zip.part", Noise(3000, 99));
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
  EXPECT_THAT(server_->Ranges(), ElementsAre("bytes=3000-", ""));
}

TEST_F(FetchTest, ABusyServerIsAskedAgain) {
  ASSERT_THAT(Fetch({{HttpFault::kStatus, 503}, {HttpFault::kStatus, 500}}), IsOk());
  ExpectBalancedComplete();
}

TEST_F(FetchTest, AMissingFileIsNotAskedForAgain) {
  EXPECT_THAT(Fetch({{HttpFault::kStatus, 404}}),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("HTTP status 404"), HasSubstr("--url"), HasSubstr("--from FILE"))));
  EXPECT_EQ(server_->Ranges().size(), 1u);
}

TEST_F(FetchTest, ARedirectToAnotherSchemeIsRefused) {
  const std::string secret = dir_ / "secret";
  WriteFile(secret, zip_);
  EXPECT_THAT(Fetch({{HttpFault::kRedirect, 0, "file://" + secret}}), Not(IsOk()));
  EXPECT_THAT(Files(spec_.directory), Not(testing::Contains("emnist-balanced-mapping.txt")));
}

TEST_F(FetchTest, AnInterruptionKeepsWhatArrived) {
  interruptions_ = 1;
  EXPECT_THAT(Fetch({{HttpFault::kStall, 20000}}), StatusIs(absl::StatusCode::kCancelled, testing::_));
  EXPECT_THAT(Files(spec_.directory), ElementsAre("emnist-gzip.zip.part"));
  interruptions_ = 0;
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
}

TEST_F(FetchTest, AnArchiveFromThisMachineNeedsNoNetwork) {
  spec_.from = dir_ / "gzip.zip";
  spec_.url = "http://127.0.0.1:1/unreachable";
  WriteFile(spec_.from, zip_);
  ASSERT_THAT(FetchEmnist(spec_, context_), IsOk());
  ExpectBalancedComplete();
  EXPECT_TRUE(std::filesystem::exists(spec_.from)) << "the user's own file stays";
}

TEST_F(FetchTest, AWrongArchiveFromThisMachineIsRefused) {
  spec_.from = dir_ / "gzip.zip";
  WriteFile(spec_.from, "not it");
  EXPECT_THAT(FetchEmnist(spec_, context_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("--sha256")));
}

TEST_F(FetchTest, AKeptArchiveServesOtherSplitsWithoutTheServer) {
  spec_.keep_archive = true;
  ASSERT_THAT(Fetch({}), IsOk());
  spec_.splits = {"letters"};
  spec_.url = "http://127.0.0.1:1/unreachable";
  ASSERT_THAT(FetchEmnist(spec_, context_), IsOk());
  EXPECT_THAT(Files(spec_.directory), testing::Contains("emnist-letters-mapping.txt"));
}

TEST_F(FetchTest, WhatIsThereIsNotFetchedAgain) {
  ASSERT_THAT(Fetch({}), IsOk());
  ASSERT_THAT(Fetch({}), IsOk());
  EXPECT_THAT(server_->Ranges(), IsEmpty());
  EXPECT_THAT(err_.str(), HasSubstr("--force"));
}

TEST_F(FetchTest, AnUnknownSplitIsNamedBeforeAnythingIsDownloaded) {
  spec_.splits = {"leters"};
  EXPECT_THAT(Fetch({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you mean 'letters'")));
  EXPECT_THAT(server_->Ranges(), IsEmpty());
}

TEST_F(FetchTest, WhatIsThereButBrokenIsFetchedAnew) {
  ASSERT_THAT(Fetch({}), IsOk());
  const std::string labels = spec_.directory + "/" + EmnistFiles("balanced")[1];
  WriteFile(labels, ReadFile(labels).substr(0, 10));
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
  EXPECT_THAT(err_.str(), HasSubstr("incomplete or broken"));
  std::filesystem::remove(labels);
  ASSERT_THAT(Fetch({}), IsOk());
  ExpectBalancedComplete();
}

TEST_F(FetchTest, ABrokenFileThatWouldHideTheFetchedOneIsNamed) {
  const std::string hidden = EmnistFiles("balanced")[0];
  const std::string hiding = hidden.substr(0, hidden.size() - 3);
  WriteFile(spec_.directory + "/" + hiding, "broken");
  EXPECT_THAT(Fetch({}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(hiding + "' would be read")));
  EXPECT_THAT(server_->Ranges(), IsEmpty());
}

TEST_F(FetchTest, EachSplitIsFetchedOnceHoweverOftenItIsNamed) {
  spec_.splits = {"letters", "balanced", "letters"};
  ASSERT_THAT(Fetch({}), IsOk());
  EXPECT_EQ(err_.str().find("emnist-letters is in"), err_.str().rfind("emnist-letters is in"));
  EXPECT_THAT(Files(spec_.directory), testing::SizeIs(10));
}

TEST(EmnistSplits, AllStandsForEachOnce) {
  EXPECT_THAT(*ExpandEmnistSplits({"letters", "all", "digits"}),
              ElementsAre("letters", "balanced", "byclass", "bymerge", "digits", "mnist"));
  EXPECT_THAT(*ExpandEmnistSplits({"all"}), testing::SizeIs(6));
  EXPECT_THAT(ExpandEmnistSplits({"all", "leters"}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you mean 'letters'")));
}

TEST_F(FetchTest, AFullDiskIsNamedAndLeavesNoHalfFile) {
  std::filesystem::create_directories(spec_.directory);
  spec_.from = dir_ / "gzip.zip";
  WriteFile(spec_.from, zip_);
  // Writing past the limit fails like a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{.rlim_cur = 3000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const absl::Status status = FetchEmnist(spec_, context_);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(status, Not(IsOk()));
  EXPECT_THAT(Message(status), HasSubstr("cannot write"));
  EXPECT_THAT(Files(spec_.directory), IsEmpty());
}

class ZipReaderTest : public ::testing::Test {
 protected:
  std::string ReadMember(const std::string& archive, const std::string& base_name, absl::Status* status) {
    const std::string path = dir_ / "a.zip";
    WriteFile(path, archive);
    std::string content;
    const absl::StatusOr<ZipReader> zip = ZipReader::Open(path);
    *status = zip.status();
    if (!zip.ok()) return "";
    const ZipMember* member = zip->FindByBaseName(base_name);
    if (member == nullptr) {
      *status = absl::NotFoundError("no member");
      return "";
    }
    *status = zip->Read(*member, [&](std::string_view piece) {
      content += piece;
      return absl::OkStatus();
    });
    return content;
  }

  const TempDir dir_;
  absl::Status status_;
};

TEST_F(ZipReaderTest, ReadsStoredAndDeflatedMembers) {
  const std::string large(3'000'000, 'x');
  const std::string zip =
      MakeZip({{"d/stored", "abc"}, {"d/deflated", large}, {"empty", ""}, {"empty2", ""}});
  EXPECT_EQ(ReadMember(zip, "stored", &status_), "abc");
  EXPECT_EQ(ReadMember(zip, "deflated", &status_), large);
  EXPECT_EQ(ReadMember(zip, "empty", &status_), "");
  EXPECT_THAT(status_, IsOk());
  EXPECT_EQ(ReadMember(zip, "empty2", &status_), "");
  EXPECT_THAT(status_, IsOk());
}

TEST_F(ZipReaderTest, EveryCutIsNoticed) {
  const std::string zip = MakeZip({{"a", "some text"}, {"b", Noise(300, 1)}});
  for (size_t size = 0; size < zip.size(); ++size) {
    ReadMember(zip.substr(0, size), "b", &status_);
    ASSERT_FALSE(status_.ok()) << "cut to " << size;
  }
}

TEST_F(ZipReaderTest, NoFlippedByteGoesUnnoticedOrDoesHarm) {
  const std::string content = Noise(300, 2);
  const std::string zip = MakeZip({{"a", "some text"}, {"b", content}});
  for (size_t at = 0; at < zip.size(); ++at) {
    for (const int bit : {0, 7}) {
      std::string damaged = zip;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      const std::string read = ReadMember(damaged, "b", &status_);
      // Some bytes carry nothing we use, such as times; what is handed out as good must be good.
      if (status_.ok()) {
        ASSERT_EQ(read, content) << "byte " << at;
      }
    }
  }
}

TEST_F(ZipReaderTest, SomethingElseIsNoArchive) {
  ReadMember("hello", "a", &status_);
  EXPECT_THAT(status_, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a ZIP archive")));
  EXPECT_THAT(ZipReader::Open(dir_ / "absent").status(), StatusIs(absl::StatusCode::kNotFound, testing::_));
}

}  // namespace
}  // namespace gridsweep
