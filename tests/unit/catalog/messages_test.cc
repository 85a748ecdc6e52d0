#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/catalog/catalog.h"
#include "common/catalog/quote.h"
#include "common/catalog/wrap_text.h"

namespace gridsweep {
namespace {

const std::vector<std::string> kNames = {"relu",  "leaky_relu", "elu",     "adam",
                                         "adamw", "lr",         "dropout", "batch_size"};

TEST(DidYouMean, FindsTypingErrors) {
  EXPECT_EQ(DidYouMean("adm", kNames), "adam");
  EXPECT_EQ(DidYouMean("rleu", kNames), "relu");
  EXPECT_EQ(DidYouMean("dropuot", kNames), "dropout");
  EXPECT_EQ(DidYouMean("Adam", kNames), "adam");
  EXPECT_EQ(DidYouMean("leakyrelu", kNames), "leaky_relu");
  EXPECT_EQ(DidYouMean("batch-size", kNames), "batch_size");
}

TEST(DidYouMean, FindsAbbreviations) {
  EXPECT_EQ(DidYouMean("learning_rate", kNames), "lr");
  EXPECT_EQ(DidYouMean("leaky", kNames), "leaky_relu");
}

TEST(DidYouMean, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(DidYouMean("transformer", kNames), "");
  EXPECT_EQ(DidYouMean("xy", kNames), "");
  EXPECT_EQ(DidYouMean("", kNames), "");
  EXPECT_EQ(DidYouMean("adam", {}), "");
  EXPECT_EQ(DidYouMean(std::string(100'000, 'a'), kNames), "");
}

TEST(Quoted, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(Quoted("adam"), "'adam'");
  EXPECT_EQ(Quoted("a\x1b[31m\n\t\x7f"), "'a\\x1b[31m\\n\\t\\x7f'");
  EXPECT_EQ(Quoted("caf\u00e9"), "'caf\u00e9'");
  EXPECT_EQ(Quoted("\xc2\x9b"), "'\\xc2\\x9b'");
  EXPECT_EQ(Quoted("\xff\xc3"), "'\\xff\\xc3'");
}

TEST(Quoted, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(1'000, 'x'), 5), "'xxxxx…'");
  EXPECT_EQ(Quoted("aé", 2), "'a…'");
}

TEST(Utf8Length, RefusesOverlongFormsSurrogatesAndTruncation) {
  EXPECT_EQ(Utf8Length("€", 0), 3u);
  EXPECT_EQ(Utf8Length("\xc0\x80", 0), 0u);
  EXPECT_EQ(Utf8Length("\xe0\x80\x80", 0), 0u);
  EXPECT_EQ(Utf8Length("\xed\xa0\x80", 0), 0u);
  EXPECT_EQ(Utf8Length("\xf4\x90\x80\x80", 0), 0u);
  EXPECT_EQ(Utf8Length("\xe2\x82", 0), 0u);
  EXPECT_EQ(Utf8Length("\x80", 0), 0u);
}

TEST(Wrapped, BreaksAtSpacesAndIndents) {
  EXPECT_EQ(Wrapped("ab  ", "one two three", 11), "ab  one two\n    three\n");
  EXPECT_EQ(Wrapped("", "unbreakable", 4), "unbreakable\n");
  EXPECT_EQ(Wrapped("lead", "", 80), "lead\n");
}

TEST(TextWidth, CountsCharacters) {
  EXPECT_EQ(TextWidth("aé…"), 3u);
  EXPECT_EQ(Padded("é", 3), "é  ");
}

}  // namespace
}  // namespace gridsweep
