#include "cli/sweep_watch.h"

#include "cli/convert_results.h"
#include "common/base/command_line.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(250);

}  // namespace

bool HasEnded(const v1::SweepSummary& sweep) {
  return sweep.jobs().pending() + sweep.jobs().running() == 0;
}

int SweepExitCode(const v1::SweepSummary& sweep) {
  return sweep.jobs().failed() + sweep.jobs().cancelled() > 0 ? kExitFailedJobs : kExitOk;
}

absl::StatusOr<v1::SweepStatus> WatchSweep(Client& client, const std::string& sweep, Context& context,
                                           ProgressDisplay& display, absl::Duration patience,
                                           const std::function<absl::Status()>& each_round) {
  v1::SweepStatus last;
  absl::Time last_answer = context.clock->Now().wall;
  bool away = false;
  while (context.interruptions() == 0) {
    GS_RETURN_IF_ERROR(each_round());
    const absl::StatusOr<v1::SweepStatus> status = client.GetSweep(sweep);
    const absl::Time now = context.clock->Now().wall;
    if (status.ok()) {
      last = *status;
      last_answer = now;
      if (away) display.Say("the coordinator is back");
      away = false;
      display.Show(last, now);
      if (HasEnded(last.summary())) break;
    } else if (!absl::IsUnavailable(status.status()) || now - last_answer > patience) {
      return status.status();
    } else if (!away) {
      away = true;
      display.Say("the coordinator does not answer, waiting for it");
    }
    context.sleep(kInterval);
  }
  display.Clear();
  return last;
}

absl::Status PrintRanking(Client& client, const v1::RankRequest& request, OutputFormat format,
                          const RankOptions& options, Context& context) {
  GS_ASSIGN_OR_RETURN(const v1::RankResponse response, client.Rank(request));
  *context.out.stream << RenderRank(FromProto(response, !request.by().empty()), format, context.out.screen,
                                    options);
  context.out.stream->flush();
  return absl::OkStatus();
}

}  // namespace gridsweep
