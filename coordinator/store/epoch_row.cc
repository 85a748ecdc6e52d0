#include "coordinator/store/epoch_row.h"

#include <cmath>
#include <limits>
#include <string_view>

namespace gridsweep {
namespace {

std::string_view ClassOf(double value) {
  if (std::isfinite(value)) return "finite";
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

double ValueOfClass(std::string_view value_class) {
  if (value_class == "inf") return std::numeric_limits<double>::infinity();
  if (value_class == "-inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

// The class of `name` in "train_loss=nan test_loss=inf"; empty if it is not listed.
std::string_view FindClass(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(' '));
    list.remove_prefix(entry.size() == list.size() ? entry.size() : entry.size() + 1);
    const size_t equals = entry.find('=');
    if (entry.substr(0, equals) == name) return entry.substr(equals + 1);
  }
  return {};
}

// One column of an epoch with its member; the order is that of kEpochColumns after `epoch`.
template <typename Epoch, typename Visitor>
void VisitMetrics(Epoch& epoch, Visitor visit) {
  visit("train_loss", epoch.train_loss);
  visit("train_accuracy", epoch.train_accuracy);
  visit("val_loss", epoch.val_loss);
  visit("val_accuracy", epoch.val_accuracy);
  visit("test_loss", epoch.test_loss);
  visit("test_accuracy", epoch.test_accuracy);
  visit("lr", epoch.lr);
  visit("seconds", epoch.seconds);
  visit("samples_per_second", epoch.samples_per_second);
}

}  // namespace

void BindEpoch(Statement& statement, int first, const EpochMetrics& epoch) {
  statement.Bind(first, epoch.epoch);
  int index = first;
  std::string nonfinite;
  VisitMetrics(epoch, [&](std::string_view name, const std::optional<double>& value) {
    ++index;
    if (value.has_value() && !std::isfinite(*value)) {
      if (!nonfinite.empty()) nonfinite += ' ';
      nonfinite.append(name).append("=").append(ClassOf(*value));
      statement.Bind(index, std::nullopt);
    } else {
      statement.Bind(index, value);
    }
  });
  if (nonfinite.empty()) {
    statement.Bind(index + 1, std::nullopt);
  } else {
    statement.Bind(index + 1, std::string_view(nonfinite));
  }
  statement.Bind(index + 2, epoch.shared_by);
}

EpochMetrics ReadEpoch(const Statement& row, int first) {
  EpochMetrics epoch;
  epoch.epoch = row.Int(first);
  const std::string nonfinite = row.Text(first + kEpochColumnCount - 2);
  int column = first;
  VisitMetrics(epoch, [&](std::string_view name, auto& member) {
    ++column;
    if (!row.IsNull(column)) {
      member = row.Real(column);
    } else if (const std::string_view value_class = FindClass(nonfinite, name); !value_class.empty()) {
      member = ValueOfClass(value_class);
    }
  });
  epoch.shared_by = row.Int(first + kEpochColumnCount - 1);
  return epoch;
}

ClassedValue Classify(std::optional<double> value) {
  if (!value.has_value()) return {};
  ClassedValue classed;
  classed.value_class = std::string(ClassOf(*value));
  if (std::isfinite(*value)) classed.value = value;
  return classed;
}

}  // namespace gridsweep
