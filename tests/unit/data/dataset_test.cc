#include "common/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/mend.h"
#include "tests/unit/data/idx_files.h"

namespace gridsweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// Two train images and one test image of 2 x 3 pixels.
void WriteSet(const TempFolder& folder, const std::string& name, std::vector<uint8_t> train_labels = {0, 1},
              std::vector<uint8_t> test_labels = {1}) {
  folder.Write(name + "-train-images-idx3-ubyte", Idx3(2, 2, 3, {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}));
  folder.Write(name + "-train-labels-idx1-ubyte", Idx1(train_labels));
  folder.Write(name + "-test-images-idx3-ubyte", Idx3(1, 2, 3, {21, 22, 23, 24, 25, 26}));
  folder.Write(name + "-test-labels-idx1-ubyte", Idx1(test_labels));
}

absl::StatusOr<Dataset> FindAndLoad(const std::string& name, const TempFolder& folder) {
  GS_ASSIGN_OR_RETURN(const DatasetFiles files, FindDataset(name, {folder.path()}));
  return LoadDataset(files);
}

std::string LoadError(const std::string& name, const TempFolder& folder) {
  const auto data = FindAndLoad(name, folder);
  EXPECT_EQ(data.status().code(), absl::StatusCode::kDataLoss) << data.status();
  return Message(data.status());
}

TEST(Dataset, ReadsAllFourFiles) {
  TempFolder folder;
  WriteSet(folder, "tiny");
  const auto data = FindAndLoad("tiny", folder);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->name, "tiny");
  EXPECT_EQ(data->rows, 2);
  EXPECT_EQ(data->columns, 3);
  EXPECT_THAT(data->class_names, ElementsAre("0", "1"));
  EXPECT_THAT(data->train_labels, ElementsAre(0, 1));
  EXPECT_THAT(data->test_labels, ElementsAre(1));
  EXPECT_THAT(data->train_pixels, ElementsAre(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16));
  EXPECT_THAT(data->test_pixels, ElementsAre(21, 22, 23, 24, 25, 26));
  EXPECT_EQ(data->digest.size(), 64u);
}

TEST(Dataset, EmnistIsTurnedUpright) {
  TempFolder folder;
  WriteSet(folder, "emnist-tiny");
  const auto data = FindAndLoad("emnist-tiny", folder);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->rows, 3);
  EXPECT_EQ(data->columns, 2);
  EXPECT_THAT(data->train_pixels, ElementsAre(1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16));
  EXPECT_THAT(data->test_pixels, ElementsAre(21, 24, 22, 25, 23, 26));
}

TEST(Dataset, LettersStartAtOne) {
  TempFolder folder;
  WriteSet(folder, "emnist-letters", {1, 26}, {2});
  const auto data = FindAndLoad("emnist-letters", folder);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->train_labels, ElementsAre(0, 25));
  EXPECT_THAT(data->test_labels, ElementsAre(1));
  EXPECT_EQ(data->classes(), 26);
}

TEST(Dataset, LabelOfZeroAmongLettersIsOutOfRange) {
  TempFolder folder;
  WriteSet(folder, "emnist-letters", {1, 0}, {2});
  EXPECT_THAT(LoadError("emnist-letters", folder),
              AllOf(HasSubstr("label 0 of image 1"), HasSubstr("expected 1 to 26"),
                    HasSubstr("gridsweep data fetch emnist --split letters")));
}

TEST(Dataset, ClassesThatNoImageHasStillCount) {
  TempFolder folder;
  WriteSet(folder, "emnist-balanced", {3, 4}, {5});
  const auto data = FindAndLoad("emnist-balanced", folder);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->classes(), 47);
}

TEST(Dataset, LabelBeyondTheKnownClassesIsOutOfRange) {
  TempFolder folder;
  WriteSet(folder, "fashion-mnist", {0, 9}, {10});
  EXPECT_THAT(
      LoadError("fashion-mnist", folder),
      AllOf(HasSubstr("label 10 of image 0"), HasSubstr("test-labels"), HasSubstr("replace the file")));
  EXPECT_EQ(MendDataset("fashion-mnist", "/usr/share/datasets/fashion-mnist", true),
            "run: apt-get install --reinstall dataset-fashion-mnist");
}

TEST(Dataset, MappingFileNamesAndLimitsTheClasses) {
  TempFolder folder;
  WriteSet(folder, "mine");
  folder.Write("mine-mapping.txt", "0 65\n1 66\n2 67\n");
  auto data = FindAndLoad("mine", folder);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->class_names, ElementsAre("A", "B", "C"));
  folder.Write("mine-mapping.txt", "0 65\n");
  EXPECT_THAT(LoadError("mine", folder), HasSubstr("label 1 of image 1"));
}

TEST(Dataset, CountsMustAgree) {
  TempFolder folder;
  WriteSet(folder, "tiny", {0, 1, 1});
  EXPECT_THAT(LoadError("tiny", folder),
              AllOf(HasSubstr("3 labels"), HasSubstr("2 images"), HasSubstr("--data-dir")));
}

TEST(Dataset, ImageSizesMustAgree) {
  TempFolder folder;
  WriteSet(folder, "tiny");
  folder.Write("tiny-test-images-idx3-ubyte", Idx3(1, 3, 3, std::vector<uint8_t>(9)));
  EXPECT_THAT(LoadError("tiny", folder), HasSubstr("3 x 3"));
}

TEST(Dataset, EmptySetIsAnError) {
  TempFolder folder;
  WriteSet(folder, "tiny", {0, 1}, {});
  folder.Write("tiny-test-images-idx3-ubyte", Idx3(0, 2, 3, {}));
  EXPECT_THAT(LoadError("tiny", folder), HasSubstr("no images"));
}

TEST(Dataset, ClassesAreThoseOfTheTrainingSetWithoutAGap) {
  TempFolder gap, stranger;
  WriteSet(gap, "tiny", {0, 2});
  EXPECT_THAT(LoadError("tiny", gap), HasSubstr("none of class 1"));
  WriteSet(stranger, "tiny", {0, 0});
  EXPECT_THAT(LoadError("tiny", stranger), HasSubstr("is no class of"));
}

TEST(Dataset, DigestIsThatOfTheContent) {
  TempFolder plain, zipped, other;
  WriteSet(plain, "tiny");
  WriteSet(zipped, "tiny");
  for (const char* file : {"train-images-idx3-ubyte", "test-labels-idx1-ubyte"}) {
    Gzip(zipped.path() + "/tiny-" + file);
  }
  WriteSet(other, "tiny", {1, 0});
  const auto a = FindAndLoad("tiny", plain), b = FindAndLoad("tiny", zipped), c = FindAndLoad("tiny", other);
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_EQ(a->digest, b->digest);
  EXPECT_NE(a->digest, c->digest);
  EXPECT_EQ(a->digest, "69edb5862a99ff3130f23677c67236ac5c67a9c1f3cfbcea84ec34025b120f9b");
}

TEST(FindDataset, FindsAllThreeLayouts) {
  TempFolder flat, nested, usual;
  WriteSet(flat, "tiny");
  WriteSet(nested, "tiny/tiny");
  for (const char* part : {"train", "t10k"}) {
    usual.Write(std::string("tiny/") + part + "-images-idx3-ubyte", Idx3(1, 1, 1, {1}));
    usual.Write(std::string("tiny/") + part + "-labels-idx1-ubyte", Idx1({0}));
  }
  for (const TempFolder* folder : {&flat, &nested, &usual}) {
    const auto data = FindAndLoad("tiny", *folder);
    EXPECT_TRUE(data.ok()) << data.status();
  }
  const auto files = FindDataset("tiny", {usual.path()});
  EXPECT_EQ(files->directory, usual.path() + "/tiny");
  EXPECT_EQ(files->bytes, 2 * 17 + 2 * 9);
}

TEST(FindDataset, FirstDirectoryWins) {
  TempFolder a, b;
  WriteSet(a, "tiny");
  WriteSet(b, "tiny");
  EXPECT_EQ(FindDataset("tiny", {"/nonexistent", b.path(), a.path()})->directory, b.path());
}

TEST(FindDataset, AbsentSetNamesThePlacesAndTheCommand) {
  const auto error = [](const char* name) {
    const auto files = FindDataset(name, {"/nonexistent/a", "/nonexistent/b"});
    EXPECT_EQ(files.status().code(), absl::StatusCode::kNotFound);
    return Message(files.status());
  };
  EXPECT_THAT(error("emnist-balanced"),
              AllOf(HasSubstr("'/nonexistent/a', '/nonexistent/b'"),
                    EndsWith("run: gridsweep data fetch emnist --split balanced --to "
                             "/nonexistent/a")));
  EXPECT_THAT(Message(FindDataset("emnist-balanced", {"/nonexistent/a", DefaultDataDirs().front()}).status()),
              EndsWith("run: gridsweep data fetch emnist --split balanced"));
  EXPECT_THAT(error("fashion-mnist"), EndsWith("run: apt-get install dataset-fashion-mnist"));
  EXPECT_THAT(error("emnist-mine"), AllOf(HasSubstr("--data-dir"), Not(HasSubstr("fetch"))));
}

TEST(FindDataset, IncompleteSetSaysWhatIsMissing) {
  TempFolder folder;
  WriteSet(folder, "tiny");
  std::filesystem::remove(folder.path() + "/tiny-test-labels-idx1-ubyte");
  const auto files = FindDataset("tiny", {folder.path()});
  EXPECT_EQ(files.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Message(files.status()),
              AllOf(HasSubstr("missing tiny-test-labels-idx1-ubyte"), Not(HasSubstr("train"))));
}

TEST(FindDataset, NameIsNeverAPath) {
  for (const char* name : {"", ".", "..", "../etc", "a/b", ".hidden", "a b", "a\n", "\xc3\xa9"}) {
    EXPECT_EQ(FindDataset(name, {"/"}).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(CheckDatasetName(std::string(129, 'a')).ok());
  EXPECT_TRUE(CheckDatasetName(std::string(128, 'a')).ok());
  EXPECT_TRUE(CheckDatasetName("emnist-balanced_2.0").ok());
}

TEST(ListDatasets, ListsCompleteSetsByName) {
  TempFolder a, b;
  WriteSet(a, "zeta");
  WriteSet(a, "alpha/alpha");
  WriteSet(b, "zeta");
  WriteSet(b, "beta");
  a.Write("broken-train-images-idx3-ubyte", "");
  a.Write("notes.txt", "");
  std::vector<std::string> names, places;
  for (const DatasetFiles& files : ListDatasets({a.path(), b.path(), "/nonexistent"})) {
    names.push_back(files.name);
    places.push_back(files.directory);
  }
  EXPECT_THAT(names, ElementsAre("alpha", "beta", "zeta"));
  EXPECT_THAT(places, ElementsAre(a.path() + "/alpha", b.path(), a.path()));
}

TEST(ListDatasets, SeesWhatFindDatasetSees) {
  TempFolder a, b;
  WriteSet(a, "tiny");
  WriteSet(b, "tiny");
  std::filesystem::remove(a.path() + "/tiny-train-images-idx3-ubyte");
  ASSERT_FALSE(FindDataset("tiny", {a.path(), b.path()}).ok());
  EXPECT_TRUE(ListDatasets({a.path(), b.path()}).empty());
  ASSERT_EQ(ListDatasets({b.path(), a.path()}).size(), 1u);
  EXPECT_EQ(ListDatasets({b.path(), a.path()})[0].directory, b.path());
}

// The problem of the one data set in a folder, as a listing shows it.
std::string Problem(const TempFolder& folder) {
  const std::vector<InspectedDataset> list = InspectDatasets({folder.path()});
  EXPECT_EQ(list.size(), 1u);
  if (list.size() != 1) return "";
  const std::string problem = Message(list[0].summary.status());
  EXPECT_EQ(FindUsableDataset(list[0].files.name, {folder.path()}).ok(), problem.empty());
  return problem;
}

TEST(InspectDatasets, CountsWithoutReadingImages) {
  TempFolder folder;
  WriteSet(folder, "tiny", {0, 2}, {1});
  folder.Write("tiny-mapping.txt", "0 97\n1 98\n2 99\n");
  const std::vector<InspectedDataset> list = InspectDatasets({folder.path(), "/nonexistent"});
  ASSERT_EQ(list.size(), 1u);
  ASSERT_TRUE(list[0].summary.ok()) << list[0].summary.status();
  EXPECT_EQ(list[0].summary->train_size, 2);
  EXPECT_EQ(list[0].summary->test_size, 1);
  EXPECT_EQ(list[0].summary->classes, 3);
}

TEST(InspectDatasets, AnIncompleteSetIsListedWhicheverFileIsMissing) {
  for (const char* file :
       {"train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"}) {
    TempFolder folder;
    WriteSet(folder, "emnist-balanced");
    std::filesystem::remove(fmt::format("{}/emnist-balanced-{}-ubyte", folder.path(), file));
    folder.Write("notes.txt", "");
    EXPECT_THAT(Problem(folder),
                AllOf(HasSubstr(fmt::format("missing emnist-balanced-{}-ubyte", file)),
                      EndsWith("run: gridsweep data fetch emnist --split balanced --to " + folder.path())));
  }
}

TEST(InspectDatasets, FilesThatDoNotFitTogetherAreListedWithTheCommand) {
  TempFolder folder;
  WriteSet(folder, "emnist-letters", {1, 26}, {3});
  EXPECT_EQ(Problem(folder), "");
  folder.Write("emnist-letters-train-labels-idx1-ubyte", Idx1({1}));
  EXPECT_THAT(Problem(folder), AllOf(HasSubstr("holds 1 labels, but"), HasSubstr("holds 2 images"),
                                     HasSubstr("run: gridsweep data fetch emnist --split letters")));
  folder.Write("emnist-letters-train-labels-idx1-ubyte", Idx1({1, 27}));
  EXPECT_THAT(Problem(folder), HasSubstr("label 27 of image 1 is out of range"));
}

TEST(InspectDatasets, ACutOrForeignFileIsListed) {
  TempFolder folder;
  WriteSet(folder, "tiny");
  const std::string images = folder.path() + "/tiny-train-images-idx3-ubyte";
  const std::string whole = ReadFile(images);
  folder.Write("tiny-train-images-idx3-ubyte", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(Problem(folder), HasSubstr("is truncated"));
  folder.Write("tiny-train-images-idx3-ubyte", "<html>not found</html>");
  EXPECT_THAT(Problem(folder), HasSubstr("is not an idx3-ubyte file"));
  folder.Write("tiny-train-images-idx3-ubyte", whole);
  EXPECT_EQ(Problem(folder), "");
  const std::string zipped = Gzip(images);
  EXPECT_EQ(Problem(folder), "");
  const std::string bytes = ReadFile(zipped);
  folder.Write("tiny-train-images-idx3-ubyte.gz", bytes.substr(0, bytes.size() - 5));
  EXPECT_THAT(Problem(folder), HasSubstr("is truncated"));
}

TEST(DefaultDataDirs, FollowTheUsersDataHome) {
  setenv("XDG_DATA_HOME", "/somewhere", 1);
  EXPECT_THAT(DefaultDataDirs(), ElementsAre("/somewhere/gridsweep/data", "/usr/share/datasets"));
  unsetenv("XDG_DATA_HOME");
  setenv("HOME", "/home/me", 1);
  EXPECT_THAT(DefaultDataDirs(), ElementsAre("/home/me/.local/share/gridsweep/data", "/usr/share/datasets"));
}

TEST(Dataset, ReadsDebiansFashionMnist) {
  const auto files = FindDataset("fashion-mnist", {"/usr/share/datasets"});
  if (!files.ok()) GTEST_SKIP() << Message(files.status());
  const auto data = LoadDataset(*files);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->train_labels.size(), 60'000u);
  EXPECT_EQ(data->test_labels.size(), 10'000u);
  EXPECT_EQ(data->class_names[data->test_labels[0]], "Ankle boot");
}

}  // namespace
}  // namespace gridsweep
