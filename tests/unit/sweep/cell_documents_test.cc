#include "common/sweep/cell_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/job/job_spec.h"
#include "common/sweep/grid.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

TEST(CellDocuments, AreThoseOfTheJobs) {
  const SweepSpec spec =
      Parse(
          SweepText("model: [mlp, { cnn: { channels: [[16, 32], [32, 64]] } }]\nactivation: [relu, tanh]\n"
                    "optimizer: [adam, { sgd: { lr: [0.1, 1.0e-7], momentum: 0.9 } }]\n"
                    "regularization: [none, l1, { l1: 0.1, dropout: 0.3 }]\nscheduler: [none, step, plateau]",
                    "training: { epochs: 3, batch_size: 17, validation: 0.25 }\nobjective: test_loss"))
          .value();
  const Grid grid(spec);
  const CellDocuments documents(spec);
  for (int64_t cell = 0; cell < grid.combinations(); ++cell) {
    const JobSpec job = grid.Job(cell, 1);
    Json params = JobSpecToJson(job);
    params.erase("seed");
    params.erase("dataset_digest");
    ASSERT_EQ(documents.Params(grid.Position(cell)), params.dump());
    ASSERT_EQ(documents.Key(grid.Position(cell)), CellKey(job));
  }
}

}  // namespace
}  // namespace gridsweep
