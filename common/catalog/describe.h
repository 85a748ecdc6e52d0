// The catalog as documentation: what `gridsweep catalog` prints, and the same as Markdown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/catalog/catalog.h"

namespace gridsweep {

// Text for a terminal of 80 columns: every component of the catalog in one line each, of one axis with its parameters,
// or one component in full with an example for a sweep file. Returns NOT_FOUND with "did you mean" for an unknown name.
// REQUIRES: `axis` is given if `name` is not empty.
absl::StatusOr<std::string> DescribeCatalog(const Catalog& catalog, std::optional<Axis> axis = std::nullopt,
                                            std::string_view name = {});

// The whole catalog as a Markdown document.
std::string CatalogMarkdown(const Catalog& catalog);

// The shortest entry of a sweep file's `grid` with this component and all its parameters at their defaults:
// "optimizer: {sgd: {lr: 0.05, momentum: 0.9, nesterov: false}}".
std::string SweepFileExample(const ComponentSpec& component);

}  // namespace gridsweep
