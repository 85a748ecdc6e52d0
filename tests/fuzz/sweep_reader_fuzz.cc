// The sweep reader against any bytes: it must answer with a sweep or with one short message that has a place, and what
// it accepts must expand and hash.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "common/sweep/grid.h"
#include "common/sweep/plan.h"
#include "common/sweep/sweep_spec.h"

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "sweep_reader_fuzz: " << what << "\n";
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Catalog& catalog = Catalog::Builtin();
  // Small limits: the inputs are small, and the time should go into reading.
  const auto spec =
      ParseSweep(text, "f", catalog, {.max_jobs = 1'000, .max_raw_factor = 2, .max_axis_values = 100});
  if (!spec.ok()) {
    const std::string message = Message(spec.status());
    Require(message.starts_with("f:"), "a message without a place");
    Require(message.size() < 2'000, "a long message");
    Require(message.find('\n') == std::string::npos, "a message of several lines");
    return 0;
  }
  const Grid grid(*spec);
  Require(grid.cells() >= 1 && grid.cells() <= grid.combinations(), "an empty grid");
  const JobSpec job = grid.Job(grid.combinations() - 1, spec->seeds.back());
  const auto read = JobSpecFromJson(JobSpecToJson(job), catalog);
  Require(read.ok() && *read == job, "a job that does not read back");
  RenderPlan(*spec, grid, catalog);
  Require(SweepContentHash(*spec).size() == 64, "a sweep without a hash");
  return 0;
}
