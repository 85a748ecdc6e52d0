# shellcheck shell=bash disable=SC2154 # variables of bench/run
# A coordinator under load: simulated workers that are real gRPC clients, on the same cores as the coordinator.

control_sizes() {
  if [ -n "$quick" ]; then
    control_workers=100 control_cells=2000 control_warm_up=5 control_seconds=5 control_idle=200 control_million=4000
  else
    control_workers=1000 control_cells=20000 control_warm_up=8 control_seconds=24 control_idle=2000 control_million=200000
  fi
  # More than the coordinator is asked to take: 10 jobs of 10 epochs of 0.38 s a worker are 23,000 to 26,000 epochs a second.
  control_slots=10 control_epoch_ms=380
}

# A sweep of $2 cells with 5 seeds, 10 epochs a job.
control_sweep() {
  awk -v name="$1" -v cells="$2" 'BEGIN {
    printf "name: %s\ndataset: none\ntraining: { epochs: 10 }\nseeds: 5\ngrid:\n  model: [mlp]\n  activation: [relu, elu]\n", name
    printf "  optimizer: [{ sgd: { lr: ["
    rates = cells / 2 / 20
    for (i = 1; i <= rates; i++) printf "%s%.6f", i == 1 ? "" : ", ", i / (rates * 10)
    printf "] } }]\n  regularization: ["
    for (i = 1; i <= 20; i++) printf "%s{ l2: %.6f }", i == 1 ? "" : ", ", i / 1e5
    print "]\n  scheduler: [none]"
  }'
}

# Starts a coordinator on $1; sets $control_pid, $control_address and $control_metrics.
control_start() {
  local line
  rm -f "$work/address"
  mkfifo "$work/address"
  "$bin/gridsweep-coordinator" --db "$1" --listen "${2:-127.0.0.1:0}" --metrics 127.0.0.1:0 --max-jobs 2000000 \
    --log-level warning >"$work/address" 2>>"$work/log" &
  control_pid=$!
  read -r line <"$work/address"
  control_address=$(sed 's/.*"address":"\([^"]*\)".*/\1/' <<<"$line")
  control_metrics=$(sed 's/.*"metrics":"\([^"]*\)".*/\1/' <<<"$line")
}

# A counter of the coordinator's.
control_counter() {
  local connection
  exec {connection}<>"/dev/tcp/${control_metrics%:*}/${control_metrics##*:}"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&"$connection"
  awk -v name="$1" '$1 == name { print $2 }' <&"$connection"
  exec {connection}>&-
}

control_stop() {
  kill -TERM "$control_pid"
  wait "$control_pid" || true
}

# CPU seconds and MiB of the coordinator.
control_cpu() { sed 's/.*) //' "/proc/$control_pid/stat" | awk -v hz="$(getconf CLK_TCK)" '{ print ($12 + $13) / hz }'; }
control_mib() { awk '/^VmRSS/ { printf "%.1f\n", $2 / 1024 }' "/proc/$control_pid/status"; }

control_load() {
  "$build/bench/control_load" --coordinator "$control_address" --dataset none --workers "$control_workers" \
    --slots "$control_slots" --epoch-ms "$control_epoch_ms" "$@" 2>"$work/load.log"
}

# A number of a line of JSON.
field() { sed -n "s/.*\"$1\": *\([0-9.e+-]*\).*/\1/p"; }

control_submit() {
  local i times=
  control_sweep "submit-$1" "$1" >"$work/submit.yaml"
  for ((i = 0; i < $2; i++)); do
    fresh_db "$work/submit.db"
    control_start "$work/submit.db"
    times+="$(time_ms "$bin/gridsweep" submit "$work/submit.yaml" --coordinator "$control_address")"$'\n'
    control_stop
  done
  printf %s "$times" | report "submit of $(($1 * 5)) jobs, Enter to accepted" ms 0
}

# Milliseconds of reading commands on sweep $1.
control_reads() {
  local i
  for ((i = 0; i < repeats; i++)); do
    time_ms "$bin/gridsweep" rank "$1" --top 20 --coordinator "$control_address"
  done | report "rank --top 20$2" ms 0
  for ((i = 0; i < repeats; i++)); do
    time_ms "$bin/gridsweep" list --coordinator "$control_address"
  done | report "list$2" ms 0
  for ((i = 0; i < repeats; i++)); do
    time_ms "$bin/gridsweep" show "$1" --coordinator "$control_address"
  done | report "show$2" ms 0
}

# Epochs a transaction, of the coordinator that runs.
control_per_commit() {
  echo "$(control_counter gridsweep_epochs_reported_total) $(control_counter gridsweep_commits_total)" |
    awk '{ print int($1 / $2 + 0.5) }'
}

# What a bare loop of prepared statements does with the same rows, in transactions and reports of the size they had under the
# load whose summary is $1: $2 epochs a transaction. As many jobs as the load had, at most all of them.
control_bare() {
  local epochs reports jobs
  epochs=$(field epochs <"$1")
  reports=$(field reports <"$1")
  jobs=$(field jobs <"$1")
  fresh_db "$work/bare.db"
  cp "$work/base.db" "$work/bare.db"
  "$build/bench/bare_store" "$work/bare.db" --jobs $((jobs < control_cells * 5 ? jobs : control_cells * 5)) --epochs 10 \
    --running $((control_workers * control_slots)) --epochs-per-commit "$2" \
    --epochs-per-report $(((epochs + reports / 2) / reports)) >"$work/bare"
  field epochs_per_second <"$work/bare" | report "bare loop: epochs, $2 a transaction" 1/s 0
  echo "$(field epochs_per_second <"$1") $(field epochs_per_second <"$work/bare")" |
    awk '{ print 100 * $1 / $2 }' | report "durable epochs: of the bare loop's" % 0
}

# What it does for workers who want three times as much.
control_most() {
  fresh_db "$work/most.db"
  cp "$work/base.db" "$work/most.db"
  control_start "$work/most.db"
  "$build/bench/control_load" --coordinator "$control_address" --dataset none --workers "$control_workers" \
    --slots $((control_slots * 3)) --epoch-ms "$control_epoch_ms" --warm-up $((control_warm_up / 2)) \
    --seconds $((control_seconds / 3)) >"$work/most" 2>"$work/load.log"
  control_stop
  field epochs_per_second <"$work/most" | report "overloaded: durable epochs" 1/s 0
  field jobs_per_second <"$work/most" | report "overloaded: finished jobs" 1/s 0
  field failed_calls <"$work/most" | report "overloaded: failed calls" '' 0
}

# Runs every job of a sweep of $control_million cells: what that does to the coordinator's memory.
control_memory() {
  local load jobs=0 mib most=0 first= per_commit
  control_sweep million "$control_million" >"$work/million.yaml"
  fresh_db "$work/million.db"
  control_start "$work/million.db"
  time_ms "$bin/gridsweep" submit "$work/million.yaml" --coordinator "$control_address" |
    report "submit of $((control_million * 5)) jobs, Enter to accepted" ms 0
  control_load --seconds 7200 --until-jobs $((control_million * 5)) >"$work/rest" &
  load=$!
  while kill -0 "$load" 2>/dev/null; do
    sleep 1
    jobs=$(tail -n 1 "$work/load.log" | field jobs_so_far)
    mib=$(control_mib)
    if [ -z "$first" ] && [ "${jobs:-0}" -ge 10000 ]; then
      first=$mib
      echo "$first" | report "coordinator's memory at job 10000" MiB
    fi
    [ -z "$first" ] || most=$(printf '%s\n' "$most" "$mib" | sort -g | tail -n 1)
  done
  wait "$load"
  control_mib | report "coordinator's memory at job $(field jobs_so_far < <(tail -n 1 "$work/load.log"))" MiB
  echo "$most" | report "the most on the way" MiB
  field jobs_per_second <"$work/rest" | report "finished jobs, to the last" 1/s 0
  field epochs_per_second <"$work/rest" | report "durable epochs, to the last" 1/s 0
  per_commit=$(control_per_commit)
  control_stop
  control_bare "$work/rest" "$per_commit"
  fresh_db "$work/million.db"
}

# Idle workers: CPU and memory they cost, and how soon all are back after a restart.
control_idle_workers() {
  local i load before seconds=20 line
  fresh_db "$work/idle.db"
  control_start "$work/idle.db"
  # Not control_load, whose end would not be that of the program.
  "$build/bench/control_load" --coordinator "$control_address" --dataset none --workers "$control_idle" \
    --seconds $((seconds + 300)) >"$work/idle" 2>"$work/load.log" &
  load=$!
  for ((i = 0; i < 120; i++)); do
    line=$(tail -n 1 "$work/load.log" 2>/dev/null || true)
    case $line in *"\"connected\":$control_idle,"*) break ;; esac
    sleep 0.5
  done
  # Those that came first have been told how often few workers call.
  sleep 15
  before=$(control_cpu)
  sleep $seconds
  echo "$before $(control_cpu)" | awk -v s=$seconds '{ print 100 * ($2 - $1) / s }' |
    report "$control_idle idle workers: of a core" %
  control_mib | report "$control_idle idle workers: coordinator's memory" MiB
  local address=$control_address begin
  control_stop
  sleep 2
  begin=$(now_us)
  control_start "$work/idle.db" "$address"
  for ((i = 0; i < 600; i++)); do
    line=$("$bin/gridsweep" workers --coordinator "$address" --format csv | grep -c ',idle,' || true)
    [ "$line" = "$control_idle" ] && break
    sleep 0.2
  done
  echo "$begin $(now_us)" | awk '{ print ($2 - $1) / 1e6 }' | report "restart: all $control_idle are back after" s
  kill "$load" 2>/dev/null || true
  wait "$load" 2>/dev/null || true
  control_stop
}

# The same kind of work through Optuna's storage: trials with ten reports each, as many as in a second of ours.
control_optuna() {
  if ! "${peer_python:-/usr/bin/python3}" -c 'import optuna' 2>/dev/null; then
    echo "optuna: skipped, no python3-optuna: apt-get install it"
    return 0
  fi
  "${peer_python:-/usr/bin/python3}" "$here/control/optuna_storage.py" --trials "${1:-200}" --reports 10 \
    --database "$work/optuna.db" >"$work/optuna"
  field reports_per_second <"$work/optuna" | report "Optuna on SQLite: reports" 1/s 0
  field trials_per_second <"$work/optuna" | report "Optuna on SQLite: trials" 1/s 1
}

bench_control() {
  local load per_commit left
  control_sizes
  sync  # what was written before must not be written back meanwhile
  heading "control: $control_workers workers, $((control_cells * 5)) jobs of 10 epochs"
  control_submit "$control_cells" "$repeats"

  control_sweep control "$control_cells" >"$work/control.yaml"
  fresh_db "$work/control.db"
  control_start "$work/control.db"
  "$bin/gridsweep" submit "$work/control.yaml" --coordinator "$control_address" >/dev/null 2>"$work/err"
  control_stop
  cp "$work/control.db" "$work/base.db"

  control_start "$work/control.db"
  control_load --warm-up "$control_warm_up" --seconds "$control_seconds" >"$work/load" &
  load=$!
  sleep $((control_warm_up + 2))
  control_reads control ", under the load"
  wait "$load"
  field epochs_per_second <"$work/load" | report "durable epochs" 1/s 0
  field jobs_per_second <"$work/load" | report "finished jobs" 1/s 0
  field sync_ms_p50 <"$work/load" | report "Sync, median" ms
  field sync_ms_p99 <"$work/load" | report "Sync, 99th percentile" ms
  field failed_calls <"$work/load" | report "failed calls" '' 0
  control_mib | report "coordinator's memory after it" MiB
  per_commit=$(control_per_commit)
  control_stop
  control_bare "$work/load" "$per_commit"

  control_start "$work/control.db"
  # The coordinator's count: it has stored more than the workers that were stopped have heard of.
  left=$("$bin/gridsweep" sql "SELECT pending + running AS jobs FROM v_sweeps" --coordinator "$control_address" \
    --format csv | tr -d '\r' | tail -n 1)
  [ "$left" -eq 0 ] || control_load --seconds 600 --until-jobs "$left" >"$work/rest"
  control_reads control ", all jobs done"
  control_stop
  control_most
  control_memory
  control_idle_workers
  control_optuna "$([ -n "$quick" ] && echo 20 || echo 500)"
  [ ! -e "$work/optuna" ] ||
    awk -v ours="$(field jobs_per_second <"$work/most")" -v theirs="$(field trials_per_second <"$work/optuna")" \
      'BEGIN { if (theirs > 0) printf "ours are %.0f times as many jobs a second as its trials\n", ours / theirs }'
}
