#include "cli/fetch/download_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace gridsweep {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

TEST(RenderDownloadBar, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(RenderDownloadBar(230 * kMiB, 535 * kMiB, 12 * kMiB, 80),
            "[##############-------------------]  42 %  230.0/535.0 MiB  12.0 MiB/s  ETA 25 s");
  EXPECT_EQ(RenderDownloadBar(535 * kMiB, 535 * kMiB, 12 * kMiB, 120),
            "[########################################] 100 %  535.0/535.0 MiB  12.0 MiB/s");
  EXPECT_EQ(RenderDownloadBar(1023, 2 * kMiB, 0, 40), "[-------------------]   0 %  0.0/2.0 MiB");
}

TEST(RenderDownloadBar, LeavesOutWhatDoesNotFit) {
  for (int width = 30; width < 120; ++width) {
    EXPECT_LE(RenderDownloadBar(230 * kMiB, 535 * kMiB, 12 * kMiB, width).size(), static_cast<size_t>(width));
  }
  EXPECT_EQ(RenderDownloadBar(230 * kMiB, 535 * kMiB, 12 * kMiB, 20), "[#####-------]  42 %");
  EXPECT_EQ(RenderDownloadBar(230 * kMiB, 535 * kMiB, 12 * kMiB, 10), " 42 %");
}

TEST(RenderDownloadBar, WithoutATotalItCounts) {
  EXPECT_EQ(RenderDownloadBar(230 * kMiB, 0, 12 * kMiB, 80), "230.0 MiB  12.0 MiB/s");
}

class DownloadLineTest : public ::testing::Test {
 protected:
  std::ostringstream text_;
  Sink sink_{.stream = &text_};
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
};

TEST_F(DownloadLineTest, ATerminalGetsABarThatRedrawsItself) {
  sink_.is_terminal = true;
  sink_.screen.width = 80;
  DownloadLine line(sink_);
  line.Show(100 * kMiB, 500 * kMiB, now_);
  line.Show(101 * kMiB, 500 * kMiB, now_ + absl::Milliseconds(10));
  EXPECT_EQ(text_.str().find("101"), std::string::npos) << "not more often than anybody can read";
  line.Show(120 * kMiB, 500 * kMiB, now_ + absl::Seconds(2));
  EXPECT_THAT(text_.str(), HasSubstr("\r\x1b[K[#"));
  EXPECT_THAT(text_.str(), HasSubstr("24 %  120.0/500.0 MiB  10.0 MiB/s  ETA 38 s"))
      << "what was there before does not count as speed";
  EXPECT_EQ(text_.str().find('\n'), std::string::npos);
  line.Say("trying again");
  EXPECT_THAT(text_.str(), HasSubstr("\ntrying again\n"));
}

TEST_F(DownloadLineTest, ALogGetsALineForEveryTenth) {
  DownloadLine line(sink_);
  for (int i = 0; i <= 100; ++i) line.Show(i * kMiB, 100 * kMiB, now_ + absl::Seconds(i));
  const std::string text = text_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11) << text;
  EXPECT_THAT(text, HasSubstr("50.0 MiB of 100.0 MiB (50 %), 1.0 MiB/s, about 50 s left\n"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(DownloadLineTest, WithoutATotalALogStaysQuiet) {
  DownloadLine line(sink_);
  for (int i = 0; i < 5; ++i) line.Show(i * kMiB, 0, now_ + absl::Seconds(i));
  EXPECT_EQ(text_.str(), "");
}

}  // namespace
}  // namespace gridsweep
