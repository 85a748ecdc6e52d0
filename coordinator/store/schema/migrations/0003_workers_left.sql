-- A worker that ended in order is told from one that was lost.

ALTER TABLE workers ADD COLUMN left_us INTEGER;  -- when it ended in order; NULL while it runs, or if it was lost

DROP VIEW v_workers;
CREATE VIEW v_workers AS
SELECT w.id AS worker, w.name, w.host, w.pid, w.slots, w.devices, w.memory_bytes, w.version, w.libtorch_version,
       (SELECT count(*) FROM attempts a WHERE a.state = 'open' AND a.worker = w.id) AS running,
       w.jobs_done, w.failures, w.losses, w.first_seen_us, w.last_seen_us, w.left_us
FROM workers w;
