# shellcheck shell=bash disable=SC2154 # variables of bench/run

# KiB of a field of the trainer's memory: Pss counts shared pages by their share, Private_* what is its alone.
memory_kib() {
  awk -v field="^$2" '$1 ~ field { sum += $2 } END { print sum }' "/proc/$1/smaps_rollup"
}

minor_faults() { sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f8; }

# Epochs that all attempts together have finished, or attempt $1.
epochs_done() { grep -c "\"attempt\":${1:-[0-9]*},.*\"type\":\"epoch\"" "$work/events" || true; }

# Waits until attempt $1 has finished one epoch more, training and evaluation.
next_epoch() {
  local have i
  have=$(epochs_done "$1")
  for ((i = 0; i < 2400; i++)); do
    [ "$(epochs_done "$1")" = "$have" ] || return 0
    sleep 0.05
  done
  echo "memory: the trainer makes no progress" >&2
  tail -n 3 "$work/log" >&2
  exit 1
}

# One trainer that is given one job more at a time, each for four epochs before anything is read: a trainer takes its
# memory in the first few. Appends to $work/memory: jobs, Pss, private memory, page faults a batch of 128, data set.
memory_once() {
  local jobs pid faults epochs i
  rm -f "$work/in"
  mkfifo "$work/in"
  # As the worker starts a trainer.
  GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1} "$bin/gridsweep-trainer" --slots 4 --data-dir "$images_dir" <"$work/in" >"$work/events" 2>"$work/log" &
  pid=$!
  exec 3>"$work/in"
  for jobs in 1 2 3 4; do
    sed "s/SEED/$jobs/g; s/DATASET/$images/; s/SAMPLES/$memory_samples/" >&3 <<'JSON'
{"type":"run","attempt":SEED,"job":{"model":{"name":"cnn","params":{}},"activation":{"name":"relu","params":{}},"optimizer":{"name":"adam","params":{}},"regularization":[],"scheduler":{"name":"none","params":{}},"dataset":"DATASET","dataset_digest":"","seed":SEED,"objective":{"epoch":"best","goal":"max","metric":"test_accuracy"},"training":{"batch_size":128,"epochs":1000,"samples":SAMPLES,"validation":0}}}
JSON
    for i in 1 2 3 4; do next_epoch $jobs; done
    faults=$(minor_faults $pid) epochs=$(epochs_done)
    for i in 1 2; do next_epoch $jobs; done
    faults=$(($(minor_faults $pid) - faults)) epochs=$(($(epochs_done) - epochs))
    sed -n 's/.*"test_size":\([0-9]*\),"train_size":\([0-9]*\).*/\1 \2/p' "$work/events" | head -n 1 |
      awk -v jobs=$jobs -v pss="$(memory_kib $pid Pss:)" -v private="$(memory_kib $pid Private_)" -v faults=$faults \
        -v epochs=$epochs -v samples=$memory_samples '
        { printf "%d %.1f %.1f %.2f %.1f\n", jobs, pss / 1024, private / 1024,
                 faults / (epochs * (samples + $1) / 128), ($1 + $2) * (784 + 8) / 1048576 }' >>"$work/memory"
  done
  exec 3>&-
  kill -KILL $pid
  wait $pid 2>/dev/null || true
}

# Column $2 of the rows with $1 jobs.
memory_of() { awk -v jobs="$1" -v column="$2" '$1 == jobs { print $column }' "$work/memory"; }

bench_memory() {
  local i jobs memory_samples=2560
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
  memory_of 1 4 | report "minor page faults a batch, 1 running" '' 2
  memory_of 4 4 | report "minor page faults a batch, 4 running" '' 2
}
