#include "common/catalog/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "common/catalog/wrap_text.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

void ExpectFitsEightyColumns(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(TextWidth(line), 80u) << line;
}

TEST(DescribeCatalog, ListsEveryComponent) {
  ASSERT_OK_AND_ASSIGN(const std::string text, DescribeCatalog(Catalog::Builtin()));
  for (const ComponentSpec& component : Catalog::Builtin().components()) {
    EXPECT_THAT(text, HasSubstr("\n  " + component.name + " ")) << component.name;
  }
  ExpectFitsEightyColumns(text);
}

TEST(DescribeCatalog, AnAxisShowsParameters) {
  ASSERT_OK_AND_ASSIGN(const std::string text, DescribeCatalog(Catalog::Builtin(), Axis::kScheduler));
  EXPECT_THAT(text, HasSubstr("step_size  int in [1, 10000], default 3"));
  EXPECT_THAT(text, HasSubstr("plateau: "));
  ExpectFitsEightyColumns(text);
}

TEST(DescribeCatalog, AComponentReadsLikeAManualPage) {
  ASSERT_OK_AND_ASSIGN(const std::string text,
                       DescribeCatalog(Catalog::Builtin(), Axis::kRegularization, "dropout"));
  EXPECT_EQ(text, R"(regularization dropout
  zeroes outputs of hidden fully connected layers at random while training

parameters
  p  float in [0, 1), default 0.3
     probability that an output is zeroed

in the grid of a sweep file
  regularization: dropout
  regularization: {dropout: 0.3}
  regularization: {dropout: {p: 0.3}}
)");
}

TEST(DescribeCatalog, UnknownNamesAreSuggested) {
  EXPECT_THAT(DescribeCatalog(Catalog::Builtin(), Axis::kOptimizer, "adamm"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("did you mean 'adam'?")));
}

TEST(CatalogMarkdown, HasARowForEveryParameter) {
  const std::string text = CatalogMarkdown(Catalog::Builtin());
  EXPECT_THAT(text, HasSubstr("### optimizer `sgd`"));
  EXPECT_THAT(text, HasSubstr("| `lambda` (primary) | float in [0, 1] | `1e-5` |"));
}

}  // namespace
}  // namespace gridsweep
