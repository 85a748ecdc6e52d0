// What each axis contributes, and what it costs to choose otherwise, as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/results/effects.h"
#include "common/results/table_formats.h"

namespace gridsweep {

struct EffectsReport {
  int64_t sweep = 0;
  std::string sweep_name;
  std::string sweep_state;
  std::string dataset;
  std::string metric;
  std::string goal;               // "max", "min"
  std::vector<std::string> axes;  // those that vary; terms, levels and the leader refer to them
  Effects effects;
};

// The two tables of the report.
Table EffectTermTable(const EffectsReport& report);
Table EffectLevelTable(const EffectsReport& report);

enum class EffectsPart { kTerms, kLevels };

// As a table for people and as JSON both parts, otherwise the one named. Tables have a caption with the report's notes.
std::string RenderEffects(const EffectsReport& report, EffectsPart part, OutputFormat format,
                          const Screen& screen);

}  // namespace gridsweep
