-- Sessions of workers that a newer one of the same name has taken over from. A late request of theirs must not take the name
-- back, also after a restart.
CREATE TABLE superseded_sessions (
  session       TEXT PRIMARY KEY,
  worker        INTEGER NOT NULL REFERENCES workers (id),
  superseded_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Why a job failed for good.

ALTER TABLE jobs ADD COLUMN verdict TEXT NOT NULL DEFAULT '';

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
       a.shared_epochs, j.verdict
FROM jobs j
JOIN cells c ON c.id = j.cell
JOIN sweeps s ON s.id = j.sweep
LEFT JOIN attempts a ON a.id = coalesce(j.accepted_attempt, j.current_attempt)
LEFT JOIN workers w ON w.id = a.worker
LEFT JOIN epochs e ON e.attempt = j.accepted_attempt AND e.epoch = j.objective_epoch;
