#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "common/results/format_number.h"
#include "common/results/labels.h"
#include "common/results/sparkline.h"
#include "common/results/table_formats.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Table Example() {
  Table table;
  table.columns = {{.key = "name", .header = "name", .min_width = 6},
                   {.key = "value", .header = "value", .align = Align::kRight},
                   {.key = "extra", .header = "less important", .priority = 2},
                   {.key = "note", .header = "note"}};
  table.rows = {{Cell::Text("a long label of a cell"), Cell("1.5", 1.5), Cell::Text("x"), Cell::Text("")},
                {Cell::Text("漢字"), Cell("22.25", 22.25), Cell::Text("y"), Cell::Text("odd")}};
  return table;
}

TEST(RenderTable, AlignsColumnsByDisplayWidth) {
  EXPECT_EQ(RenderTable(Example(), {}),
            "name                    value  less important  note\n"
            "──────────────────────  ─────  ──────────────  ────\n"
            "a long label of a cell    1.5  x\n"
            "漢字                    22.25  y               odd\n");
}

TEST(RenderTable, LeavesOutTheLeastImportantColumnWhenNarrow) {
  EXPECT_EQ(RenderTable(Example(), {.width = 40}),
            "name                    value  note\n"
            "──────────────────────  ─────  ────\n"
            "a long label of a cell    1.5\n"
            "漢字                    22.25  odd\n");
}

TEST(RenderTable, ShortensLabelsWhenNothingElseIsLeft) {
  EXPECT_EQ(RenderTable(Example(), {.width = 24}),
            "name         value  note\n"
            "───────────  ─────  ────\n"
            "a long lab…    1.5\n"
            "漢字         22.25  odd\n");
}

TEST(RenderTable, FitsEveryWidthDownToTheLeastAndHasNoTrailingSpaces) {
  for (int width = 19; width < 70; ++width) {
    std::istringstream lines(RenderTable(Example(), {.width = width}));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(DisplayWidth(line), width) << line;
      EXPECT_FALSE(line.ends_with(' ')) << "'" << line << "'";
    }
  }
}

TEST(RenderTable, LeavesOutColumnsThatAreEmptyInEveryRow) {
  Table table = Example();
  table.rows.pop_back();
  EXPECT_THAT(RenderTable(table, {}), Not(HasSubstr("note")));
  table.columns[3].keep_empty = true;
  EXPECT_THAT(RenderTable(table, {}), HasSubstr("note"));
}

TEST(RenderTable, AForeignTextCannotForgeLinesOrColours) {
  Table table;
  table.columns = {{.key = "w", .header = "worker"}};
  table.rows = {{Cell::Text("evil\n\x1b[31mrow")}};
  EXPECT_EQ(RenderTable(table, {}), "worker\n─────────────\nevil  [31mrow\n");
}

TEST(RenderTable, ColoursOnlyWhenAllowed) {
  EXPECT_THAT(RenderTable(Example(), {.color = true}), HasSubstr("\x1b[1m"));
  EXPECT_THAT(RenderTable(Example(), {}), Not(HasSubstr("\x1b")));
}

TEST(RenderCsv, QuotesByRfc4180AndKeepsEveryBit) {
  Table table;
  table.columns = {{.key = "plain", .header = ""},
                   {.key = "text", .header = ""},
                   {.key = "number", .header = ""},
                   {.key = "shown", .header = "", .audience = Audience::kPeople}};
  table.rows = {{Cell::Text("a"), Cell::Text("say \"hi\", twice"), Cell("", 0.1), Cell::Text("hidden")},
                {Cell(), Cell::Text("two\nlines"), Cell("", NumberToJson(std::nan(""))), Cell()},
                {Cell::Integer(-3), Cell::Text(""), Cell("", true), Cell()}};
  EXPECT_EQ(RenderCsv(table),
            "plain,text,number\r\n"
            "a,\"say \"\"hi\"\", twice\",0.10000000000000001\r\n"
            ",\"two\nlines\",nan\r\n"
            "-3,,true\r\n");
}

TEST(RenderCsv, NumbersReadBackToTheSameBits) {
  for (const double value : {1.0 / 3, 0.84987, 1e-300, 123456789.123456789, std::nextafter(1.0, 2.0)}) {
    Table table;
    table.columns = {{.key = "x", .header = ""}};
    table.rows = {{Cell("", value)}};
    EXPECT_EQ(std::stod(RenderCsv(table).substr(3)), value);
  }
}

TEST(TableToJson, HasOneObjectARowWithTypedValues) {
  EXPECT_EQ(TableToJson(Example())[1].dump(), R"({"extra":"y","name":"漢字","note":"odd","value":22.25})");
}

TEST(Render, JsonSurvivesBytesThatAreNotUtf8) {
  Table table;
  table.columns = {{.key = "x", .header = ""}};
  table.rows = {{Cell::Text("a\xFF")}};
  EXPECT_TRUE(ParseJson(Render(table, OutputFormat::kJson, {})).ok());
}

TEST(RenderMarkdown, EscapesWhatWouldEndACell) {
  Table table;
  table.columns = {{.key = "a", .header = "a|b"}, {.key = "n", .header = "n", .align = Align::kRight}};
  table.rows = {{Cell::Text("x | y\nz"), Cell::Integer(1)}};
  EXPECT_EQ(RenderMarkdown(table), "| a\\|b | n |\n| --- | ---: |\n| x \\| y z | 1 |\n");
}

TEST(RenderMarkdown, ALabelIsNeverMarkup) {
  Table table;
  table.columns = {{.key = "a", .header = "a"}};
  table.rows = {{Cell::Text("<img src=x> *a* [b](c) `d`")}};
  EXPECT_THAT(RenderMarkdown(table), HasSubstr(R"(| \<img src=x\> \*a\* \[b\](c) \`d\` |)"));
}

TEST(RenderTsv, KeepsAFieldOnOneLineAndInOneColumn) {
  Table table;
  table.columns = {{.key = "a", .header = ""}, {.key = "b", .header = ""}};
  table.rows = {{Cell::Text("x\ty\nz\\"), Cell("", 0.1)}};
  EXPECT_EQ(RenderTsv(table), "a\tb\nx\\ty\\nz\\\\\t0.10000000000000001\n");
}

TEST(RenderLatex, EscapesWhatLatexWouldRead) {
  Table table;
  table.columns = {{.key = "a", .header = "a_b"}, {.key = "n", .header = "n", .align = Align::kRight}};
  table.rows = {{Cell::Text("50 % & $x^2$ {~}\\ é 漢"), Cell::Text("1.2 ± 0.3")}};
  EXPECT_EQ(RenderLatex(table),
            "% needs \\usepackage{booktabs}\n\\begin{tabular}{lr}\n\\toprule\na\\_b & n \\\\\n\\midrule\n"
            "50 \\% \\& \\$x\\textasciicircum{}2\\$ \\{\\textasciitilde{}\\}\\textbackslash{} é [U+6F22] & "
            "1.2 $\\pm$ 0.3 \\\\\n\\bottomrule\n\\end{tabular}\n");
}

TEST(ParseOutputFormat, ListsTheFormatsWhenUnknown) {
  EXPECT_TRUE(ParseOutputFormat("markdown").ok());
  EXPECT_THAT(Message(ParseOutputFormat("xml").status()),
              HasSubstr("table, csv, tsv, json, markdown or latex"));
}

TEST(FormatNumber, ReadsWell) {
  EXPECT_EQ(FormatAccuracy(0.84987), "85.0 %");
  EXPECT_EQ(FormatAccuracy(0.08498), "8.50 %");
  EXPECT_EQ(FormatAccuracy(0.0999961), "10.0 %");
  EXPECT_EQ(FormatAccuracy(1), "100 %");
  EXPECT_EQ(FormatLoss(0.45124), "0.451");
  EXPECT_EQ(FormatLoss(12.3456), "12.3");
  EXPECT_EQ(FormatLoss(0.99996), "1.00");
  EXPECT_EQ(FormatLoss(84.25), "84.3") << "halves away from zero";
  EXPECT_EQ(FormatAccuracy(0.8105), "81.1 %") << "though its double is below";
  EXPECT_EQ(FormatLoss(-84.25), "-84.3");
  EXPECT_EQ(FormatLoss(0), "0");
  EXPECT_EQ(FormatLoss(0.000001234), "1.23e-06");
  EXPECT_EQ(FormatLoss(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(FormatMeanCount(3), "3");
  EXPECT_EQ(FormatMeanCount(8.666), "8.7");
  EXPECT_EQ(FormatSeconds(0.52149), "0.521");
  EXPECT_EQ(FormatSeconds(0.00004), "0.000");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(FormatSeconds(9.999), "10.0");
  EXPECT_EQ(FormatSeconds(1234.4), "1234");
  EXPECT_EQ(FormatBytes(561753746), "535.7 MiB");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-123), "-123");
}

TEST(FormatNumber, AnUncertaintyEndsAtTheDecimalOfItsValue) {
  EXPECT_EQ(FormatInterval("val_accuracy", 0.84987, 0.00214), "85.0 ± 0.2 %");
  EXPECT_EQ(FormatInterval("val_accuracy", 0.84987, 0.1234), "85.0 ± 12.3 %");
  EXPECT_EQ(FormatInterval("val_accuracy", 0.84987, 0), "85.0 ± 0.0 %");
  EXPECT_EQ(FormatInterval("test_loss", 0.45124, 0.00214), "0.451 ± 0.002");
  // Narrower than the third digit: as many more as show it.
  EXPECT_EQ(FormatInterval("val_accuracy", 0.84987, 0.00031), "84.99 ± 0.03 %");
  EXPECT_EQ(FormatInterval("test_loss", 0.45124, 0.000097), "0.4512 ± 0.0001");
  // Equal values, up to rounding.
  EXPECT_EQ(FormatInterval("val_accuracy", 0.1 + 1.4e-17, 4e-17), "10.0 ± 0.0 %");
  // Wider than the value: three digits of it are enough.
  EXPECT_EQ(FormatInterval("test_loss", 0.45124, 13.42), "0.5 ± 13.4");
  EXPECT_EQ(FormatInterval("test_loss", 0.00001234, 0.000002), "1.23e-05 ± 2e-06");
  EXPECT_EQ(FormatGap("val_accuracy", 0.0042, 0.0031), "0.420 ± 0.310 pp");
  EXPECT_EQ(FormatGap("val_accuracy", -0.000001, 0.0123), "0.00 ± 1.23 pp");
  EXPECT_EQ(FormatGap("val_accuracy", -0.0123, std::nullopt), "-1.23 pp");
  EXPECT_EQ(FormatGap("test_loss", 0.012, 0.0021), "0.0120 ± 0.0021");
}

TEST(FormatDuration, RoundsWithoutStrangeUnits) {
  EXPECT_EQ(FormatDuration(0.52), "0.5 s");
  EXPECT_EQ(FormatDuration(59.6), "1 min 00 s");
  EXPECT_EQ(FormatDuration(185), "3 min 05 s");
  EXPECT_EQ(FormatDuration(3600), "1 h 00 min");
  EXPECT_EQ(FormatDuration(3600 * 49), "2 d 01 h");
  EXPECT_EQ(FormatDuration(-1), "?");
  EXPECT_EQ(FormatDuration(std::nan("")), "?");
}

TEST(Sparkline, DrawsLowToHigh) {
  EXPECT_EQ(Sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(Sparkline({5, 5}, 8), "▅▅");
  EXPECT_EQ(Sparkline({}, 8), "");
}

TEST(Sparkline, MarksValuesThatAreNotFinite) {
  EXPECT_EQ(Sparkline({0, std::nan(""), 1}, 8), "▁×█");
  EXPECT_EQ(Sparkline({std::numeric_limits<double>::infinity()}, 8), "×");
}

TEST(Sparkline, JoinsValuesToFitTheWidth) {
  std::vector<double> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  EXPECT_EQ(DisplayWidth(Sparkline(values, 10)), 10);
  EXPECT_TRUE(Sparkline(values, 10).ends_with("█"));
}

std::vector<std::string> Shortened(const std::vector<std::string>& labels) {
  const LabelShortener shortener(labels);
  std::vector<std::string> result;
  for (const std::string& label : labels) result.push_back(shortener.Shorten(label));
  return result;
}

TEST(LabelShortener, LeavesOutWhatNeverVaries) {
  const std::vector<std::string> labels = {"adam", "sgd(lr=0.05, momentum=0.9)", "sgd(lr=0.01, momentum=0.9)",
                                           "step(step_size=3, gamma=0.5)"};
  EXPECT_THAT(Shortened(labels), ElementsAre("adam", "sgd(lr=0.05)", "sgd(lr=0.01)", "step"));
  EXPECT_THAT(LabelShortener(labels).legend(),
              ElementsAre("sgd: momentum=0.9", "step: step_size=3, gamma=0.5"));
}

TEST(LabelShortener, KeepsAParameterThatOneVariantLacks) {
  // A parameter at its default is not in the label: dropping it from the other would make the two alike.
  const std::vector<std::string> labels = {"sgd(momentum=0.9)", "sgd"};
  EXPECT_THAT(Shortened(labels), ElementsAre("sgd(momentum=0.9)", "sgd"));
  EXPECT_TRUE(LabelShortener(labels).legend().empty());
}

TEST(LabelShortener, UnderstandsCombinationsAndLists) {
  const std::vector<std::string> labels = {"none", "l2(0.0001)+dropout(0.3)", "l2(0.0001)",
                                           "cnn(channels=[32, 64], hidden=[128])",
                                           "cnn(channels=[16, 32], hidden=[128])"};
  EXPECT_THAT(Shortened(labels),
              ElementsAre("none", "l2+dropout", "l2", "cnn(channels=[32, 64])", "cnn(channels=[16, 32])"));
  EXPECT_THAT(LabelShortener(labels).legend(),
              ElementsAre("cnn: hidden=[128]", "dropout: 0.3", "l2: 0.0001"));
}

TEST(LabelShortener, ShortensTheLabelsOfSeveralAxesInOneText) {
  const LabelShortener shortener({"cnn(channels=[32, 64], hidden=[128])", "sgd(lr=0.05, momentum=0.9)",
                                  "sgd(lr=0.01, momentum=0.9)", "none", "l2(0.0001)"});
  EXPECT_EQ(shortener.Shorten("cnn(channels=[32, 64], hidden=[128]) sgd(lr=0.01, momentum=0.9) l2(0.0001)"),
            "cnn sgd(lr=0.01) l2");
  EXPECT_EQ(shortener.Shorten("adam(lr=0.1) none"), "adam(lr=0.1) none") << "not among those it knows";
}

TEST(LeftOut, NamesTheColumnsThatDoNotFit) {
  Table table;
  table.columns = {{.key = "a", .header = "first", .min_width = 6},
                   {.key = "b", .header = "second", .priority = 1},
                   {.key = "c", .header = "third", .priority = 2, .expendable = true}};
  table.rows = {{Cell::Text("a label of 21 columns"), Cell::Text("b"), Cell::Text("c")}};
  EXPECT_THAT(LeftOut(table, {}), ElementsAre());
  EXPECT_THAT(LeftOut(table, {.width = 36}), ElementsAre());
  EXPECT_THAT(LeftOut(table, {.width = 35}), ElementsAre("third")) << "rather than to cut the label";
  EXPECT_THAT(RenderTable(table, {.width = 35}), HasSubstr("a label of 21 columns  b"));
  EXPECT_THAT(LeftOut(table, {.width = 24}), ElementsAre("third"));
  EXPECT_THAT(LeftOut(table, {.width = 23}), ElementsAre("second", "third"));
}

}  // namespace
}  // namespace gridsweep
