#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nWhich choice matters: an analysis of variance over all results (type II: right also where cells are missing, have\n"
    "diverged or failed). Each axis, and each pair of axes, has its share of the variation, an F test and a p value; with\n"
    "several seeds the seed is a block. Then each level of each axis: its mean adjusted for all others with a 95 % confidence\n"
    "interval, and what the best cell loses when only this choice changes.\n\n"
    "Table and json hold both parts; csv, tsv, markdown and latex the effects, with --levels the levels.\n\n"
    "Examples:\n"
    "  gridsweep effects emnist-baseline\n"
    "  gridsweep effects 3 --levels --format latex > levels.tex";

class EffectsCommand : public Command {
 public:
  std::string name() const override { return "effects"; }
  std::string summary() const override { return "Tell which choices matter, and by how much"; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
    app.add_flag("--levels", levels_, "In csv, tsv, markdown and latex: the levels instead of the effects");
    flags_.Declare(app);
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(const v1::GetEffectsResponse response, connection->client().GetEffects(sweep_));
    *context.out.stream << RenderEffects(FromProto(response),
                                         levels_ ? EffectsPart::kLevels : EffectsPart::kTerms, format_.format,
                                         context.out.screen);
    return kExitOk;
  }

 private:
  std::string sweep_;
  bool levels_ = false;
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeEffectsCommand() {
  return std::make_unique<EffectsCommand>();
}

}  // namespace gridsweep
