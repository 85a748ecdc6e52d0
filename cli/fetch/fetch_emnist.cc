#include "cli/fetch/fetch_emnist.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "cli/fetch/download.h"
#include "common/data/dataset.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kArchive[] = "emnist-gzip.zip";
constexpr absl::Duration kRedraw = absl::Milliseconds(200);

// A line that redraws itself on a terminal, and one line for every tenth elsewhere.
class DownloadLine {
 public:
  explicit DownloadLine(const Sink& sink) : sink_(sink), started_(absl::Now()) {}

  void Show(int64_t done, int64_t total) {
    if (total <= 0) return;
    if (first_ < 0) first_ = done;
    const int tenth = static_cast<int>(done * 10 / total);
    const absl::Time now = absl::Now();
    if (sink_.is_terminal ? now - shown_ < kRedraw && done < total : tenth <= tenth_) return;
    shown_ = now;
    tenth_ = tenth;
    const std::string text = Text(done, total, absl::ToDoubleSeconds(now - started_));
    if (sink_.is_terminal) {
      *sink_.stream << "\r\x1b[K" << text << std::flush;
      open_ = true;
    } else {
      *sink_.stream << text << std::endl;
    }
  }
  void Say(const std::string& message) {
    End();
    *sink_.stream << message << std::endl;
  }
  void End() {
    if (open_) *sink_.stream << std::endl;
    open_ = false;
  }

 private:
  std::string Text(int64_t done, int64_t total, double seconds) const {
    std::string text =
        fmt::format("{} of {} ({} %)", FormatBytes(done), FormatBytes(total), done * 100 / total);
    const double rate = seconds > 0 ? static_cast<double>(done - first_) / seconds : 0;
    if (rate > 0 && done < total) {
      text += fmt::format(", {}/s, about {} left", FormatBytes(static_cast<int64_t>(rate)),
                          FormatDuration(static_cast<double>(total - done) / rate));
    }
    return text;
  }

  const Sink& sink_;
  const absl::Time started_;
  absl::Time shown_ = absl::InfinitePast();
  int64_t first_ = -1;
  int tenth_ = -1;
  bool open_ = false;
};

bool IsPresent(const std::string& split, const std::string& directory) {
  return FindDataset("emnist-" + split, {directory}).ok();
}

// Downloads to `archive` unless it is there already.
absl::Status DownloadArchive(const FetchEmnistSpec& spec, const std::string& archive, Context& context) {
  DownloadLine line(context.err);
  line.Say(fmt::format("downloading {} to {}", spec.url, spec.directory));
  DownloadSpec download{.url = spec.url,
                        .part = archive + ".part",
                        .sha256 = spec.sha256,
                        .stall_timeout = spec.stall_timeout,
                        .pause = spec.retry_pause,
                        .progress =
                            [&](int64_t done, int64_t total) {
                              line.Show(done, total);
                              return context.interruptions() == 0;
                            },
                        .retry = [&](const std::string& message) { line.Say(message); }};
  const absl::Status status = Download(download);
  line.End();
  GS_RETURN_IF_ERROR(status);
  if (rename(download.part.c_str(), archive.c_str()) != 0) {
    return ErrnoError(errno, fmt::format("cannot write '{}'", archive));
  }
  return absl::OkStatus();
}

absl::Status VerifyGivenArchive(const FetchEmnistSpec& spec) {
  GS_ASSIGN_OR_RETURN(const std::string digest, HashFile(spec.from));
  if (digest == spec.sha256) return absl::OkStatus();
  return DataLoss(
      "'{}' is not the EMNIST archive: SHA-256 {} where {} was expected; --sha256 accepts another one",
      spec.from, digest, spec.sha256);
}

absl::Status FetchMissing(const FetchEmnistSpec& spec, const std::vector<std::string>& missing,
                          Context& context) {
  std::string archive = spec.from;
  const std::string kept = spec.directory + "/" + kArchive;
  if (!archive.empty()) {
    GS_RETURN_IF_ERROR(VerifyGivenArchive(spec));
  } else {
    archive = kept;
    const absl::StatusOr<std::string> digest = HashFile(kept);
    if (!digest.ok() || *digest != spec.sha256) GS_RETURN_IF_ERROR(DownloadArchive(spec, kept, context));
  }
  for (const std::string& split : missing) {
    GS_RETURN_IF_ERROR(ExtractEmnistSplit(archive, split, spec.directory));
    *context.err.stream << fmt::format("emnist-{} is in {}\n", split, spec.directory);
  }
  if (archive == kept && !spec.keep_archive) unlink(kept.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status FetchEmnist(const FetchEmnistSpec& spec, Context& context) {
  std::vector<std::string> missing;
  for (const std::string& split : spec.splits) {
    GS_RETURN_IF_ERROR(CheckEmnistSplit(split));
    if (!spec.force && IsPresent(split, spec.directory)) {
      *context.err.stream << fmt::format("emnist-{} is in {} already; --force fetches it anew\n", split,
                                         spec.directory);
    } else {
      missing.push_back(split);
    }
  }
  if (missing.empty()) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(spec.directory, error);
  if (error) return ErrnoError(error.value(), fmt::format("cannot make the folder '{}'", spec.directory));
  const absl::Status status = FetchMissing(spec, missing, context);
  if (!absl::IsResourceExhausted(status)) return status;
  return ResourceExhausted(
      "{}; the archive takes 536 MiB and a split 30 to 200 more: free some space, or name another "
      "folder with --to",
      Message(status));
}

}  // namespace gridsweep
