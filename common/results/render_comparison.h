// A comparison as text.
#pragma once

#include <string>

#include "common/results/comparison.h"
#include "common/results/table_formats.h"

namespace gridsweep {

// For people and in JSON everything; in CSV, TSV, Markdown and LaTeX the metrics.
std::string RenderComparison(const Comparison& comparison, const ComparedSide& a, const ComparedSide& b,
                             OutputFormat format, const Screen& screen);

}  // namespace gridsweep
