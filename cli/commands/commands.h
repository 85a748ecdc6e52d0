// One maker per command; the commands themselves are private to their files.
#pragma once

#include <memory>

#include "cli/command.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

std::unique_ptr<Command> MakeRunCommand();
std::unique_ptr<Command> MakePlanCommand();
std::unique_ptr<Command> MakeSubmitCommand();
std::unique_ptr<Command> MakeListCommand();
std::unique_ptr<Command> MakeWatchCommand();
std::unique_ptr<Command> MakeRankCommand();
std::unique_ptr<Command> MakeEffectsCommand();
std::unique_ptr<Command> MakeCompareCommand();
std::unique_ptr<Command> MakeSeedsCommand();
std::unique_ptr<Command> MakeShowCommand();
std::unique_ptr<Command> MakeControlCommand(v1::SweepAction action);  // pause, resume, cancel, retry
std::unique_ptr<Command> MakeWorkersCommand();
std::unique_ptr<Command> MakeCatalogCommand();
std::unique_ptr<Command> MakeDataCommand();
std::unique_ptr<Command> MakeSqlCommand();
std::unique_ptr<Command> MakeReportCommand();
std::unique_ptr<Command> MakeExportCommand();
std::unique_ptr<Command> MakeAuditCommand();
std::unique_ptr<Command> MakeArtifactCommand();
std::unique_ptr<Command> MakeBackupCommand();
std::unique_ptr<Command> MakeDoctorCommand();

}  // namespace gridsweep
