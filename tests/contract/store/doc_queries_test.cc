// Every query in docs/results-database.md runs, and every column of every view is documented there.
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

std::string Document() {
  return ReadFile(std::string(GRIDSWEEP_SOURCE_DIR) + "/docs/results-database.md");
}

std::vector<std::string> SqlBlocks(const std::string& text) {
  const std::string open = "```sql\n";
  std::vector<std::string> blocks;
  for (size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    blocks.push_back(text.substr(at, text.find("```", at) - at));
  }
  return blocks;
}

class DocQueriesTest : public SqliteFileTest {
 protected:
  // Sweep 1 has every kind of job.
  DocQueriesTest() {
    Open();
    s_->Submit();
    const std::vector<ClaimedJob> jobs = s_->Claim(7);
    for (size_t i = 0; i < 4; ++i)
      s_->Succeed(jobs[i].attempt, {0.5, 0.6 + 0.05 * static_cast<double>(i), 0.6});
    s_->Diverge(jobs[4].attempt);
    s_->Fail(jobs[5].attempt, "boom");
    EXPECT_THAT(s_->TryEpoch(jobs[6].attempt, 1, MakeEpoch(1, 0.5)), IsOk());
    EXPECT_THAT(s_->store().StoreAnalysis(SweepId{1}, Analysis(), At(60)), IsOk());
  }

  // As the coordinator makes it.
  SweepAnalysis Analysis() {
    EffectsInput input{.cells = s_->reader().ListResults(SweepId{1}).value(),
                       .axes = {},
                       .levels = s_->reader().AxisLevels(SweepId{1}).value(),
                       .metric = "val_accuracy",
                       .measure = {Goal::kMax}};
    for (const Axis axis : kAllAxes) input.axes.emplace_back(AxisName(axis));
    return {.results = 6,
            .axes = input.axes,
            .effects = AnalyzeEffects(input),
            .standings = CompareWithLeader(ObjectivesOf(input.cells), input.measure)};
  }
};

TEST_F(DocQueriesTest, EveryQueryReturnsRows) {
  const std::vector<std::string> blocks = SqlBlocks(Document());
  EXPECT_GE(blocks.size(), 10u);
  for (const std::string& sql : blocks) {
    const absl::StatusOr<QueryResult> result = s_->reader().Query(sql, {});
    ASSERT_THAT(result, IsOk()) << sql;
    EXPECT_FALSE(result->rows.empty()) << sql;
  }
}

TEST_F(DocQueriesTest, EveryColumnIsDocumented) {
  const std::string text = Document();
  for (const char* view : {"v_sweeps", "v_jobs", "v_epochs", "v_ranking", "v_confusion", "v_predictions",
                           "v_attempts", "v_checkpoints", "v_models", "v_workers", "v_effects", "v_levels",
                           "v_revisions", "v_sample_images"}) {
    const std::string heading = fmt::format("### {}\n", view);
    const size_t start = text.find(heading);
    ASSERT_NE(start, std::string::npos) << view;
    const size_t end = text.find("\n#", start + heading.size());
    const std::string section = text.substr(start, end - start);
    ASSERT_OK_AND_ASSIGN(const QueryResult result,
                         s_->reader().Query(fmt::format("SELECT * FROM {} LIMIT 1", view), {}));
    for (const std::string& column : result.columns) {
      EXPECT_THAT(section, HasSubstr("`" + column + "`")) << view;
    }
  }
}

}  // namespace
}  // namespace gridsweep
