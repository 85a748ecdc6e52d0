# shellcheck shell=bash disable=SC2154 # variables of bench/run
# What a user waits for when a large sweep is over: tables, statistics, page and files of a made-up sweep.

# Repeats `gridsweep ARGUMENTS` on the database of the sweep; @ among them is another folder each time, and what was written
# stays: ext4 is slow for seconds to make files where many were deleted. time_results TEXT ARGUMENTS...
time_results() {
  local what=$1 i
  shift
  for ((i = 0; i < repeats; i++)); do
    time_ms "$bin/gridsweep" "${@/#@/$work/export$3-$i}"
  done | report "$what" ms 0
}

# Size of a file or folder in MiB. size_of TEXT PATH
size_of() { du -sb "$2" | awk '{ print $1 / 1048576 }' | report "$1" MiB; }

bench_results() {
  local cells=10000 epochs=50 coordinator address i db=$work/results.db
  [ -z "$quick" ] || cells=500
  if ! command -v python3 >"$work/out"; then
    echo "results: skipped, there is no python3"
    return 0
  fi
  fresh_db "$db"
  python3 "$here/synthetic_results.py" "$bin" "$db" --cells $cells --seeds 1 --epochs $epochs 2>"$work/err" ||
    { cat "$work/err" >&2; exit 1; }
  "$bin/gridsweep" audit 1 --db "$db" >"$work/out"

  heading "results: $cells jobs of $epochs epochs, median of $repeats"
  size_of "the database" "$db"
  time_results "gridsweep export --to" export 1 --to @ --db "$db"
  size_of "its CSV files" "$work/export--to-0"
  time_results "gridsweep export --tensorboard" export 1 --tensorboard @ --db "$db"
  size_of "its event files" "$work/export--tensorboard-0"
  time_results "gridsweep report" report 1 -o "$work/results.html" --force --db "$db"
  size_of "its page" "$work/results.html"
  time_results "gridsweep rank --top 20" rank 1 --top 20 --db "$db"
  time_results "gridsweep rank, all rows" rank 1 --db "$db"
  time_results "gridsweep effects" effects 1 --db "$db"

  "$bin/gridsweep-coordinator" --db "$db" --listen 127.0.0.1:0 >"$work/coordinator" 2>"$work/err" &
  coordinator=$!
  for ((i = 0; i < 600; i++)); do
    [ ! -s "$work/coordinator" ] || break
    sleep 0.05
  done
  address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/coordinator" | head -n 1)
  time_results "coordinator running: gridsweep rank --top 20" rank 1 --top 20 --coordinator "$address"
  time_results "coordinator running: gridsweep rank" rank 1 --coordinator "$address"
  time_results "coordinator running: gridsweep effects" effects 1 --coordinator "$address"
  kill $coordinator
  wait $coordinator || true
}
