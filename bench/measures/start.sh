# shellcheck shell=bash disable=SC2154 # variables of bench/run

# From starting a coordinator on an empty database until it listens, and until it has answered `gridsweep list`.
coordinator_once() {
  local begin address
  fresh_db "$work/start.db"
  mkfifo "$work/address"
  begin=$(now_us)
  "$bin/gridsweep-coordinator" --db "$work/start.db" --listen 127.0.0.1:0 >"$work/address" 2>"$work/log" &
  local pid=$!
  read -r address <"$work/address"
  local listening=$(($(now_us) - begin))
  address=${address#*:\"}
  "$bin/gridsweep" list --coordinator "${address%\"*}" >/dev/null
  echo "$listening $(($(now_us) - begin))" | awk '{ printf "%.1f %.1f\n", $1 / 1000, $2 / 1000 }'
  kill -TERM $pid
  wait $pid || true
  rm "$work/address"
}

# A trainer that writes down when its first hello and its first started event went by: the first step follows at once.
stamping_trainer() {
  cat >"$work/trainer" <<EOF
#!/usr/bin/env bash
"$bin/gridsweep-trainer" "\$@" | while IFS= read -r line; do
  case \$line in
    *'"type":"hello"'*) echo "\${EPOCHREALTIME/./}" >"$work/hello" ;;
    *'"type":"started"'*) echo "\${EPOCHREALTIME/./}" >"$work/started" ;;
  esac
  printf '%s\n' "\$line"
done
EOF
  chmod +x "$work/trainer"
}

first_step_once() {
  local begin
  fresh_db "$work/start.db"
  begin=$(now_us)
  "$bin/gridsweep" run "$work/start.yaml" --db "$work/start.db" --data-dir "$images_dir" --trainer "$work/trainer" \
    --slots 1 >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
  echo "$((($(cat "$work/hello") - begin) / 1000)) $((($(cat "$work/started") - begin) / 1000))"
}

bench_start() {
  local i
  heading "start: warm, median of $repeats"
  for ((i = 0; i < repeats; i++)); do coordinator_once; done >"$work/start"
  cut -d' ' -f1 "$work/start" | report "coordinator: start to listening" ms
  cut -d' ' -f2 "$work/start" | report "coordinator: start to first answered list" ms
  [ -x "$bin/gridsweep-trainer" ] || return 0

  choose_images
  cat >"$work/start.yaml" <<EOF
name: bench-start
dataset: $images
training: { epochs: 1, batch_size: 128, validation: 0.1, samples: 256 }
grid: { model: [mlp], activation: [relu], optimizer: [adam], regularization: [none], scheduler: [none] }
EOF
  stamping_trainer
  first_step_once >/dev/null # the files are in the page cache from now on
  for ((i = 0; i < repeats; i++)); do first_step_once; done >"$work/start"
  cut -d' ' -f1 "$work/start" | report "gridsweep run: Enter to trainer ready" ms 0
  cut -d' ' -f2 "$work/start" | report "gridsweep run: Enter to first training step" ms 0
  echo "  data: $images"
}
