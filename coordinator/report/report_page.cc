#include "coordinator/report/report_page.h"

#include "absl/strings/escaping.h"
#include "coordinator/report/report_data.h"
#include "coordinator/report/report_sections.h"

namespace gridsweep {
namespace embedded {
extern const std::string_view kDashboard;
}

namespace {

// Where the app expects its data.
constexpr std::string_view kMarker = "<!-- gridsweep:data -->";

// JSON that can stand in a script element: the text cannot end it, whatever names are in it.
std::string ScriptSafe(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string SectionElement(std::string_view name, const std::string& packed) {
  return fmt::format("<script type=\"application/gzip\" id=\"gridsweep-{}\">", name) +
         absl::Base64Escape(packed) + "</script>\n";
}

}  // namespace

absl::StatusOr<std::string_view> DashboardPage() {
  if (embedded::kDashboard.find(kMarker) != std::string_view::npos) return embedded::kDashboard;
  return FailedPrecondition(
      "this program was built without its report and live view, because npm or the packages that it fetches were not there: "
      "install npm (Debian: apt-get install npm), see that it reaches its registry (npm ping), and build again");
}

absl::Status WriteReport(StoreReader& reader, SweepId sweep, absl::Time now,
                         const std::function<absl::Status(std::string_view)>& take) {
  GS_ASSIGN_OR_RETURN(const std::string_view page, DashboardPage());
  const size_t marker = page.find(kMarker);
  GS_ASSIGN_OR_RETURN(const Json report, BuildReport(reader, sweep, now, /*live=*/false));
  GS_RETURN_IF_ERROR(take(page.substr(0, marker)));
  GS_RETURN_IF_ERROR(take("<script type=\"application/json\" id=\"gridsweep-report\">" + ScriptSafe(report) +
                          "</script>\n"));
  GS_ASSIGN_OR_RETURN(const std::string curves, BuildCurves(reader, sweep));
  GS_RETURN_IF_ERROR(take(SectionElement("curves", curves)));
  GS_ASSIGN_OR_RETURN(const std::string confusions, BuildConfusions(reader, sweep, kDetailedCells));
  GS_RETURN_IF_ERROR(take(SectionElement("confusions", confusions)));
  GS_ASSIGN_OR_RETURN(const std::string samples, BuildSamples(reader, sweep, kDetailedCells));
  GS_RETURN_IF_ERROR(take(SectionElement("samples", samples)));
  return take(page.substr(marker + kMarker.size()));
}

}  // namespace gridsweep
