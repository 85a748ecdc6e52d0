# shellcheck shell=bash disable=SC2154 # variables of bench/run
# The training step against its limit.
bench_limit() {
  if [ ! -x "$build/bench/step_limit" ]; then
    echo "limit: skipped, this build has no trainer"
    return 0
  fi
  # As the worker starts a trainer.
  GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1} "$build/bench/step_limit" --repeats "$repeats" --seconds "$([ -n "$quick" ] && echo 0.1 || echo 0.5)"
}
