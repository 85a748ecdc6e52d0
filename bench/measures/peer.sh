# shellcheck shell=bash disable=SC2154 # variables of bench/run
# The same sweep by PyTorch + Optuna and by gridsweep, in turn, two slots each. bench/compare_peer.py makes the tables.

peer_python=/usr/bin/python3 # Debian's: its torch is the LibTorch that the trainer links

# Why it cannot be measured here; nothing if it can.
peer_obstacle() {
  if [ ! -x "$bin/gridsweep-trainer" ]; then
    echo "this build has no trainer"
  elif [ ! -e "$peer" ]; then
    echo "no $peer; set PEER"
  elif [ ! -e "$emnist/emnist-sample47-train-images-idx3-ubyte.gz" ]; then
    echo "no emnist-sample47 in $emnist; set EMNIST_DIR"
  elif ! "$peer_python" -c 'import torch, torchvision, optuna' 2>/dev/null; then
    echo "no python3-torch, python3-torchvision and python3-optuna: apt-get install them"
  fi
}

# The sweep file NAME with the components of $grid_* and SEEDS.
peer_sweep() {
  cat <<EOF
name: $1
dataset: emnist-sample47
training: { epochs: $epochs, batch_size: 128, validation: 0, samples: $samples }
objective: { metric: test_accuracy, epoch: last }
seeds: $2
grid:
  model: [mlp, cnn]
  activation: [$3]
  optimizer: [$4]
  regularization: [$5]
  scheduler: [$6]
EOF
}

# One run of the peer, with further flags: its line of JSON.
peer_once() {
  local what=$1
  shift
  # shellcheck disable=SC2086 # lists of words
  OMP_NUM_THREADS=1 "$peer_python" "$peer" --data "$emnist" --prefix emnist-sample47 --slots 2 --epochs "$epochs" \
    --batch 128 --limit "$samples" --models mlp cnn --activations $peer_activations --optimizers $peer_optimizers \
    --regularizations $peer_regularizations --schedulers $peer_schedulers "$@" >"$work/out" 2>"$work/err" ||
    { tail -n 20 "$work/err" >&2; exit 1; }
  tail -n 1 "$work/out" >>"$runs/$what.jsonl"
}

# One run of ours from Enter to the table: {"wall_s", "jobs"}.
ours_once() {
  local what=$1 sweep=$2 db=$work/ours.db ms
  shift 2
  fresh_db "$db"
  ms=$(time_ms "$bin/gridsweep" run "$sweep" --db "$db" --data-dir "$emnist" --slots 2 "$@")
  # The value of the last epoch: that is the objective's.
  "$bin/gridsweep" sql --db "$db" --format json "select state, model, activation, optimizer, regularization, scheduler,
    seed, test_accuracy from v_jobs" >"$work/jobs"
  echo "{\"wall_s\": $(awk "BEGIN { print $ms / 1000 }"), \"jobs\": $(tr -d '\n' <"$work/jobs")}" >>"$runs/$what.jsonl"
}

bench_peer() {
  local obstacle epochs samples no_share runs i
  local peer_activations peer_optimizers peer_regularizations peer_schedulers
  local activations optimizers regularizations schedulers
  local rounds=${REPEATS:-1}
  obstacle=$(peer_obstacle)
  if [ -n "$obstacle" ]; then
    echo "peer: skipped, $obstacle"
    return 0
  fi
  local adam='{ adam: { lr: 0.001 } }' sgd='{ sgd: { lr: 0.05, momentum: 0.9 } }'
  local step='{ step: { step_size: 3, gamma: 0.5 } }' plateau='{ plateau: { factor: 0.1, patience: 1 } }'
  if [ -n "$quick" ]; then
    epochs=2 samples=1280
    peer_activations=relu peer_optimizers=adam peer_regularizations=none peer_schedulers='none step'
    activations=relu optimizers=$adam regularizations=none schedulers="none, $step"
  else
    epochs=4 samples=12800
    peer_activations='relu elu' peer_optimizers='adam sgd' peer_regularizations='none dropout'
    peer_schedulers='none step plateau'
    activations='relu, elu' optimizers="$adam, $sgd" regularizations='none, { dropout: 0.3 }'
    schedulers="none, $step, $plateau"
  fi
  # What was measured before an interruption is kept beside the result.
  if [ -n "$out" ]; then runs=$out.runs; else runs=$work/runs; fi
  mkdir -p "$runs"
  rm -f "$runs"/*.jsonl
  peer_sweep bench-peer 1 "$activations" "$optimizers" "$regularizations" "$schedulers" >"$work/peer.yaml"
  # A few cells with three seeds say how much a seed alone moves the accuracy. Not part of any time.
  peer_sweep bench-seeds 3 relu "$([ -n "$quick" ] && echo "$adam" || echo "$adam, $sgd")" none none >"$work/seeds.yaml"
  no_share=
  case $("$bin/gridsweep" run --help) in *--no-share*) no_share=1 ;; esac

  for ((i = 0; i < rounds; i++)); do
    peer_once stock
    peer_once tuned --tuned
    ours_once shared "$work/peer.yaml"
    [ -z "$no_share" ] || ours_once unshared "$work/peer.yaml" --no-share
  done
  ours_once seeds "$work/seeds.yaml"
  "$peer_python" "$here/compare_peer.py" --results "$runs" --cells "$work/cells" --epochs "$epochs" --samples "$samples"
}
