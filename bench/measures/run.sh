# shellcheck shell=bash disable=SC2154 # variables of bench/run
# Almost nothing to train, so what is measured is everything around it: processes, data, queue, table.
bench_run() {
  local i
  heading "run: median of $repeats"
  cat >"$work/tiny.yaml" <<'YAML'
name: bench-tiny
dataset: fashion-mnist
training: { epochs: 1, batch_size: 128, validation: 0.1, samples: 256 }
grid: { model: [mlp], activation: [relu], optimizer: [adam], regularization: [none], scheduler: [none] }
YAML
  for ((i = 0; i < repeats; i++)); do
    fresh_db "$work/run.db"
    time_ms "$bin/gridsweep" run "$work/tiny.yaml" --db "$work/run.db" --data-dir "$data"
  done | report "gridsweep run: one tiny job, Enter to table" ms 0
  for ((i = 0; i < repeats; i++)); do
    time_ms "$bin/gridsweep" run "$work/tiny.yaml" --db "$work/run.db" --data-dir "$data"
  done | report "gridsweep run: the same again, finished" ms 0
  for ((i = 0; i < repeats; i++)); do time_ms "$bin/gridsweep" plan "$work/tiny.yaml"; done |
    report "gridsweep plan" ms 0
}
