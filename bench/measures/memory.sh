# shellcheck shell=bash disable=SC2154 # variables of bench/run

# KiB of a field of the trainer's memory: Pss counts shared pages by their share, Private_* what is its alone.
memory_kib() {
  awk -v field="^$2" '$1 ~ field { sum += $2 } END { print sum }' "/proc/$1/smaps_rollup"
}

minor_faults() { sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f8; }

progress_events() { grep -c "\"attempt\":$1,.*\"type\":\"progress\"" "$work/events" || true; }

# Waits for the event after the ones there are of attempt $1: the moment from and to which things are counted.
next_progress() {
  local have i
  have=$(progress_events "$1")
  for ((i = 0; i < 1200; i++)); do
    [ "$(progress_events "$1")" = "$have" ] || return 0
    sleep 0.05
  done
  echo "memory: the trainer makes no progress" >&2
  tail -n 3 "$work/log" >&2
  exit 1
}

# Epochs that all attempts together have done, in parts.
epochs_done() {
  sed -n 's/.*"attempt":\([0-9]*\),"epoch":\([0-9]*\),"fraction":\([0-9.e-]*\),.*/\1 \2 \3/p' "$work/events" |
    awk '{ at[$1] = $2 - 1 + $3 } END { for (a in at) sum += at[a]; printf "%.6f\n", sum }'
}

# One trainer that is given one job more at a time. Appends to $work/memory: jobs, Pss, private memory, faults a step.
memory_once() {
  local jobs pid faults epochs images_of_epoch
  rm -f "$work/in"
  mkfifo "$work/in"
  "$bin/gridsweep-trainer" --slots 4 --data-dir "$images_dir" <"$work/in" >"$work/events" 2>"$work/log" &
  pid=$!
  exec 3>"$work/in"
  for jobs in 1 2 3 4; do
    sed "s/SEED/$jobs/g; s/DATASET/$images/" >&3 <<'JSON'
{"type":"run","attempt":SEED,"job":{"model":{"name":"cnn","params":{}},"activation":{"name":"relu","params":{}},"optimizer":{"name":"adam","params":{}},"regularization":[],"scheduler":{"name":"none","params":{}},"dataset":"DATASET","dataset_digest":"","seed":SEED,"objective":{"epoch":"best","goal":"max","metric":"val_accuracy"},"training":{"batch_size":128,"epochs":10,"samples":0,"validation":0.1}}}
JSON
    next_progress $jobs
    next_progress $jobs
    faults=$(minor_faults $pid) epochs=$(epochs_done)
    next_progress $jobs
    next_progress $jobs
    next_progress $jobs
    faults=$(($(minor_faults $pid) - faults))
    # Trained and tested images; while all of them are in the first epoch's training, 128 a step.
    images_of_epoch=$(sed -n 's/.*"test_size":\([0-9]*\),"train_size":\([0-9]*\).*/\1 \2/p' "$work/events" | head -n 1)
    echo "$jobs $(memory_kib $pid Pss:) $(memory_kib $pid Private_) $faults $epochs $(epochs_done) $images_of_epoch" |
      awk '{ printf "%d %.1f %.1f %.1f %.1f\n", $1, $2 / 1024, $3 / 1024, $4 / (($6 - $5) * ($7 + $8) / 128),
                    ($7 + $8) * (784 + 8) / 1048576 }' >>"$work/memory"
  done
  exec 3>&-
  kill -KILL $pid
  wait $pid 2>/dev/null || true
}

# Column $2 of the rows with $1 jobs.
memory_of() { awk -v jobs="$1" -v column="$2" '$1 == jobs { print $column }' "$work/memory"; }

bench_memory() {
  local i jobs
  if [ ! -x "$bin/gridsweep-trainer" ]; then
    echo "memory: skipped, this build has no trainer"
    return 0
  fi
  choose_images
  : >"$work/memory"
  for ((i = 0; i < repeats; i++)); do memory_once; done
  heading "memory: cnn on $images, median of $repeats"
  for jobs in 1 2 3 4; do
    memory_of $jobs 3 | report "trainer with $jobs running, private" MiB
  done
  awk '{ if ($1 == 4) print ($3 - first) / 3; if ($1 == 1) first = $3 }' "$work/memory" |
    report "each further slot, private" MiB
  memory_of 4 2 | report "trainer with 4 running, proportional (Pss)" MiB
  memory_of 1 5 | report "of it the data set, once: uint8 and labels" MiB
  memory_of 1 4 | report "minor page faults a step, 1 running" ''
  memory_of 4 4 | report "minor page faults a step, 4 running" ''
}
