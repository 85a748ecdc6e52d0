#include "cli/report_file.h"

#include "common/base/atomic_file.h"

namespace gridsweep {

absl::StatusOr<int64_t> WriteReportFile(Client& client, const std::string& sweep, const std::string& path,
                                        bool replace, Context& context) {
  GS_ASSIGN_OR_RETURN(AtomicFile file,
                      AtomicFile::Create(path, 0666, replace ? Existing::kReplace : Existing::kKeep));
  int64_t bytes = 0;
  GS_RETURN_IF_ERROR(client.GetReport(
      sweep,
      [&](const v1::ReportPiece& piece) {
        bytes += static_cast<int64_t>(piece.data().size());
        return file.Write(piece.data());
      },
      [&context] { return context.interruptions() > 0; }));
  GS_RETURN_IF_ERROR(file.Finish());
  return bytes;
}

}  // namespace gridsweep
