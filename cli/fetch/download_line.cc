#include "cli/fetch/download_line.h"

#include <algorithm>
#include <vector>

#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(200);
constexpr int kDefaultWidth = 80;
constexpr int kMaxBar = 40;
constexpr int kMinBar = 10;

// Both in the unit of the larger one, which is named once.
std::string Share(int64_t done, int64_t total) {
  const std::string whole = FormatBytes(total);
  const std::string unit = whole.substr(whole.find(' ') + 1);
  double divisor = 1;
  for (const char* smaller : {"B", "KiB", "MiB", "GiB", "TiB"}) {
    if (unit == smaller) break;
    divisor *= 1024;
  }
  return fmt::format("{:.{}f}/{}", static_cast<double>(done) / divisor, unit == "B" ? 0 : 1, whole);
}

std::string Rate(double bytes_per_second) {
  return FormatBytes(static_cast<int64_t>(bytes_per_second)) + "/s";
}

}  // namespace

std::string RenderDownloadBar(int64_t done, int64_t total, double bytes_per_second, int width) {
  if (total <= 0) {
    return FormatBytes(done) + (bytes_per_second > 0 ? "  " + Rate(bytes_per_second) : "");
  }
  const double share = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  std::vector<std::string> parts = {fmt::format("{:>3} %", static_cast<int>(share * 100)),
                                    Share(done, total)};
  if (bytes_per_second > 0) {
    parts.push_back(Rate(bytes_per_second));
    if (done < total) {
      parts.push_back("ETA " + FormatDuration(static_cast<double>(total - done) / bytes_per_second));
    }
  }
  const auto text = [&] { return fmt::format("{}", fmt::join(parts, "  ")); };
  const auto room = [&] { return width - 3 - static_cast<int>(text().size()); };
  while (parts.size() > 1 && room() < kMinBar) parts.pop_back();
  const int bar = std::min(room(), kMaxBar);
  if (bar < kMinBar) return text();
  const auto full = static_cast<size_t>(share * bar);
  return "[" + std::string(full, '#') + std::string(static_cast<size_t>(bar) - full, '-') + "] " + text();
}

void DownloadLine::Show(int64_t done, int64_t total, absl::Time now) {
  // While a try is being set up its total is not known yet: that of the last try holds.
  if (total > 0) last_total_ = total;
  total = last_total_;
  if (started_ == absl::InfinitePast() && done > 0) {
    started_ = now;
    first_ = done;
  }
  const int64_t tenth = total > 0 ? done * 10 / total : -1;
  if (sink_.is_terminal ? now - shown_ < kRedraw && (total == 0 || done < total) : tenth <= tenth_) return;
  shown_ = now;
  tenth_ = tenth;
  const double seconds = absl::ToDoubleSeconds(now - started_);
  const double rate = done > first_ && seconds > 0 ? static_cast<double>(done - first_) / seconds : 0;
  if (sink_.is_terminal) {
    const int width = sink_.screen.width > 0 ? sink_.screen.width : kDefaultWidth;
    *sink_.stream << "\r\x1b[K" << RenderDownloadBar(done, total, rate, width) << std::flush;
    open_ = true;
    return;
  }
  std::string text =
      fmt::format("{} of {} ({} %)", FormatBytes(done), FormatBytes(total), done * 100 / total);
  if (rate > 0 && done < total) {
    text += fmt::format(", {}, about {} left", Rate(rate),
                        FormatDuration(static_cast<double>(total - done) / rate));
  }
  *sink_.stream << text << std::endl;
}

void DownloadLine::Say(const std::string& message) {
  End();
  *sink_.stream << message << std::endl;
}

void DownloadLine::End() {
  if (open_) *sink_.stream << std::endl;
  open_ = false;
}

}  // namespace gridsweep
