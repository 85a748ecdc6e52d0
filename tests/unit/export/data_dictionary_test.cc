#include "cli/export/data_dictionary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kDocument[] = R"(# Views

### v_a

| column | type | meaning |
|---|---|---|
| `x` | INTEGER | how many, `1` or 2 |
| `y` | REAL | |

### v_b

| column | type | meaning |
|---|---|---|
| `z` | TEXT | name |
)";

TEST(ColumnsInDocument, TakesThoseOfTheViewAlone) {
  const std::vector<ColumnMeaning> columns = ColumnsInDocument(kDocument, "v_a");
  ASSERT_THAT(columns, SizeIs(2));
  EXPECT_EQ(columns[0].name, "x");
  EXPECT_EQ(columns[0].type, "INTEGER");
  EXPECT_EQ(columns[0].meaning, "how many, `1` or 2");
  EXPECT_EQ(columns[1].meaning, "");
  EXPECT_THAT(ColumnsInDocument(kDocument, "v_c"), IsEmpty());
}

TEST(DocumentedColumns, KnowsTheViewsThatAreExported) {
  for (const char* view : {"v_jobs", "v_epochs", "v_confusion", "v_predictions", "v_ranking"})
    EXPECT_GT(DocumentedColumns(view).size(), 5u) << view;
}

TEST(DataPackage, NamesFilesAndTypedFields) {
  const std::vector<ExportedTable> tables = {
      {.file = "a.csv", .about = "All of it.", .columns = ColumnsInDocument(kDocument, "v_a"), .rows = 3}};
  const Json package = DataPackage("sweep-1", "A title", tables);
  EXPECT_EQ(package["resources"][0]["path"], "a.csv");
  EXPECT_EQ(package["resources"][0]["schema"]["fields"][1]["type"], "number");
  EXPECT_THAT(DataDictionaryMarkdown("A title", tables), HasSubstr("| `x` | INTEGER | how many, `1` or 2 |"));
}

}  // namespace
}  // namespace gridsweep
