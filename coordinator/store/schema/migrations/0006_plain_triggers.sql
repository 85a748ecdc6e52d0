-- The same rules without IN lists of more than two: for those SQLite builds a table each time the trigger fires, which was a
-- tenth of what a job costs the coordinator.

-- The transition table of common/job/job_state.h.
DROP TRIGGER jobs_transition;
CREATE TRIGGER jobs_transition BEFORE UPDATE OF state ON jobs
WHEN old.state <> new.state AND NOT CASE old.state
  WHEN 'pending'   THEN new.state = 'running' OR new.state = 'cancelled'
  WHEN 'running'   THEN TRUE
  WHEN 'failed'    THEN new.state = 'pending'
  WHEN 'cancelled' THEN new.state = 'pending'
  ELSE FALSE
END
BEGIN
  SELECT RAISE(ABORT, 'illegal job transition');
END;

-- A job that is over goes on from nothing.
DROP TRIGGER jobs_drop_checkpoints;
CREATE TRIGGER jobs_drop_checkpoints AFTER UPDATE OF state ON jobs
WHEN new.state <> 'pending' AND new.state <> 'running'
BEGIN
  DELETE FROM checkpoints WHERE job = new.id;
END;
