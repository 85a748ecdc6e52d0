#include <algorithm>
#include <map>
#include <utility>

#include "cli/command.h"
#include "cli/commands/commands.h"
#include "cli/versions.h"
#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

constexpr char kDescription[] =
    "gridsweep runs hyperparameter sweeps: a grid in a YAML file becomes jobs, workers train them, and a "
    "ranked\n"
    "table says which combination is best.\n\n"
    "To begin: gridsweep plan FILE shows what a sweep file would run, gridsweep run FILE runs it on this "
    "machine.\n"
    "Every command explains itself: gridsweep COMMAND --help.";

constexpr char kFooter[] =
    "\nEnvironment:\n"
    "  GRIDSWEEP_COORDINATOR  address of the coordinator, where neither --coordinator nor --db is given;\n"
    "                         gridsweep run works on its --db and does not read it\n"
    "  NO_COLOR               no colours\n\n"
    "Exit codes:\n"
    "  0    done\n"
    "  1    done, but some jobs failed\n"
    "  2    wrong usage, a wrong file, or an error that the message explains\n"
    "  3    no coordinator answers\n"
    "  130  interrupted; the same command goes on where it was";

std::string FirstWord(const std::vector<std::string>& args) {
  for (const std::string& arg : args) {
    if (!arg.starts_with("-")) return arg;
  }
  return "";
}

// The deepest subcommand that was named.
CLI::App* Chosen(CLI::App& app) {
  CLI::App* chosen = &app;
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  return chosen;
}

std::string CommandPath(const CLI::App* app) {
  const std::string own = app->get_name();
  return app->get_parent() == nullptr ? own : CommandPath(app->get_parent()) + " " + own;
}

std::vector<std::string> LongOptions(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// What is wrong with the arguments, in our words where the parser's are thin.
std::string UsageMessage(CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    return fmt::format("{}: give only one of them", error.what());
  }
  const std::vector<std::string> extras = Chosen(app)->remaining();
  if (extras.empty() || dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
  // An unknown option explains the words around it, not the other way round.
  const auto option = std::find_if(extras.begin(), extras.end(),
                                   [](const std::string& extra) { return extra.starts_with("-"); });
  if (option == extras.end()) return fmt::format("unexpected argument '{}'", extras.front());
  const std::string name = option->substr(0, option->find('='));
  const std::string near = DidYouMean(name, LongOptions(*Chosen(app)));
  return fmt::format("unknown option '{}'{}", name,
                     near.empty() ? "" : fmt::format(", did you mean '{}'", near));
}

int UsageError(Context& context, const std::string& path, const std::string& message) {
  *context.err.stream << path << ": " << message << "\nsee " << path << " --help" << std::endl;
  return kExitUsage;
}

int Finish(Context& context, absl::StatusOr<int> result) {
  if (!result.ok()) {
    *context.err.stream << "gridsweep: " << Message(result.status()) << std::endl;
    return ExitCodeFor(result.status());
  }
  context.out.stream->flush();
  return *result;
}

}  // namespace

int ExitCodeFor(const absl::Status& status) {
  if (absl::IsCancelled(status)) return kExitInterrupted;
  return absl::IsUnavailable(status) ? kExitNoCoordinator : kExitUsage;
}

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeRunCommand());
  commands.push_back(MakePlanCommand());
  commands.push_back(MakeSubmitCommand());
  commands.push_back(MakeListCommand());
  commands.push_back(MakeWatchCommand());
  commands.push_back(MakeRankCommand());
  commands.push_back(MakeEffectsCommand());
  commands.push_back(MakeCompareCommand());
  commands.push_back(MakeSeedsCommand());
  commands.push_back(MakeShowCommand());
  for (const v1::SweepAction action : {v1::PAUSE, v1::RESUME, v1::CANCEL, v1::RETRY}) {
    commands.push_back(MakeControlCommand(action));
  }
  commands.push_back(MakeWorkersCommand());
  commands.push_back(MakeCatalogCommand());
  commands.push_back(MakeDataCommand());
  commands.push_back(MakeSqlCommand());
  commands.push_back(MakeReportCommand());
  commands.push_back(MakeExportCommand());
  commands.push_back(MakeAuditCommand());
  commands.push_back(MakeArtifactCommand());
  commands.push_back(MakeBackupCommand());
  commands.push_back(MakeDoctorCommand());
  return commands;
}

int RunProgram(const std::vector<std::string>& args, Context& context,
               std::vector<std::unique_ptr<Command>> commands) {
  CLI::App app(kDescription, "gridsweep");
  app.footer(kFooter);
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  bool version = false;
  app.add_flag("--version", version, "Print the versions of gridsweep and of the libraries it uses");
  std::map<const CLI::App*, Command*> by_app;
  std::vector<std::string> names;
  for (const auto& command : commands) {
    CLI::App* subcommand = app.add_subcommand(command->name(), command->summary());
    command->Declare(*subcommand);
    by_app[subcommand] = command.get();
    names.push_back(command->name());
  }

  const std::string first = FirstWord(args);
  if (!first.empty() && std::find(names.begin(), names.end(), first) == names.end()) {
    const std::string near = DidYouMean(first, names);
    return UsageError(context, "gridsweep",
                      fmt::format("unknown command '{}'{}", first,
                                  near.empty() ? "" : fmt::format(", did you mean '{}'", near)));
  }
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());  // the parser's convention
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, *context.out.stream, *context.err.stream);
    return UsageError(context, CommandPath(Chosen(app)), UsageMessage(app, error));
  }
  if (version) {
    *context.out.stream << VersionText(context.program_dir);
    return kExitOk;
  }
  if (app.get_subcommands().empty()) {
    *context.err.stream << app.help();
    return kExitUsage;
  }
  return Finish(context, by_app.at(app.get_subcommands().front())->Run(context));
}

}  // namespace gridsweep
