#include "common/sweep/cell_documents.h"

#include "common/base/sha256.h"
#include "common/job/job_spec.h"

namespace gridsweep {
namespace {

// "name":value, as it stands in a document.
std::string Member(const char* name, const Json& value) {
  return fmt::format("\"{}\":{}", name, value.dump());
}

}  // namespace

CellDocuments::CellDocuments(const SweepSpec& spec) {
  for (const Axis axis : kAllAxes) {
    for (const AxisValue& value : spec.axis(axis)) {
      Json json;
      if (axis == Axis::kRegularization) {
        json = Json::array();
        for (const Component& component : value.components) json.push_back(ComponentToJson(component));
      } else {
        json = ComponentToJson(value.components[0]);
      }
      values_[static_cast<size_t>(axis)].push_back(Member(std::string(AxisName(axis)).c_str(), json));
    }
  }
  dataset_ = Member("dataset", spec.dataset);
  objective_ = Member("objective", ObjectiveToJson(spec.objective)) + ",";
  training_ = Member("training", TrainingToJson(spec.training));
}

std::string CellDocuments::Key(const Position& cell) const {
  return Sha256Hex(Compose(cell, ""));
}

std::string CellDocuments::Params(const Position& cell) const {
  return Compose(cell, objective_);
}

// Members in the order of their names, as Json prints them.
std::string CellDocuments::Compose(const Position& cell, const std::string& objective) const {
  const auto value = [&](Axis axis) -> const std::string& {
    return values_[static_cast<size_t>(axis)][cell[static_cast<size_t>(axis)]];
  };
  return fmt::format("{{{},{},{},{}{},{},{},{}}}", value(Axis::kActivation), dataset_, value(Axis::kModel),
                     objective, value(Axis::kOptimizer), value(Axis::kRegularization),
                     value(Axis::kScheduler), training_);
}

}  // namespace gridsweep
