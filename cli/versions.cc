#include "cli/versions.h"

#include <algorithm>
#include <cctype>

#include "cli/process.h"
#include "common/base/version.h"
#include "common/rpc/channel.h"

namespace gridsweep {
namespace {

// Loading LibTorch from a cold disk takes seconds.
constexpr absl::Duration kPatience = absl::Seconds(30);

std::string Ask(const std::string& program, std::string_view library) {
  auto process = Process::Start({.argv = {program, "--version"}, .log_path = "", .capture_stdout = true});
  if (!process.ok()) return "not installed";
  const absl::StatusOr<std::string> text = (*process)->ReadAll(kPatience);
  if (!text.ok()) return fmt::format("unknown: '{} --version' does not answer", program);
  const std::string version = FindVersion(*text, library);
  return version.empty() ? fmt::format("unknown: '{} --version' does not say", program) : version;
}

bool EqualIgnoringCase(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

}  // namespace

std::string FindVersion(std::string_view text, std::string_view library) {
  const auto found = std::search(text.begin(), text.end(), library.begin(), library.end(), EqualIgnoringCase);
  if (found == text.end()) return "";
  const size_t after = static_cast<size_t>(found - text.begin()) + library.size();
  const std::string_view line = text.substr(after, text.substr(after).find('\n'));
  const size_t begin = line.find_first_of("0123456789");
  if (begin == std::string_view::npos) return "";
  const std::string_view version = line.substr(begin);
  return std::string(version.substr(0, version.find_first_of(" \t\r,;)")));
}

std::string VersionText(const std::string& program_dir) {
  return fmt::format("gridsweep {}\ncommit    {}\nLibTorch  {}\ngRPC      {}\nSQLite    {}\n", Version(),
                     Commit(), Ask(program_dir + "/gridsweep-trainer", "LibTorch"), GrpcVersion(),
                     Ask(program_dir + "/gridsweep-coordinator", "SQLite"));
}

}  // namespace gridsweep
