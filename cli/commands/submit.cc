#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/sweep_file.h"
#include "common/base/random.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

class SubmitCommand : public Command {
 public:
  std::string name() const override { return "submit"; }
  std::string summary() const override { return "Hand a sweep to a running coordinator and return"; }

  void Declare(CLI::App& app) override {
    app.add_option("FILE", path_, "The sweep file")->required();
    flags_.Declare(app);
    app.add_option("--key", key_,
                   "Makes a repeated submit harmless: with a key the coordinator knows, nothing new is "
                   "stored. Default: "
                   "the content of the file, and the newest unfinished sweep of it comes first")
        ->type_name("KEY");
    app.add_flag("--again", again_, "Submit it anew even if the coordinator holds this sweep already");
    app.footer(
        "\nThe file is checked here first; a wrong one never reaches the coordinator. Prints the sweep's id "
        "on standard\n"
        "output. Follow it with gridsweep watch ID.\n\n"
        "Examples:\n"
        "  gridsweep submit my.yaml --coordinator node1:7077\n"
        "  id=$(gridsweep submit my.yaml) && gridsweep watch $id");
  }

  absl::StatusOr<int> Run(Context& context) override {
    // How many jobs are too many is the coordinator's to say.
    GS_ASSIGN_OR_RETURN(const SweepFile file, ReadSweepFile(path_, {.max_jobs = kMostJobs}));
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kChange, context));
    v1::SubmitRequest request;
    std::string key = key_.empty() ? "run-" + SweepContentHash(file.spec) : key_;
    if (again_) key += "-" + RandomHex(8);
    request.set_client_key(key);
    request.set_resume(key_.empty() && !again_);
    request.set_yaml(file.yaml);
    request.set_file_name(file.path);
    GS_ASSIGN_OR_RETURN(const v1::SubmitResponse response, connection->client().Submit(request));
    *context.err.stream << fmt::format("sweep {} '{}': {}{} jobs\n", response.sweep(), response.name(),
                                       response.created() ? "" : "known already, ",
                                       FormatCount(response.jobs()));
    *context.out.stream << response.sweep() << "\n";
    return kExitOk;
  }

 private:
  std::string path_;
  std::string key_;
  bool again_ = false;
  CoordinatorFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeSubmitCommand() {
  return std::make_unique<SubmitCommand>();
}

}  // namespace gridsweep
