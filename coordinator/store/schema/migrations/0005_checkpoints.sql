-- Files of trainers, which lie beside the database in a folder, by content: checkpoints that jobs go on from on any worker,
-- and the trained weights of the best jobs.

-- 0: from scratch; else the epoch of the checkpoint that it went on from. Its epochs up to there were trained by others.
ALTER TABLE attempts ADD COLUMN resumed_epoch INTEGER NOT NULL DEFAULT 0 CHECK (resumed_epoch >= 0);

-- Of pending and running jobs.
CREATE TABLE checkpoints (
  job       INTEGER NOT NULL REFERENCES jobs (id),
  attempt   INTEGER NOT NULL REFERENCES attempts (id),  -- that wrote it
  epoch     INTEGER NOT NULL CHECK (epoch >= 1),
  sha256    TEXT NOT NULL CHECK (length(sha256) = 64),
  bytes     INTEGER NOT NULL CHECK (bytes > 0),
  stored_us INTEGER NOT NULL,
  PRIMARY KEY (job, attempt, epoch)
) STRICT, WITHOUT ROWID;

-- Of accepted attempts.
CREATE TABLE models (
  job       INTEGER PRIMARY KEY REFERENCES jobs (id),
  sweep     INTEGER NOT NULL REFERENCES sweeps (id),
  epoch     INTEGER NOT NULL CHECK (epoch >= 1),
  sha256    TEXT NOT NULL CHECK (length(sha256) = 64),
  bytes     INTEGER NOT NULL CHECK (bytes > 0),
  stored_us INTEGER NOT NULL
) STRICT;
CREATE INDEX models_of_sweep ON models (sweep);

-- A job that is over goes on from nothing.
CREATE TRIGGER jobs_drop_checkpoints AFTER UPDATE OF state ON jobs
WHEN new.state IN ('succeeded', 'diverged', 'failed', 'cancelled')
BEGIN
  DELETE FROM checkpoints WHERE job = new.id;
END;

DROP VIEW v_attempts;
CREATE VIEW v_attempts AS
SELECT a.sweep, a.job, a.id AS attempt, a.number, a.state, a.state IN ('succeeded', 'diverged') AS accepted,
       w.name AS worker, w.host, a.device, a.environment, a.epochs, a.seconds, a.started_us, a.ended_us, a.error,
       a.stderr_tail, a.bundle, a.shared_epochs, a.resumed_epoch
FROM attempts a JOIN workers w ON w.id = a.worker;

CREATE VIEW v_checkpoints AS
SELECT j.sweep, c.job, c.attempt, c.epoch, c.sha256, c.bytes, c.stored_us
FROM checkpoints c JOIN jobs j ON j.id = c.job;

CREATE VIEW v_models AS
SELECT m.sweep, m.job, m.epoch, j.objective, m.sha256, m.bytes, m.stored_us
FROM models m JOIN jobs j ON j.id = m.job;
