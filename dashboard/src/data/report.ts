// What the coordinator says about one sweep: the contract between coordinator/report, which writes it, and this app, which
// shows it. Every statistic is computed there, once, by common/results; here numbers are only drawn, filtered and sorted.
//
// Columns, not rows: element i of every array of `cells` is about cell i, and likewise for `jobs`. `null` is a value that
// does not exist (or is not finite). Times end in _us: microseconds since 1970, UTC. Durations are seconds. Accuracies lie in
// 0…1; losses are mean cross-entropies in nats.

export type JobState = 'pending' | 'running' | 'succeeded' | 'diverged' | 'failed' | 'cancelled';
export type Goal = 'max' | 'min';

/** What an interval around a mean is made from. */
export type IntervalKind =
  | 'student_t' // 95 % confidence interval of the mean over seeds
  | 'binomial' // one seed: 1.96 standard errors of a share of a finite evaluation set; says nothing about other seeds
  | 'none';

export interface Report {
  format: 1;
  made: { at_us: number; version: string; live: boolean };
  sweep: SweepInfo;
  axes: Axis[]; // those that vary, in the grid's order
  constants: { axis: string; level: string }[]; // the others
  metric: MetricInfo;
  /** Plain sentences about the ranking: how it was compared, what could not be. */
  ranking_notes: string[];
  cells: CellTable; // in order of the ranked table
  jobs: JobTable; // by cell in that order, then seed
  effects: Effects;
  spending: Spending[];
  failures: Failure[]; // failed and diverged jobs, newest first
  attempts: { total: number; lost: number; failed: number; preempted: number };
  environments: string[]; // class of machine and library; jobs refer to it
  workers: string[]; // names; jobs refer to them
  devices: string[]; // "cpu", "cuda:0"; jobs refer to them
  class_names: string[]; // by label; empty before the first result
}

export interface SweepInfo {
  id: number;
  name: string; // any text: from the sweep file
  state: 'active' | 'paused' | 'cancelled' | 'finished';
  dataset: string;
  dataset_digest: string;
  train_size: number;
  test_size: number;
  evaluation_size: number; // images that the objective is measured on; 0 if unknown
  validation: number; // share of the training set held out
  ranked_on_test: boolean;
  seeds: number;
  epochs: number; // of each job
  batch_size: number;
  created_us: number;
  finished_us: number | null;
  yaml: string; // the sweep file, verbatim
}

export interface Axis {
  name: string; // "optimizer"
  levels: string[]; // full labels, "sgd(lr=0.05, momentum=0.9)", in the grid's order
  short: string[]; // the same without what never varies, for narrow places
}

export interface MetricInfo {
  name: string; // "val_accuracy": what cells are ranked by
  goal: Goal;
  epoch: 'best' | 'last'; // which epoch of a job counts
  is_share: boolean; // shown as percent
  unit: string; // "%" or "nats"
}

export interface CellTable {
  cell: number[]; // ids
  rank: (number | null)[]; // null: nothing to rank
  tied: boolean[]; // shares its rank: "1="
  levels: number[][]; // [axis][i]: index into axes[axis].levels
  n: number[]; // seeds with a finite result
  mean: (number | null)[];
  sd: (number | null)[];
  ci95: (number | null)[]; // half width
  interval: IntervalKind[];
  /** Against the leader over common seeds, leader minus cell in the metric's unit; null for the leader itself. */
  difference: (number | null)[];
  difference_ci95: (number | null)[];
  p: (number | null)[]; // Holm-adjusted
  best_probability: (number | null)[]; // bootstrap
  test_accuracy: (number | null)[];
  test_loss: (number | null)[];
  train_loss: (number | null)[];
  best_epoch: (number | null)[];
  seconds: (number | null)[]; // a job, mean
  pending: number[];
  running: number[];
  succeeded: number[];
  diverged: number[];
  failed: number[];
  cancelled: number[];
  note: string[]; // "1 of 3 diverged"
}

export interface JobTable {
  job: number[]; // ids
  cell: number[]; // index into cells
  seed: number[];
  state: JobState[];
  objective: (number | null)[];
  objective_epoch: (number | null)[];
  test_accuracy: (number | null)[];
  test_loss: (number | null)[];
  seconds: (number | null)[];
  epochs: number[];
  worker: (number | null)[]; // indices
  device: (number | null)[];
  environment: (number | null)[];
}

export interface Effects {
  /** Plain sentences: what the analysis is, what it leaves out, why there is none. */
  notes: string[];
  observations: number;
  /** Analysis of variance, type II. Empty if there is nothing to analyse. */
  terms: EffectTerm[];
  residual_df: number | null;
  residual_mean_square: number | null;
  levels: EffectLevel[];
}

export interface EffectTerm {
  axes: number[]; // one: main effect; two: interaction; none: the seed as a block
  name: string; // "optimizer", "model × activation", "seed"
  df: number;
  sum_of_squares: number;
  share: number | null; // of the total sum of squares
  f: number | null;
  p: number | null;
}

export interface EffectLevel {
  axis: number;
  level: number;
  cells: number;
  results: number; // jobs that count
  diverged: number;
  failed: number;
  mean: number | null; // marginal mean, adjusted for the other axes
  ci95: number | null;
  /** At the leader: what choosing this level instead costs, leader minus cell; null for the leader's own level. */
  cost: number | null;
  cost_ci95: number | null;
  cost_p: number | null;
}

/** Where the seeds of `gridsweep seeds --until-separated` went; empty without it. */
export interface Spending {
  revision: number;
  at_us: number;
  cells: number;
  jobs: number;
  text: string; // why, in a sentence
}

export interface Failure {
  job: number;
  cell: number; // index into cells
  seed: number;
  state: 'failed' | 'diverged';
  reason: string; // may be long
  attempts: number;
  worker: string;
  ended_us: number | null;
}

/**
 * Sections are loaded when first looked at. Decoded by data/section.ts. NaN: a value that does not exist.
 *
 * They name cells and jobs by their index in the report that they come with. A section that the coordinator serves while a
 * sweep runs may be made at another moment than the report, when the order is another one: its meta then says "by": "id", and
 * `Curves.job`, `Samples.jobs` and `Confusions.cells` hold ids (`jobs.job`, `cells.cell`), which section.ts turns into
 * indices; -1: not in this report.
 */

/** Learning curves. Curve k is jobs[job[k]], its epochs are start[k] … start[k + 1] - 1 of the metric arrays. */
export interface Curves {
  metrics: string[]; // those present: "train_loss", "val_accuracy", … , "lr"
  job: Int32Array; // index into jobs
  start: Int32Array; // one longer than job
  epoch: Int32Array;
  values: Record<string, Float32Array>;
}

/** Confusion matrices on the test set, summed over a cell's seeds; of the best cells only. Sparse. */
export interface Confusions {
  cells: Int32Array; // index into cells
  start: Int32Array; // one longer
  actual: Uint16Array;
  predicted: Uint16Array;
  count: Uint32Array;
}

/** Predictions for the fixed sample of test images, of the jobs of the best cells. */
export interface Samples {
  height: number;
  width: number; // 0: the images themselves are not known
  image: Int32Array; // position in the test set
  actual: Uint16Array;
  pixels: Uint8Array; // images × height × width, 0 … 255, white ink on black; empty if unknown
  jobs: Int32Array; // index into jobs
  predicted: Uint16Array; // jobs × images
  confidence: Float32Array; // jobs × images
}

/** GET api/v1/sweeps, newest first. */
export interface SweepList {
  sweeps: {
    id: number;
    name: string;
    state: SweepInfo['state'];
    dataset: string;
    cells: number;
    seeds: number;
    jobs: Record<JobState, number>;
    created_us: number;
    finished_us: number | null;
  }[];
}

/** The live view: data of a server-sent event "progress" of api/v1/sweeps/ID/events. */
export interface Progress {
  state: SweepInfo['state'];
  jobs: Record<JobState, number>;
  epochs_done: number;
  epochs_total: number;
  eta_seconds: number | null;
  epochs_per_minute: number;
  waiting_for: string; // why pending jobs do not start; may be empty
  trouble: string; // why nothing can be stored; may be empty
  running: {
    job: number;
    label: string;
    seed: number;
    worker: string;
    device: string;
    epoch: number;
    curve: (number | null)[]; // the objective's metric by epoch
  }[];
  recent_failures: string[];
  workers: {
    name: string;
    host: string;
    state: string; // working, idle, quarantined, left, lost
    devices: string[];
    slots: number;
    running: number;
    last_seen_us: number;
    note: string;
  }[];
  /** Grows with every result: when it has changed, the report is worth loading anew. */
  results: number;
}
