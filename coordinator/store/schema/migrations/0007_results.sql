-- What the statistics say of a sweep, beside its results: seeds added later, how the cells compare, what each axis contributes,
-- and the images that predictions are about.

-- Seeds added to some cells of a sweep after it was submitted.
CREATE TABLE revisions (
  sweep      INTEGER NOT NULL REFERENCES sweeps (id),
  number     INTEGER NOT NULL CHECK (number >= 1),  -- 1, 2, 3, … within the sweep
  created_us INTEGER NOT NULL,
  cells      INTEGER NOT NULL CHECK (cells >= 1),   -- that got seeds
  jobs       INTEGER NOT NULL CHECK (jobs >= 1),    -- added
  reason     TEXT NOT NULL,
  PRIMARY KEY (sweep, number)
) STRICT, WITHOUT ROWID;
ALTER TABLE jobs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;  -- 0: of the sweep file

-- Computed by the coordinator when a sweep ends, and now and then while it runs. `results`: jobs that were over then.
CREATE TABLE analyses (
  sweep                   INTEGER PRIMARY KEY REFERENCES sweeps (id),
  analysed_us             INTEGER NOT NULL,
  results                 INTEGER NOT NULL,
  observations            INTEGER NOT NULL,
  residual_df             INTEGER NOT NULL,
  residual_sum_of_squares REAL NOT NULL,
  total_sum_of_squares    REAL NOT NULL,
  notes                   TEXT NOT NULL  -- JSON array of sentences
) STRICT;

CREATE TABLE effect_terms (
  sweep          INTEGER NOT NULL REFERENCES analyses (sweep) ON DELETE CASCADE,
  position       INTEGER NOT NULL,
  term           TEXT NOT NULL,
  first_axis     TEXT,  -- NULL: the seed
  second_axis    TEXT,  -- NULL: a main effect
  df             INTEGER NOT NULL,
  sum_of_squares REAL NOT NULL,
  share          REAL NOT NULL,
  f              REAL,
  p              REAL,
  PRIMARY KEY (sweep, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE effect_levels (
  sweep     INTEGER NOT NULL REFERENCES analyses (sweep) ON DELETE CASCADE,
  position  INTEGER NOT NULL,
  axis      TEXT NOT NULL,
  level     TEXT NOT NULL,
  cells     INTEGER NOT NULL,
  results   INTEGER NOT NULL,
  diverged  INTEGER NOT NULL,
  failed    INTEGER NOT NULL,
  mean      REAL,
  ci95      REAL,
  of_leader INTEGER NOT NULL CHECK (of_leader IN (0, 1)),
  cost      REAL,
  cost_ci95 REAL,
  cost_p    REAL,
  PRIMARY KEY (sweep, position)
) STRICT, WITHOUT ROWID;

-- How a sweep's best cells stand against the leader.
CREATE TABLE standings (
  cell             INTEGER PRIMARY KEY REFERENCES cells (id),
  sweep            INTEGER NOT NULL REFERENCES analyses (sweep) ON DELETE CASCADE,
  tied             INTEGER NOT NULL CHECK (tied IN (0, 1)),
  difference       REAL,
  difference_ci95  REAL,
  p                REAL,
  best_probability REAL
) STRICT;
CREATE INDEX standings_of_sweep ON standings (sweep);

-- The images of the sample that jobs report predictions for, as workers read them.
CREATE TABLE sample_images (
  digest TEXT NOT NULL REFERENCES datasets (digest),
  image  INTEGER NOT NULL CHECK (image >= 0),
  height INTEGER NOT NULL CHECK (height >= 1),
  width  INTEGER NOT NULL CHECK (width >= 1),
  pixels BLOB NOT NULL,  -- a byte a pixel, row by row: 0 background, 255 ink
  PRIMARY KEY (digest, image),
  CHECK (length(pixels) = height * width)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_revisions AS
SELECT sweep, number AS revision, created_us, cells, jobs, reason FROM revisions;

CREATE VIEW v_effects AS
SELECT a.sweep, t.position, t.term, t.first_axis, t.second_axis, t.df, t.sum_of_squares, t.share, t.f, t.p, a.analysed_us
FROM analyses a JOIN effect_terms t ON t.sweep = a.sweep
UNION ALL
SELECT a.sweep, (SELECT count(*) + 1 FROM effect_terms t WHERE t.sweep = a.sweep), 'residual', NULL, NULL, a.residual_df,
       a.residual_sum_of_squares, a.residual_sum_of_squares / a.total_sum_of_squares, NULL, NULL, a.analysed_us
FROM analyses a WHERE EXISTS (SELECT 1 FROM effect_terms t WHERE t.sweep = a.sweep)
ORDER BY 1, 2;

CREATE VIEW v_levels AS
SELECT l.sweep, l.position, l.axis, l.level, l.cells, l.results, l.diverged, l.failed, l.mean, l.ci95, l.of_leader, l.cost,
       l.cost_ci95, l.cost_p, a.analysed_us
FROM effect_levels l JOIN analyses a ON a.sweep = l.sweep
ORDER BY l.sweep, l.position;

CREATE VIEW v_sample_images AS
SELECT s.id AS sweep, i.image, i.height, i.width, i.pixels
FROM sample_images i JOIN sweeps s ON s.dataset_digest = i.digest;

DROP VIEW v_ranking;
CREATE VIEW v_ranking AS
WITH states AS (
  SELECT j.sweep, j.cell, count(*) AS jobs,
         sum(j.state = 'pending') AS pending, sum(j.state = 'running') AS running,
         sum(j.state = 'succeeded') AS succeeded, sum(j.state = 'diverged') AS diverged,
         sum(j.state = 'failed') AS failed, sum(j.state = 'cancelled') AS cancelled
  FROM jobs j GROUP BY j.cell
), keyed AS (
  SELECT t.*, r.n, r.mean, r.sd, r.ci95, r.test_accuracy, r.test_loss, r.train_loss, r.best_epoch, r.seconds,
         s.name, s.objective_metric, s.objective_goal,
         CASE WHEN r.n IS NOT NULL THEN 0
              WHEN t.pending + t.running > 0 THEN 1
              WHEN t.diverged + t.succeeded > 0 THEN 2  -- a result, but not a finite one
              ELSE 3 END AS class,
         CASE s.objective_goal WHEN 'max' THEN -r.mean ELSE r.mean END AS cost
  FROM states t JOIN sweeps s ON s.id = t.sweep LEFT JOIN cell_statistics r ON r.cell = t.cell
)
SELECT k.sweep, k.name,
       row_number() OVER (PARTITION BY k.sweep ORDER BY k.class, k.cost, k.n DESC, c.ordinal) AS position,
       CASE WHEN k.class <> 0 THEN NULL WHEN g.tied THEN 1
            ELSE rank() OVER (PARTITION BY k.sweep ORDER BY k.class, k.cost) END AS rank,
       k.cell, c.ordinal, c.model, c.activation, c.optimizer, c.regularization, c.scheduler,
       json_extract(c.params, '$.optimizer.params.lr') AS lr,
       k.objective_metric AS objective, k.objective_goal AS goal,
       coalesce(k.n, 0) AS n, k.mean, k.sd, k.ci95, k.test_accuracy, k.test_loss, k.train_loss, k.best_epoch,
       k.seconds, k.jobs, k.pending, k.running, k.succeeded, k.diverged, k.failed, k.cancelled,
       g.tied, g.difference, g.difference_ci95, g.p, g.best_probability
FROM keyed k JOIN cells c ON c.id = k.cell LEFT JOIN standings g ON g.cell = k.cell
ORDER BY k.sweep, position;

DROP VIEW v_jobs;
CREATE VIEW v_jobs AS
SELECT j.sweep, j.id AS job, j.cell, c.ordinal, j.state,
       c.model, c.activation, c.optimizer, c.regularization, c.scheduler,
       json_extract(c.params, '$.model.params') AS model_params,
       json_extract(c.params, '$.activation.params') AS activation_params,
       json_extract(c.params, '$.optimizer.params') AS optimizer_params,
       json_extract(c.params, '$.regularization') AS regularization_params,
       json_extract(c.params, '$.scheduler.params') AS scheduler_params,
       json_extract(c.params, '$.optimizer.params.lr') AS lr,
       s.batch_size, j.seed, s.dataset,
       j.attempts, j.losses, j.failures, j.preemptions,
       j.objective, j.objective_class, j.objective_epoch,
       e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy, e.test_loss, e.test_accuracy,
       a.epochs, a.seconds, w.name AS worker, a.device, a.environment, a.started_us, j.finished_us, c.key AS cell_key,
       a.shared_epochs, j.verdict, j.revision
FROM jobs j
JOIN cells c ON c.id = j.cell
JOIN sweeps s ON s.id = j.sweep
LEFT JOIN attempts a ON a.id = coalesce(j.accepted_attempt, j.current_attempt)
LEFT JOIN workers w ON w.id = a.worker
LEFT JOIN epochs e ON e.attempt = j.accepted_attempt AND e.epoch = j.objective_epoch;
