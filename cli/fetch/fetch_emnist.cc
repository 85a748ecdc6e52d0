#include "cli/fetch/fetch_emnist.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "cli/fetch/download.h"
#include "cli/fetch/download_line.h"
#include "common/data/dataset.h"

namespace gridsweep {
namespace {

constexpr char kArchive[] = "emnist-gzip.zip";
constexpr std::string_view kGzip = ".gz";

// A file that is found before the one of the same name that will be fetched, because it ends without .gz.
absl::Status CheckNothingHides(const std::string& split, const std::string& directory) {
  for (std::string name : EmnistFiles(split)) {
    if (!name.ends_with(kGzip)) continue;
    name.resize(name.size() - kGzip.size());
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::path(directory) / name, ignored)) continue;
    return FailedPrecondition(
        "'{}/{}' would be read instead of the '{}{}' to be fetched: remove it, or name another folder with --to",
        directory, name, name, kGzip);
  }
  return absl::OkStatus();
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
                              line.Show(done, total, absl::Now());
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
  GS_ASSIGN_OR_RETURN(const std::vector<std::string> splits, ExpandEmnistSplits(spec.splits));
  for (const std::string& split : splits) {
    const absl::Status present = FindUsableDataset("emnist-" + split, {spec.directory}).status();
    if (!spec.force && present.ok()) {
      *context.err.stream << fmt::format("emnist-{} is in {} already; --force fetches it anew\n", split,
                                         spec.directory);
      continue;
    }
    if (!present.ok() && !absl::IsNotFound(present)) {
      *context.err.stream << fmt::format("emnist-{} in {} is incomplete or broken and is fetched anew\n",
                                         split, spec.directory);
    }
    GS_RETURN_IF_ERROR(CheckNothingHides(split, spec.directory));
    missing.push_back(split);
  }
  if (missing.empty()) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(spec.directory, error);
  if (error) return ErrnoError(error.value(), fmt::format("cannot make the folder '{}'", spec.directory));
  const absl::Status status = FetchMissing(spec, missing, context);
  if (!absl::IsResourceExhausted(status)) return status;
  return ResourceExhausted(
      "{}; the official archive takes 536 MiB and a split 30 to 200 more: free some space, or name another "
      "folder with --to",
      Message(status));
}

}  // namespace gridsweep
