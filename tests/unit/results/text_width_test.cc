#include "common/results/text_width.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("relu"), 4);
  EXPECT_EQ(DisplayWidth("±"), 1);
  EXPECT_EQ(DisplayWidth("Größe"), 5);
  EXPECT_EQ(DisplayWidth("▁▂█"), 3);
}

TEST(DisplayWidth, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(DisplayWidth("漢字"), 4);
  EXPECT_EQ(DisplayWidth("ｱ"), 1);  // half-width katakana
  EXPECT_EQ(DisplayWidth("한글"), 4);
  EXPECT_EQ(DisplayWidth("🚀"), 2);
  EXPECT_EQ(DisplayWidth("𠀋"), 2);  // outside the basic plane
}

TEST(DisplayWidth, CombiningAndInvisibleCharactersTakeNone) {
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("a\u200Bb"), 2);      // zero-width space
  EXPECT_EQ(DisplayWidth("\uFEFFx"), 1);       // byte order mark
  EXPECT_EQ(DisplayWidth("\u0915\u094D"), 1);  // Devanagari letter with virama
}

TEST(DisplayWidth, InvalidBytesCountOneEach) {
  EXPECT_EQ(DisplayWidth("a\xFF\xFE"), 3);
  EXPECT_EQ(DisplayWidth("\xC3"), 1);              // cut short
  EXPECT_EQ(DisplayWidth("\xC0\xAF"), 2);          // overlong
  EXPECT_EQ(DisplayWidth("\xED\xA0\x80"), 3);      // surrogate
  EXPECT_EQ(DisplayWidth("\xF4\x90\x80\x80"), 4);  // past the last code point
}

TEST(Truncate, KeepsWhatFitsAndMarksWhatDoesNot) {
  EXPECT_EQ(Truncate("sgd", 3), "sgd");
  EXPECT_EQ(Truncate("sgd(lr=0.05)", 6), "sgd(l…");
  EXPECT_EQ(Truncate("sgd", 1), "…");
  EXPECT_EQ(Truncate("sgd", 0), "");
}

TEST(Truncate, NeverSplitsACharacter) {
  EXPECT_EQ(Truncate("漢字漢字", 4), "漢…");  // a second one would need columns 3 and 4
  EXPECT_EQ(Truncate("漢字漢字", 5), "漢字…");
  EXPECT_EQ(Truncate("e\u0301e\u0301e\u0301", 2), "e\u0301…");
}

TEST(Truncate, NeverExceedsTheWidth) {
  const std::string text = "a漢e\u0301🚀\xFFz±漢";
  for (int width = 0; width < 14; ++width) EXPECT_LE(DisplayWidth(Truncate(text, width)), width) << width;
}

TEST(Pad, FillsToTheDisplayWidth) {
  EXPECT_EQ(PadRight("漢", 4), "漢  ");
  EXPECT_EQ(PadLeft("±", 3), "  ±");
  EXPECT_EQ(PadLeft("long", 2), "long");
}

TEST(Printable, MakesForeignTextHarmless) {
  EXPECT_EQ(Printable("a\x1b[31mb"), "a [31mb");
  EXPECT_EQ(Printable("two\nlines\t"), "two lines ");
  EXPECT_EQ(Printable("\u009B1m"), " 1m");  // C1 control sequence introducer
  EXPECT_EQ(Printable("a\u202Eb"), "a b");  // right-to-left override
  EXPECT_EQ(Printable("a\xFF"), "a\uFFFD");
  EXPECT_EQ(Printable("Größe 漢"), "Größe 漢");
}

}  // namespace
}  // namespace gridsweep
