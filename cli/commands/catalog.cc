#include "common/catalog/catalog.h"

#include "cli/commands/commands.h"
#include "cli/output_flags.h"
#include "common/catalog/describe.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nExamples:\n"
    "  gridsweep catalog                      every component\n"
    "  gridsweep catalog optimizer            the optimizers and their parameters\n"
    "  gridsweep catalog optimizer sgd        one of them, with an example\n"
    "  gridsweep catalog --format json";

// One row a parameter; components without parameters have one row too.
Table ParamTable(const std::vector<const ComponentSpec*>& components) {
  Table table;
  table.columns = {{.key = "axis", .header = "axis"},
                   {.key = "component", .header = "component"},
                   {.key = "parameter", .header = "parameter"},
                   {.key = "default", .header = "default", .align = Align::kRight},
                   {.key = "expected", .header = "expected"},
                   {.key = "doc", .header = "what it is"}};
  for (const ComponentSpec* component : components) {
    const Cell axis = Cell::Text(std::string(AxisName(component->axis)));
    const Cell name = Cell::Text(component->name);
    table.rows.push_back({axis, name, Cell(), Cell(), Cell(), Cell::Text(component->doc)});
    for (const ParamSpec& param : component->params) {
      table.rows.push_back({axis, name, Cell::Text(param.name),
                            Cell(ParamValueText(param.default_value), ParamValueToJson(param.default_value)),
                            Cell::Text(param.Expectation()), Cell::Text(param.doc)});
    }
  }
  return table;
}

class CatalogCommand : public Command {
 public:
  std::string name() const override { return "catalog"; }
  std::string summary() const override { return "Document the models, optimizers and other components"; }

  void Declare(CLI::App& app) override {
    app.add_option("AXIS", axis_, "model, activation, optimizer, regularization or scheduler");
    app.add_option("NAME", component_, "A component of the axis");
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    const Catalog& catalog = Catalog::Builtin();
    std::optional<Axis> axis;
    if (!axis_.empty()) {
      GS_ASSIGN_OR_RETURN(axis, ParseAxis(axis_));
    }
    // Also the check of the name, whatever the format.
    GS_ASSIGN_OR_RETURN(const std::string text, DescribeCatalog(catalog, axis, component_));
    if (format_.format == OutputFormat::kTable) {
      *context.out.stream << text;
      return kExitOk;
    }
    std::vector<const ComponentSpec*> chosen;
    for (const ComponentSpec& component : catalog.components()) {
      const bool wanted =
          (!axis || component.axis == *axis) && (component_.empty() || component.name == component_);
      if (wanted) chosen.push_back(&component);
    }
    PrintTable(ParamTable(chosen), format_, "", context);
    return kExitOk;
  }

 private:
  std::string axis_;
  std::string component_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeCatalogCommand() {
  return std::make_unique<CatalogCommand>();
}

}  // namespace gridsweep
