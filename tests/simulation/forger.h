// Somebody who writes what he has no right to, in every way there is.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coordinator/queue/job_queue.h"
#include "coordinator/store/store.h"
#include "tests/simulation/sim_random.h"
#include "tests/simulation/witness.h"

namespace gridsweep {

// What is stored of such writes can be told from everything else by these.
inline constexpr char kForged[] = "forged";  // an environment, or an error
inline constexpr double kForgedSpeed = -1;   // images a second
std::string ForgedSha256();

// Plays, in a batch, one write with a token that is not, or no longer, the attempt's: straight to the store, or to the queue
// as a worker that never heard its attempt was given to another, or as a worker that it never belonged to. They are to change
// nothing; the witness and the rows show whether they do. Does nothing while there is nothing to forge.
void Forge(JobQueue& queue, Store& store, const Witness& witness, SimRandom& random, const Instant& now);

}  // namespace gridsweep
