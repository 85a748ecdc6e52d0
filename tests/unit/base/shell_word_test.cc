#include "common/base/shell_word.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(ShellWord, QuotesOnlyWhatAShellWouldTakeApart) {
  EXPECT_EQ(ShellWord("/srv/data-1/x.db"), "/srv/data-1/x.db");
  EXPECT_EQ(ShellWord("node1:7077"), "node1:7077");
  EXPECT_EQ(ShellWord("my results.db"), "'my results.db'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord("~/x"), "'~/x'");
  EXPECT_EQ(ShellWord(""), "''");
}

}  // namespace
}  // namespace gridsweep
