-- The first schema. Tables are private to the coordinator; the views at the end are the public, documented interface
-- (docs/results-database.md). Times are integers: microseconds since 1970-01-01 UTC, by the coordinator's clock.
-- Metrics that are not finite are NULL, with their names and classes in a column beside them.

CREATE TABLE datasets (
  digest      TEXT PRIMARY KEY CHECK (digest <> ''),
  name        TEXT NOT NULL,
  class_names TEXT NOT NULL,  -- JSON array of text, by label
  train_size  INTEGER NOT NULL,
  test_size   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sweeps (
  id               INTEGER PRIMARY KEY,
  client_key       TEXT NOT NULL UNIQUE,
  content_hash     TEXT NOT NULL,
  name             TEXT NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('active', 'paused', 'cancelled', 'finished')),
  yaml             TEXT NOT NULL,
  dataset          TEXT NOT NULL,
  dataset_digest   TEXT REFERENCES datasets (digest),  -- NULL until the first trainer has read the data
  epochs           INTEGER NOT NULL CHECK (epochs >= 1),
  batch_size       INTEGER NOT NULL CHECK (batch_size >= 1),
  validation       REAL NOT NULL CHECK (validation >= 0 AND validation < 1),
  samples          INTEGER NOT NULL CHECK (samples >= 0),
  objective_metric TEXT NOT NULL,
  objective_goal   TEXT NOT NULL CHECK (objective_goal IN ('min', 'max')),
  objective_rule   TEXT NOT NULL CHECK (objective_rule IN ('best', 'last')),
  cells            INTEGER NOT NULL CHECK (cells >= 0),
  seeds            INTEGER NOT NULL CHECK (seeds >= 1),
  axis_levels      TEXT NOT NULL DEFAULT '[]',  -- labels that occur, an array an axis
  accepted_epochs  INTEGER NOT NULL DEFAULT 0,  -- stored epochs of accepted attempts
  created_us       INTEGER NOT NULL,
  finished_us      INTEGER,
  CHECK ((state IN ('cancelled', 'finished')) = (finished_us IS NOT NULL))
) STRICT;
CREATE INDEX sweeps_by_name ON sweeps (name);
CREATE INDEX sweeps_active ON sweeps (id) WHERE state = 'active';

-- Jobs by state, kept by a trigger so that listing sweeps does not count jobs.
CREATE TABLE sweep_counts (
  sweep     INTEGER PRIMARY KEY REFERENCES sweeps (id),
  pending   INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  running   INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  succeeded INTEGER NOT NULL DEFAULT 0 CHECK (succeeded >= 0),
  diverged  INTEGER NOT NULL DEFAULT 0 CHECK (diverged >= 0),
  failed    INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0)
) STRICT;

CREATE TABLE cells (
  id             INTEGER PRIMARY KEY,
  sweep          INTEGER NOT NULL REFERENCES sweeps (id),
  ordinal        INTEGER NOT NULL CHECK (ordinal >= 0),  -- index of the combination in the grid
  key            TEXT NOT NULL,
  model          TEXT NOT NULL,
  activation     TEXT NOT NULL,
  optimizer      TEXT NOT NULL,
  regularization TEXT NOT NULL,
  scheduler      TEXT NOT NULL,
  params         TEXT NOT NULL,  -- JSON: the job without seed and data set digest
  UNIQUE (sweep, ordinal)
) STRICT;

CREATE TABLE jobs (
  id               INTEGER PRIMARY KEY,
  sweep            INTEGER NOT NULL REFERENCES sweeps (id),
  cell             INTEGER NOT NULL REFERENCES cells (id),
  seed             INTEGER NOT NULL,
  state            TEXT NOT NULL DEFAULT 'pending'
                   CHECK (state IN ('pending', 'running', 'succeeded', 'diverged', 'failed', 'cancelled')),
  attempts         INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  losses           INTEGER NOT NULL DEFAULT 0 CHECK (losses >= 0),
  failures         INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  preemptions      INTEGER NOT NULL DEFAULT 0 CHECK (preemptions >= 0),
  not_before_us    INTEGER NOT NULL DEFAULT 0,
  current_attempt  INTEGER REFERENCES attempts (id),
  accepted_attempt INTEGER REFERENCES attempts (id),
  objective        REAL,     -- finite or NULL
  objective_class  TEXT CHECK (objective_class IN ('finite', 'nan', 'inf', '-inf')),
  objective_epoch  INTEGER,
  finished_us      INTEGER,
  UNIQUE (cell, seed),
  CHECK ((state = 'running') = (current_attempt IS NOT NULL)),
  CHECK ((state IN ('succeeded', 'diverged')) = (accepted_attempt IS NOT NULL)),
  CHECK ((state IN ('succeeded', 'diverged', 'failed', 'cancelled')) = (finished_us IS NOT NULL)),
  CHECK (objective_class IS NULL OR accepted_attempt IS NOT NULL),
  CHECK ((objective IS NOT NULL) = (objective_class IS NOT NULL AND objective_class = 'finite')),
  CHECK (objective IS NULL OR abs(objective) <= 1.7976931348623157e308),
  CHECK (objective IS NULL OR objective_epoch IS NOT NULL)
) STRICT;
CREATE INDEX jobs_pending ON jobs (sweep) WHERE state = 'pending';
CREATE INDEX jobs_retryable ON jobs (sweep) WHERE state IN ('failed', 'cancelled');
CREATE INDEX jobs_best ON jobs (sweep, objective) WHERE state = 'succeeded';

-- The transition table of common/job/job_state.h.
CREATE TRIGGER jobs_transition BEFORE UPDATE OF state ON jobs
WHEN old.state <> new.state AND old.state || '>' || new.state NOT IN (
  'pending>running', 'pending>cancelled',
  'running>pending', 'running>succeeded', 'running>diverged', 'running>failed', 'running>cancelled',
  'failed>pending', 'cancelled>pending')
BEGIN
  SELECT RAISE(ABORT, 'illegal job transition');
END;

-- A result never changes.
CREATE TRIGGER jobs_result_is_final BEFORE UPDATE ON jobs
WHEN old.accepted_attempt IS NOT NULL AND (new.accepted_attempt, new.objective, new.objective_class, new.objective_epoch)
  IS NOT (old.accepted_attempt, old.objective, old.objective_class, old.objective_epoch)
BEGIN
  SELECT RAISE(ABORT, 'a result never changes');
END;

CREATE TRIGGER jobs_counted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state
BEGIN
  UPDATE sweep_counts SET
    pending   = pending   + (new.state = 'pending')   - (old.state = 'pending'),
    running   = running   + (new.state = 'running')   - (old.state = 'running'),
    succeeded = succeeded + (new.state = 'succeeded') - (old.state = 'succeeded'),
    diverged  = diverged  + (new.state = 'diverged')  - (old.state = 'diverged'),
    failed    = failed    + (new.state = 'failed')    - (old.state = 'failed'),
    cancelled = cancelled + (new.state = 'cancelled') - (old.state = 'cancelled')
  WHERE sweep = new.sweep;
END;

CREATE TABLE workers (
  id               INTEGER PRIMARY KEY,
  name             TEXT NOT NULL UNIQUE,
  session          TEXT NOT NULL,
  host             TEXT NOT NULL,
  pid              INTEGER NOT NULL,
  memory_bytes     INTEGER NOT NULL,
  devices          TEXT NOT NULL,  -- JSON array of objects
  slots            INTEGER NOT NULL,
  version          TEXT NOT NULL,
  libtorch_version TEXT NOT NULL,
  jobs_done        INTEGER NOT NULL DEFAULT 0,
  failures         INTEGER NOT NULL DEFAULT 0,
  losses           INTEGER NOT NULL DEFAULT 0,
  first_seen_us    INTEGER NOT NULL,
  last_seen_us     INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (
  id          INTEGER PRIMARY KEY,
  job         INTEGER NOT NULL REFERENCES jobs (id),
  sweep       INTEGER NOT NULL REFERENCES sweeps (id),
  worker      INTEGER NOT NULL REFERENCES workers (id),
  number      INTEGER NOT NULL CHECK (number >= 1),
  token       TEXT NOT NULL CHECK (length(token) = 32),
  state       TEXT NOT NULL DEFAULT 'open'
              CHECK (state IN ('open', 'succeeded', 'diverged', 'failed', 'lost', 'preempted', 'cancelled')),
  stored_seq  INTEGER NOT NULL DEFAULT 0 CHECK (stored_seq >= 0),  -- events up to here are stored
  epochs      INTEGER NOT NULL DEFAULT 0,  -- rows in table epochs
  seconds     REAL NOT NULL DEFAULT 0,     -- sum over them
  device      TEXT NOT NULL DEFAULT '',
  environment TEXT NOT NULL DEFAULT '',
  started_us  INTEGER NOT NULL,
  ended_us    INTEGER,
  error       TEXT NOT NULL DEFAULT '',
  stderr_tail TEXT NOT NULL DEFAULT '',
  UNIQUE (job, number),
  CHECK ((state = 'open') = (ended_us IS NULL))
) STRICT;
CREATE UNIQUE INDEX attempts_one_open ON attempts (job) WHERE state = 'open';
CREATE UNIQUE INDEX attempts_one_accepted ON attempts (job) WHERE state IN ('succeeded', 'diverged');
CREATE INDEX attempts_by_end ON attempts (sweep, ended_us);

CREATE TABLE epochs (
  attempt            INTEGER NOT NULL REFERENCES attempts (id),
  epoch              INTEGER NOT NULL CHECK (epoch >= 1),
  train_loss         REAL,
  train_accuracy     REAL,
  val_loss           REAL,
  val_accuracy       REAL,
  test_loss          REAL,
  test_accuracy      REAL,
  lr                 REAL,
  seconds            REAL,
  samples_per_second REAL,
  nonfinite          TEXT,  -- "train_loss=nan test_loss=inf": measured values that are not finite
  stored_us          INTEGER NOT NULL,
  PRIMARY KEY (attempt, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluations (
  attempt     INTEGER PRIMARY KEY REFERENCES attempts (id),
  classes     INTEGER NOT NULL CHECK (classes >= 0),
  confusion   TEXT NOT NULL,  -- JSON array of classes * classes counts, row = actual
  predictions TEXT NOT NULL  -- JSON: [[index, actual, predicted, confidence], …]
) STRICT;

-- Statistics of a cell over its succeeded seeds, by the very code that ranks cells elsewhere, so that all agree to the
-- last bit whichever SQLite version sums.
CREATE TABLE cell_statistics (
  cell          INTEGER PRIMARY KEY REFERENCES cells (id),
  n             INTEGER NOT NULL CHECK (n >= 1),
  mean          REAL NOT NULL,
  sd            REAL,
  ci95          REAL,
  test_accuracy REAL,
  test_loss     REAL,
  train_loss    REAL,
  best_epoch    REAL,
  seconds       REAL
) STRICT;

CREATE VIEW v_sweeps AS
SELECT s.id AS sweep, s.name, s.state, s.dataset, s.dataset_digest, s.cells, s.seeds,
       c.pending + c.running + c.succeeded + c.diverged + c.failed + c.cancelled AS jobs,
       c.pending, c.running, c.succeeded, c.diverged, c.failed, c.cancelled,
       s.epochs, s.batch_size, s.validation, s.samples,
       s.objective_metric AS objective, s.objective_goal AS goal, s.objective_rule AS epoch_rule,
       s.created_us, s.finished_us, s.yaml
FROM sweeps s JOIN sweep_counts c ON c.sweep = s.id;

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
       a.epochs, a.seconds, w.name AS worker, a.device, a.environment, a.started_us, j.finished_us, c.key AS cell_key
FROM jobs j
JOIN cells c ON c.id = j.cell
JOIN sweeps s ON s.id = j.sweep
LEFT JOIN attempts a ON a.id = coalesce(j.accepted_attempt, j.current_attempt)
LEFT JOIN workers w ON w.id = a.worker
LEFT JOIN epochs e ON e.attempt = j.accepted_attempt AND e.epoch = j.objective_epoch;

CREATE VIEW v_epochs AS
SELECT j.sweep, j.id AS job, j.cell, c.model, c.activation, c.optimizer, c.regularization, c.scheduler, j.seed,
       j.state, e.attempt, e.epoch, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy, e.test_loss,
       e.test_accuracy, e.lr, e.seconds, e.samples_per_second, e.nonfinite, e.stored_us
FROM jobs j
JOIN cells c ON c.id = j.cell
JOIN epochs e ON e.attempt = coalesce(j.accepted_attempt, j.current_attempt);

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
       CASE k.class WHEN 0 THEN rank() OVER (PARTITION BY k.sweep ORDER BY k.class, k.cost) END AS rank,
       k.cell, c.ordinal, c.model, c.activation, c.optimizer, c.regularization, c.scheduler,
       json_extract(c.params, '$.optimizer.params.lr') AS lr,
       k.objective_metric AS objective, k.objective_goal AS goal,
       coalesce(k.n, 0) AS n, k.mean, k.sd, k.ci95, k.test_accuracy, k.test_loss, k.train_loss, k.best_epoch,
       k.seconds, k.jobs, k.pending, k.running, k.succeeded, k.diverged, k.failed, k.cancelled
FROM keyed k JOIN cells c ON c.id = k.cell
ORDER BY k.sweep, position;

CREATE VIEW v_confusion AS
SELECT j.sweep, j.id AS job, v.classes,
       x.key / v.classes AS actual, json_extract(d.class_names, '$[' || (x.key / v.classes) || ']') AS actual_name,
       x.key % v.classes AS predicted, json_extract(d.class_names, '$[' || (x.key % v.classes) || ']') AS predicted_name,
       x.value AS count
FROM jobs j
JOIN evaluations v ON v.attempt = j.accepted_attempt
JOIN sweeps s ON s.id = j.sweep
LEFT JOIN datasets d ON d.digest = s.dataset_digest
JOIN json_each(v.confusion) x
WHERE x.value > 0;

CREATE VIEW v_predictions AS
SELECT j.sweep, j.id AS job, json_extract(x.value, '$[0]') AS image,
       json_extract(x.value, '$[1]') AS actual,
       json_extract(d.class_names, '$[' || json_extract(x.value, '$[1]') || ']') AS actual_name,
       json_extract(x.value, '$[2]') AS predicted,
       json_extract(d.class_names, '$[' || json_extract(x.value, '$[2]') || ']') AS predicted_name,
       json_extract(x.value, '$[1]') = json_extract(x.value, '$[2]') AS correct,
       json_extract(x.value, '$[3]') AS confidence
FROM jobs j
JOIN evaluations v ON v.attempt = j.accepted_attempt
JOIN sweeps s ON s.id = j.sweep
LEFT JOIN datasets d ON d.digest = s.dataset_digest
JOIN json_each(v.predictions) x;

CREATE VIEW v_attempts AS
SELECT a.sweep, a.job, a.id AS attempt, a.number, a.state, a.state IN ('succeeded', 'diverged') AS accepted,
       w.name AS worker, w.host, a.device, a.environment, a.epochs, a.seconds, a.started_us, a.ended_us, a.error,
       a.stderr_tail
FROM attempts a JOIN workers w ON w.id = a.worker;

CREATE VIEW v_workers AS
SELECT w.id AS worker, w.name, w.host, w.pid, w.slots, w.devices, w.memory_bytes, w.version, w.libtorch_version,
       (SELECT count(*) FROM attempts a WHERE a.state = 'open' AND a.worker = w.id) AS running,
       w.jobs_done, w.failures, w.losses, w.first_seen_us, w.last_seen_us
FROM workers w;
