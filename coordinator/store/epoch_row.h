// How the metrics of an epoch are laid out in columns.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/job/metrics.h"
#include "coordinator/store/sqlite_db.h"

namespace gridsweep {

// Columns of table epochs that make up an EpochMetrics, in the order of ReadEpoch and BindEpoch.
inline constexpr char kEpochColumns[] =
    "epoch, train_loss, train_accuracy, val_loss, val_accuracy, test_loss, test_accuracy, lr, seconds, "
    "samples_per_second, nonfinite, shared_by";
inline constexpr int kEpochColumnCount = 12;

// Binds the columns to parameters `first`, `first` + 1, ….
void BindEpoch(Statement& statement, int first, const EpochMetrics& epoch);
// Reads them from columns `first`, `first` + 1, ….
EpochMetrics ReadEpoch(const Statement& row, int first);

// A number as a value column and a class column hold it: the class is "finite", "nan", "inf" or "-inf", or
// absent for an absent number; the value is present if finite.
struct ClassedValue {
  std::optional<double> value;
  std::optional<std::string> value_class;
};
ClassedValue Classify(std::optional<double> value);

}  // namespace gridsweep
