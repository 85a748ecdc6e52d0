-- Jobs that differ only in the scheduler share epochs: they are leased together, as a bundle.

-- Jobs with equal `prefix` (the id of the first of them) are the same training until their learning rates part. Jobs from
-- before are alone in their group.
ALTER TABLE jobs ADD COLUMN prefix INTEGER NOT NULL DEFAULT 0;
-- 1: lease it alone, because an attempt failed or ended with a trainer that trained several jobs.
ALTER TABLE jobs ADD COLUMN alone INTEGER NOT NULL DEFAULT 0 CHECK (alone IN (0, 1));
-- Which of the sweep's work_classes it is of.
ALTER TABLE jobs ADD COLUMN work INTEGER NOT NULL DEFAULT 0;
-- Epochs it is expected to add to those that jobs of its group before it have in common with it.
ALTER TABLE jobs ADD COLUMN added_epochs REAL NOT NULL DEFAULT 0;

-- Attempts of one bundle have the same number, that of its first attempt; 0: alone.
ALTER TABLE attempts ADD COLUMN bundle INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN shared_epochs INTEGER NOT NULL DEFAULT 0;  -- of `epochs`, trained for several jobs at once

ALTER TABLE epochs ADD COLUMN shared_by INTEGER NOT NULL DEFAULT 1 CHECK (shared_by >= 1);

-- Jobs of a sweep that are expected to cost the same: one model, and groups of one size. Numbered in grid order.
CREATE TABLE work_classes (
  sweep          INTEGER NOT NULL REFERENCES sweeps (id),
  work           INTEGER NOT NULL,
  model          TEXT NOT NULL,     -- JSON: the component with its parameters
  group_epochs   REAL NOT NULL,     -- expected to be trained for a whole group
  pending        INTEGER NOT NULL,  -- jobs, kept by a trigger
  pending_epochs REAL NOT NULL,     -- sum of their added_epochs, likewise
  PRIMARY KEY (sweep, work)
) STRICT, WITHOUT ROWID;

CREATE INDEX sweeps_open ON sweeps (id) WHERE state IN ('active', 'paused');

UPDATE jobs SET prefix = id, added_epochs = (SELECT epochs FROM sweeps WHERE id = jobs.sweep);
UPDATE jobs SET work = k.work FROM (
  SELECT id, dense_rank() OVER (PARTITION BY sweep ORDER BY first) - 1 AS work FROM (
    SELECT id, sweep, min(ordinal) OVER (PARTITION BY sweep, json_extract(params, '$.model')) AS first FROM cells)
) k WHERE k.id = jobs.cell;
INSERT INTO work_classes (sweep, work, model, group_epochs, pending, pending_epochs)
SELECT j.sweep, j.work, min(json_extract(c.params, '$.model')), max(j.added_epochs), sum(j.state = 'pending'),
       total((j.state = 'pending') * j.added_epochs)
FROM jobs j JOIN cells c ON c.id = j.cell GROUP BY j.sweep, j.work;

-- Pending jobs as they are handed out: class by class, group by group.
DROP INDEX jobs_pending;
CREATE INDEX jobs_pending ON jobs (sweep, work, prefix) WHERE state = 'pending';

CREATE TRIGGER jobs_work AFTER UPDATE OF state ON jobs WHEN (old.state = 'pending') <> (new.state = 'pending')
BEGIN
  UPDATE work_classes SET
    pending        = pending + (new.state = 'pending') - (old.state = 'pending'),
    pending_epochs = pending_epochs + ((new.state = 'pending') - (old.state = 'pending')) * new.added_epochs
  WHERE sweep = new.sweep AND work = new.work;
END;

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
       a.shared_epochs
FROM jobs j
JOIN cells c ON c.id = j.cell
JOIN sweeps s ON s.id = j.sweep
LEFT JOIN attempts a ON a.id = coalesce(j.accepted_attempt, j.current_attempt)
LEFT JOIN workers w ON w.id = a.worker
LEFT JOIN epochs e ON e.attempt = j.accepted_attempt AND e.epoch = j.objective_epoch;

DROP VIEW v_epochs;
CREATE VIEW v_epochs AS
SELECT j.sweep, j.id AS job, j.cell, c.model, c.activation, c.optimizer, c.regularization, c.scheduler, j.seed,
       j.state, e.attempt, e.epoch, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy, e.test_loss,
       e.test_accuracy, e.lr, e.seconds, e.samples_per_second, e.nonfinite, e.stored_us, e.shared_by
FROM jobs j
JOIN cells c ON c.id = j.cell
JOIN epochs e ON e.attempt = coalesce(j.accepted_attempt, j.current_attempt);

DROP VIEW v_attempts;
CREATE VIEW v_attempts AS
SELECT a.sweep, a.job, a.id AS attempt, a.number, a.state, a.state IN ('succeeded', 'diverged') AS accepted,
       w.name AS worker, w.host, a.device, a.environment, a.epochs, a.seconds, a.started_us, a.ended_us, a.error,
       a.stderr_tail, a.bundle, a.shared_epochs
FROM attempts a JOIN workers w ON w.id = a.worker;
