// Every example sweep, and every YAML example of the documentation, parses and expands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/sweep/grid.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void ExpectExpands(const std::string& text, const std::string& name) {
  const auto spec = ParseSweep(text, name, Catalog::Builtin());
  ASSERT_THAT(spec, IsOk());
  const Grid grid(*spec);
  EXPECT_GE(grid.cells(), 1) << name;
  for (int64_t index = 0; index < grid.combinations(); ++index) {
    if (grid.IsExcluded(index)) continue;
    const JobSpec job = grid.Job(index, spec->seeds[0]);
    ASSERT_THAT(JobSpecFromJson(JobSpecToJson(job), Catalog::Builtin()), IsOk()) << name << " " << index;
  }
}

std::vector<std::filesystem::path> SweepFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GRIDSWEEP_SOURCE_DIR "/sweeps")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(ExampleSweeps, ParseExpandAndAreNamedAfterTheirFile) {
  EXPECT_GE(SweepFiles().size(), 8u);
  for (const std::filesystem::path& file : SweepFiles()) {
    const std::string text = ReadFile(file);
    ExpectExpands(text, file.filename().string());
    EXPECT_EQ(Parse(text)->name, file.stem().string());
    EXPECT_EQ(text.front(), '#') << file << " says what it shows";
  }
}

int64_t CellsOf(const std::string& name) {
  const SweepSpec spec = Parse(ReadFile(std::string(GRIDSWEEP_SOURCE_DIR "/sweeps/") + name)).value();
  return Grid(spec).cells();
}

TEST(ExampleSweeps, HaveTheSizesTheirCommentsSay) {
  EXPECT_EQ(CellsOf("quickstart.yaml"), 16);
  EXPECT_EQ(CellsOf("emnist-seed-study.yaml"), 36);
  EXPECT_EQ(CellsOf("emnist-reference.yaml"), 2 * 3 * 3 * 4 * 3);
  EXPECT_EQ(CellsOf("nested-parameters.yaml"), 7);
}

TEST(Documentation, ExamplesParse) {
  const std::string text = ReadFile(GRIDSWEEP_SOURCE_DIR "/docs/sweep-file.md");
  const std::string fence = "```yaml\n";
  int examples = 0;
  for (size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    const size_t start = at + fence.size();
    const size_t end = text.find("```", start);
    ASSERT_NE(end, std::string::npos);
    ExpectExpands(text.substr(start, end - start),
                  "example " + std::to_string(++examples) + " of sweep-file.md");
    at = end;
  }
  EXPECT_GE(examples, 5);
}

TEST(Documentation, NamesEveryTrainingSettingWithItsBounds) {
  const std::string text = ReadFile(GRIDSWEEP_SOURCE_DIR "/docs/sweep-file.md");
  for (const ParamSpec& param : TrainingParams()) {
    const std::string row = "| `" + param.name + "` | " + param.Expectation() + " | `" +
                            ParamValueText(param.default_value) + "` |";
    EXPECT_THAT(text, testing::HasSubstr(row));
  }
}

}  // namespace
}  // namespace gridsweep
