#include "common/data/mend.h"

#include <algorithm>
#include <iterator>

#include "common/base/shell_word.h"
#include "common/base/status.h"
#include "common/data/dataset.h"

namespace gridsweep {
namespace {

constexpr std::string_view kEmnistSplits[] = {"balanced", "byclass", "bymerge", "digits", "letters", "mnist"};
constexpr std::string_view kDebianFolder = "/usr/share/datasets";

}  // namespace

std::string MendDataset(std::string_view name, const std::string& folder, bool again) {
  const std::string_view split =
      name.starts_with(kEmnistPrefix) ? name.substr(kEmnistPrefix.size()) : std::string_view();
  if (std::find(std::begin(kEmnistSplits), std::end(kEmnistSplits), split) != std::end(kEmnistSplits)) {
    const std::string to = folder == DefaultDataDirs().front() ? "" : " --to " + ShellWord(folder);
    return fmt::format("run: gridsweep data fetch emnist --split {}{}", split, to);
  }
  if (name == "fashion-mnist" && (!again || folder.starts_with(kDebianFolder))) {
    return fmt::format("run: apt-get install {}dataset-fashion-mnist", again ? "--reinstall " : "");
  }
  return again ? "replace the file, or pass --data-dir with the folder of a good copy"
               : "pass --data-dir with the folder that holds it";
}

}  // namespace gridsweep
