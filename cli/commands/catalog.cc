#include "common/catalog/catalog.h"

#include "cli/commands/commands.h"
#include "cli/output_flags.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nExamples:\n"
    "  gridsweep catalog                      every component\n"
    "  gridsweep catalog optimizer            the optimizers and their parameters\n"
    "  gridsweep catalog optimizer sgd        one of them\n"
    "  gridsweep catalog --format json";

Table ComponentTable(const std::vector<const ComponentSpec*>& components) {
  Table table;
  table.columns = {{.key = "axis", .header = "axis"},
                   {.key = "name", .header = "name"},
                   {.key = "parameters", .header = "parameters", .min_width = 12},
                   {.key = "doc", .header = "what it is", .min_width = 20}};
  for (const ComponentSpec* component : components) {
    std::vector<std::string> params;
    for (const ParamSpec& param : component->params) params.push_back(param.name);
    table.rows.push_back({Cell::Text(std::string(AxisName(component->axis))), Cell::Text(component->name),
                          Cell::Text(fmt::format("{}", fmt::join(params, ", "))),
                          Cell::Text(component->doc)});
  }
  return table;
}

Table ParamTable(const std::vector<const ComponentSpec*>& components) {
  Table table;
  table.columns = {{.key = "axis", .header = "", .audience = Audience::kMachines},
                   {.key = "component", .header = "component"},
                   {.key = "parameter", .header = "parameter"},
                   {.key = "default", .header = "default", .align = Align::kRight},
                   {.key = "expected", .header = "expected", .min_width = 12},
                   {.key = "doc", .header = "what it does", .min_width = 20}};
  for (const ComponentSpec* component : components) {
    for (const ParamSpec& param : component->params) {
      table.rows.push_back({Cell::Text(std::string(AxisName(component->axis))), Cell::Text(component->name),
                            Cell::Text(param.name),
                            Cell(ParamValueText(param.default_value), ParamValueToJson(param.default_value)),
                            Cell::Text(param.Expectation()), Cell::Text(param.doc)});
    }
  }
  return table;
}

// One component in full: nothing shortened, whatever the width.
std::string ComponentText(const ComponentSpec& component) {
  std::string text = fmt::format("{} {}: {}\n", AxisName(component.axis), component.name, component.doc);
  for (const ParamSpec& param : component.params) {
    text += fmt::format("\n  {}\n    {}\n    {}, default {}\n", param.name, param.doc, param.Expectation(),
                        ParamValueText(param.default_value));
    if (param.primary) {
      text += fmt::format("    may be written in short: {}: {}\n", component.name,
                          ParamValueText(param.default_value));
    }
  }
  return text;
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
    if (axis_.empty()) {
      if (format_.format == OutputFormat::kJson) {
        *context.out.stream << catalog.ToJson();
        return kExitOk;
      }
      std::vector<const ComponentSpec*> all;
      for (const ComponentSpec& component : catalog.components()) all.push_back(&component);
      PrintTable(ComponentTable(all), format_, "", context);
      return kExitOk;
    }
    GS_ASSIGN_OR_RETURN(const Axis axis, ParseAxis(axis_));
    std::vector<const ComponentSpec*> chosen = catalog.OnAxis(axis);
    if (!component_.empty()) {
      GS_ASSIGN_OR_RETURN(const ComponentSpec* component, catalog.Find(axis, component_));
      if (format_.format == OutputFormat::kTable) {
        *context.out.stream << ComponentText(*component);
        return kExitOk;
      }
      chosen = {component};
    }
    if (format_.format == OutputFormat::kTable) {
      *context.out.stream << Render(ComponentTable(chosen), format_.format, context.out.screen) << "\n";
    }
    PrintTable(ParamTable(chosen), format_, fmt::format("no {} has parameters", axis_), context);
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
