# shellcheck shell=bash disable=SC2154 # variables of bench/run

# What `gridsweep run` said after a quarter of its time, and what it came to: "percent-of-time said was error-percent".
eta_once() {
  local begin end
  fresh_db "$work/eta.db"
  begin=$(now_us)
  "$bin/gridsweep" run "$work/eta.yaml" --db "$work/eta.db" --data-dir "$images_dir" 2>&1 >"$work/out" |
    while IFS= read -r line; do echo "$(now_us) $line"; done >"$work/progress"
  end=$(now_us)
  # The line nearest to a quarter that tells the time left, as in "about 1 min 05 s left".
  awk -v begin="$begin" -v end="$end" '
    function seconds(text,    part, n, i, sum) {
      n = split(text, part, " ")
      for (i = 1; i < n; i += 2)
        sum += part[i] * (part[i + 1] == "d" ? 86400 : part[i + 1] == "h" ? 3600 : part[i + 1] == "min" ? 60 : 1)
      return sum
    }
    match($0, /about [0-9][^,;]* left/) {
      at = ($1 - begin) / (end - begin)
      off = at > 0.25 ? at - 0.25 : 0.25 - at
      if (found && off >= nearest) next
      found = 1
      nearest = off
      quarter = at
      said = seconds(substr($0, RSTART + 6, RLENGTH - 11))
      was = (end - $1) / 1e6
    }
    END { if (found) printf "%.0f %.1f %.1f %.0f\n", 100 * quarter, said, was, 100 * (said - was) / was }' "$work/progress"
}

bench_eta() {
  local i
  if [ ! -x "$bin/gridsweep-trainer" ]; then
    echo "eta: skipped, this build has no trainer"
    return 0
  fi
  choose_images
  cat >"$work/eta.yaml" <<EOF
name: bench-eta
dataset: $images
training: { epochs: 2, batch_size: 128, validation: 0, samples: $([ -n "$quick" ] && echo 1280 || echo 6400) }
objective: test_accuracy
grid:
  model: [mlp, cnn]
  activation: [relu, elu]
  optimizer: [adam, sgd, rmsprop]
  regularization: [none]
  scheduler: [none]
EOF
  for ((i = 0; i < repeats; i++)); do eta_once; done >"$work/eta"
  heading "eta: 6 mlp and 6 cnn jobs, median of $repeats"
  cut -d' ' -f1 "$work/eta" | report "progress line nearest to 25 % of the time, at" % 0
  cut -d' ' -f2 "$work/eta" | report "time left as said there" s
  cut -d' ' -f3 "$work/eta" | report "time left as it came to" s
  cut -d' ' -f4 "$work/eta" | report "error: too short -, too long +" % 0
  cut -d' ' -f4 "$work/eta" | tr -d - | report "error without sign" % 0
}
