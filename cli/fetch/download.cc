#include "cli/fetch/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <vector>

#include "common/base/sha256.h"
#include "common/base/version.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kOtherWays[] = "--url names a mirror, --from FILE uses an archive that you have";

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

void InitializeCurl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

int64_t FileSize(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

// One connection's state, shared with libcurl's callbacks.
struct Transfer {
  CURL* curl = nullptr;
  const DownloadSpec* spec = nullptr;
  int fd = -1;
  int64_t resumed_at = 0;
  int64_t received = 0;
  int write_error = 0;
  bool cancelled = false;
  bool started = false;
};

size_t OnData(char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!transfer.started) {
    transfer.started = true;
    long code = 0;
    curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &code);
    // 200 to a request for the rest: the server ignores ranges and sends everything again.
    if (code == 200 && transfer.resumed_at > 0) {
      if (ftruncate(transfer.fd, 0) != 0) {
        transfer.write_error = errno;
        return 0;
      }
      transfer.resumed_at = 0;
    }
  }
  size_t done = 0;
  while (done < size) {
    const ssize_t written = write(transfer.fd, data + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      transfer.write_error = errno;
      return 0;
    }
    done += static_cast<size_t>(written);
  }
  transfer.received += static_cast<int64_t>(size);
  return size;
}

int OnProgress(void* user, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!transfer.spec->progress) return 0;
  const int64_t all = total > 0 ? transfer.resumed_at + total : 0;
  transfer.cancelled = !transfer.spec->progress(transfer.resumed_at + transfer.received, all);
  return transfer.cancelled ? 1 : 0;
}

void Configure(CURL* curl, const DownloadSpec& spec, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, spec.url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, ("gridsweep/" + Version()).c_str());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  const long schemes = CURLPROTO_HTTP | CURLPROTO_HTTPS;
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                   spec.url.starts_with("https:") ? "https" : "http,https");
  static_cast<void>(schemes);
#else
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS, schemes);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                   spec.url.starts_with("https:") ? long{CURLPROTO_HTTPS} : schemes);
#endif
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(spec.stall_timeout)));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, static_cast<long>(absl::ToInt64Seconds(spec.stall_timeout))));
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.resumed_at));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnData);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

absl::Status ExplainHttp(const DownloadSpec& spec, long code) {
  const std::string what = fmt::format("'{}' answers with HTTP status {}", spec.url, code);
  if (code == 404 || code == 410) return NotFound("{}: the file is not there; {}", what, kOtherWays);
  if (code == 408 || code == 429 || code >= 500) return Unavailable("{}", what);
  return FailedPrecondition("{}; {}", what, kOtherWays);
}

// One connection. OK: the transfer ended without an error; the checksum is still to be tried.
absl::Status Connect(const DownloadSpec& spec) {
  Transfer transfer;
  transfer.spec = &spec;
  transfer.resumed_at = FileSize(spec.part);
  transfer.fd = open(spec.part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (transfer.fd < 0) return ErrnoError(errno, fmt::format("cannot write '{}'", spec.part));
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  transfer.curl = curl.get();
  Configure(curl.get(), spec, transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  long http = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &http);
  int close_error = close(transfer.fd) == 0 ? 0 : errno;
  if (transfer.cancelled) return absl::CancelledError("interrupted");
  if (transfer.write_error != 0) close_error = transfer.write_error;
  if (close_error != 0) return ErrnoError(close_error, fmt::format("cannot write '{}'", spec.part));
  // 416: we have everything already, or more than there is; the checksum tells.
  if (code == CURLE_HTTP_RETURNED_ERROR && http == 416) return absl::OkStatus();
  if (code == CURLE_HTTP_RETURNED_ERROR) return ExplainHttp(spec, http);
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT) {
    return InvalidArgument("'{}' is not an http or https address", spec.url);
  }
  if (code == CURLE_RANGE_ERROR) {
    // The server sent something else than the rest; begin anew.
    unlink(spec.part.c_str());
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Unavailable("nothing came from '{}' for {}", spec.url,
                       FormatDuration(absl::ToDoubleSeconds(spec.stall_timeout)));
  }
  if (code != CURLE_OK) return Unavailable("{} ('{}')", curl_easy_strerror(code), spec.url);
  return absl::OkStatus();
}

absl::Status Verify(const DownloadSpec& spec) {
  GS_ASSIGN_OR_RETURN(const std::string digest, HashFile(spec.part));
  if (digest == spec.sha256) return absl::OkStatus();
  unlink(spec.part.c_str());
  return DataLoss(
      "what '{}' sent is not the expected file and was removed: SHA-256 {} where {} was expected; try again, "
      "or name a "
      "mirror with --url",
      spec.url, digest, spec.sha256);
}

// Waits in short steps, so that an interruption is noticed.
bool Pause(const DownloadSpec& spec, absl::Duration duration) {
  const absl::Time end = absl::Now() + duration;
  while (absl::Now() < end) {
    if (spec.progress && !spec.progress(FileSize(spec.part), 0)) return false;
    absl::SleepFor(std::min(absl::Milliseconds(100), end - absl::Now()));
  }
  return true;
}

}  // namespace

absl::Status Download(const DownloadSpec& spec) {
  InitializeCurl();
  int fruitless = 0;
  int64_t furthest = FileSize(spec.part);
  bool began_anew = false;
  absl::Duration pause = spec.pause;
  while (true) {
    const bool resumed = FileSize(spec.part) > 0;
    const absl::Status status = Connect(spec);
    if (status.ok()) {
      const absl::Status verified = Verify(spec);
      // A leftover of another file spoils the checksum: once, everything is fetched from the start.
      if (verified.ok() || !resumed || began_anew) return verified;
      began_anew = true;
      if (spec.retry) spec.retry("the resumed download does not fit together, beginning anew");
      continue;
    }
    if (!absl::IsUnavailable(status)) return status;
    // A server that ignores ranges and always breaks off at the same place brings bytes but no progress.
    if (const int64_t size = FileSize(spec.part); size > furthest) {
      furthest = size;
      fruitless = 0;
      pause = spec.pause;
    } else if (++fruitless >= spec.attempts) {
      return Unavailable("{}; gave up after {} tries. The same command goes on where it stopped; {}",
                         Message(status), spec.attempts, kOtherWays);
    }
    if (spec.retry) spec.retry(Message(status) + ", trying again");
    if (!Pause(spec, pause)) return absl::CancelledError("interrupted");
    pause *= 2;
  }
}

absl::StatusOr<std::string> HashFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      close(fd);
      return ErrnoError(error, fmt::format("cannot read '{}'", path));
    }
    hash.Update(buffer.data(), static_cast<size_t>(got));
  }
  close(fd);
  return hash.HexDigest();
}

}  // namespace gridsweep
