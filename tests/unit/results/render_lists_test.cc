#include "common/results/render_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/results/table_formats.h"

namespace gridsweep {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(FormatAge, IsRoughOnPurpose) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000'000);
  EXPECT_EQ(FormatAge(now, now), "just now");
  EXPECT_EQ(FormatAge(now + absl::Seconds(5), now), "just now");  // clocks differ
  EXPECT_EQ(FormatAge(now - absl::Seconds(42), now), "42 s ago");
  EXPECT_EQ(FormatAge(now - absl::Minutes(3), now), "3 min ago");
  EXPECT_EQ(FormatAge(now - absl::Hours(50), now), "2 d ago");
}

TEST(JobTable, PeopleSeeOnlyAxesThatVary) {
  const std::vector<JobLine> jobs = {{.id = 1, .state = "pending", .labels = {"mlp", "relu"}, .seed = 1},
                                     {.id = 2, .state = "failed", .labels = {"cnn", "relu"}, .seed = 1}};
  const Table table = JobTable(jobs, {"model", "activation"}, "val_accuracy");
  EXPECT_THAT(RenderTable(table, {}), Not(HasSubstr("activation")));
  EXPECT_THAT(RenderCsv(table), HasSubstr("id,state,model,activation,seed"));
}

TEST(JobTable, LabelsAreShortenedWhereTheyDoNotFit) {
  const std::vector<JobLine> jobs = {
      {.id = 1, .state = "failed", .labels = {"mlp", "sgd(lr=0.05, momentum=0.9)"}, .seed = 1},
      {.id = 2, .state = "failed", .labels = {"mlp", "sgd(lr=0.01, momentum=0.9)"}, .seed = 1}};
  std::string legend;
  Table table = JobTable(jobs, {"model", "optimizer"}, "val_accuracy", 120, &legend);
  EXPECT_EQ(legend, "");
  EXPECT_THAT(RenderTable(table, {}), HasSubstr("sgd(lr=0.05, momentum=0.9)"));
  table = JobTable(jobs, {"model", "optimizer"}, "val_accuracy", 50, &legend);
  EXPECT_EQ(legend, "in all of these jobs: sgd: momentum=0.9");
  EXPECT_THAT(RenderTable(table, {.width = 50}), HasSubstr("  sgd(lr=0.05)  "));
  EXPECT_THAT(RenderCsv(table), HasSubstr("\"sgd(lr=0.05, momentum=0.9)\""))
      << "machines get the whole label";
}

TEST(QueryTable, KeepsNullsEmptyTextsAndNumbersApart) {
  const Table table = QueryTable({"a", "b"}, {{std::monostate(), std::string()}, {int64_t{3}, 0.5}});
  EXPECT_EQ(RenderCsv(table), "a,b\r\n,\r\n3,0.5\r\n");
  EXPECT_THAT(RenderTable(table, {}), HasSubstr("NULL"));
  EXPECT_EQ(TableToJson(table)[1].dump(), R"({"a":3,"b":0.5})");
}

TEST(QueryTable, BlobsAreHexadecimalAndCutOnlyForPeople) {
  const Table table =
      QueryTable({"b"}, {{QueryBlob{"A\xff"}}, {QueryBlob{std::string(1234, '\x0a')}}, {QueryBlob{}}});
  EXPECT_THAT(RenderTable(table, {}),
              HasSubstr("\nx'41ff'\nx'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a…' (1,234 bytes)\nx''\n"));
  std::string full;
  for (int i = 0; i < 1234; ++i) full += "0a";
  EXPECT_EQ(RenderCsv(table), "b\r\nx'41ff'\r\nx'" + full + "'\r\nx''\r\n");
  EXPECT_EQ(TableToJson(table)[0].dump(), R"({"b":"x'41ff'"})");
}

}  // namespace
}  // namespace gridsweep
