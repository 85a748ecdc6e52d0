#!/usr/bin/env python3
"""Trials with reports through Optuna's RDB storage on SQLite: what a coordinator's work costs there.

Prints one line of JSON. One process: SQLite takes one writer at a time, so more of them only wait.
"""
import argparse
import json
import time

import optuna


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--reports", type=int, default=10)
    parser.add_argument("--database", required=True)
    a = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="control", storage=f"sqlite:///{a.database}", direction="maximize")

    def objective(trial):
        trial.suggest_categorical("model", ["mlp", "cnn"])
        trial.suggest_categorical("optimizer", ["adam", "sgd"])
        for epoch in range(a.reports):
            trial.report(0.5 + 0.01 * epoch, epoch)
        return 0.6

    begin = time.time()
    study.optimize(objective, n_trials=a.trials)
    seconds = time.time() - begin
    print(json.dumps({"seconds": seconds, "trials_per_second": a.trials / seconds,
                      "reports_per_second": a.trials * a.reports / seconds}))


if __name__ == "__main__":
    main()
