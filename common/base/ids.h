// Strong ids: an id of one kind cannot be passed where another is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace gridsweep {

template <class Tag>
struct Id {
  int64_t value = 0;  // row id in the store; 0 is never a stored id
  friend auto operator<=>(const Id&, const Id&) = default;
};

using SweepId = Id<struct SweepTag>;
using CellId = Id<struct CellTag>;
using JobId = Id<struct JobTag>;
using AttemptId = Id<struct AttemptTag>;
using WorkerId = Id<struct WorkerTag>;

}  // namespace gridsweep

template <class Tag>
struct std::hash<gridsweep::Id<Tag>> {
  size_t operator()(const gridsweep::Id<Tag>& id) const noexcept { return std::hash<int64_t>{}(id.value); }
};
