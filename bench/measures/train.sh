# shellcheck shell=bash disable=SC2154 # variables of bench/run

# Milliseconds a step of 128 images, from the last epoch's samples_per_second: one thread, data in memory.
train_once() {
  sed "s/MODEL/$1/" >"$work/job.json" <<'JSON'
{"model": {"name": "MODEL", "params": {}}, "activation": {"name": "relu", "params": {}},
 "optimizer": {"name": "adam", "params": {}}, "regularization": [], "scheduler": {"name": "none", "params": {}},
 "dataset": "fashion-mnist", "dataset_digest": "", "seed": 1,
 "objective": {"epoch": "best", "goal": "max", "metric": "val_accuracy"},
 "training": {"batch_size": 128, "epochs": 2, "samples": 12800, "validation": 0.1}}
JSON
  "$bin/gridsweep-trainer" --job "$work/job.json" --data-dir "$data" 2>"$work/log" >"$work/events" ||
    { cat "$work/log" >&2; exit 1; }
  sed -n 's/.*"samples_per_second":\([0-9.e+]*\).*/\1/p' "$work/events" | tail -n 1 | awk '{ printf "%.3f\n", 128000 / $1 }'
}

bench_train() {
  local i model
  heading "train: one thread, median of $repeats"
  for model in mlp cnn; do
    for ((i = 0; i < repeats; i++)); do train_once $model; done >"$work/train"
    report "trainer: $model, step of 128 images" ms 2 <"$work/train"
    awk '{ printf "%.0f\n", 128000 / $1 }' "$work/train" | report "trainer: $model, images a second" 1/s 0
  done
}
