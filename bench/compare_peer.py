#!/usr/bin/env python3
"""Compares the runs of `bench/run … peer`: cells an hour, and whether the accuracies differ by more than noise.

Reads DIR/{stock,tuned,shared,unshared,seeds}.jsonl, a run a line; unshared may be absent.
"""
import argparse
import collections
import json
import math
import pathlib
import statistics
import textwrap

TEST_IMAGES = 8308
AXES = ("model", "activation", "optimizer", "regularization", "scheduler")
TITLES = {"stock": "PyTorch + Optuna", "tuned": "PyTorch + Optuna, tuned",
          "unshared": "gridsweep --no-share", "shared": "gridsweep"}


def say(text):
    print(textwrap.fill(" ".join(text.split()), 80))


def read(directory, what):
    path = pathlib.Path(directory) / f"{what}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def cell(job):
    """A job's cell by the names of its components: 'sgd(lr=0.05)' is sgd."""
    return tuple(job[axis].split("(")[0] for axis in AXES)


def cells_of(run):
    """Last test accuracy by cell; a cell that the peer ran twice counts once."""
    return {cell(job): job["test_accuracy"] for job in run["jobs"] if job.get("state", "succeeded") == "succeeded"}


def all_cells(run):
    return {cell(job) for job in run["jobs"]}


def print_speed(runs):
    count = len(all_cells(runs["shared"][0]))
    rates = {what: [count / run["wall_s"] * 3600 for run in all_] for what, all_ in runs.items()}
    rate = {what: statistics.median_low(values) for what, values in rates.items()}
    print(f"{'':<26}{'cells/h':>9}{'min':>9}{'max':>9}{'wall s':>9}{'x stock':>9}{'x tuned':>9}")
    for what, all_ in runs.items():
        wall = statistics.median_low(run["wall_s"] for run in all_)
        print(f"{TITLES[what]:<26}{rate[what]:>9.1f}{min(rates[what]):>9.1f}{max(rates[what]):>9.1f}{wall:>9.1f}"
              f"{rate[what] / rate['stock']:>9.2f}{rate[what] / rate['tuned']:>9.2f}")
    print()
    total = rate["shared"] / rate["tuned"]
    if "unshared" in rate:
        say(f"Of the factor {total:.2f} over the tuned peer, {rate['unshared'] / rate['tuned']:.2f} are the step and all "
            f"around it, {rate['shared'] / rate['unshared']:.2f} sharing between cells.")
    else:
        say(f"This gridsweep has no --no-share: the factor {total:.2f} over the tuned peer cannot be split.")
    for what in ("stock", "tuned"):
        trials = statistics.median_low(run["trials_run"] for run in runs[what])
        if trials != count:
            say(f"{TITLES[what]}: ran {trials} trials for {count} cells: its processes draw cells without asking each "
                f"other. By trials instead of cells, gridsweep is {rate['shared'] / rate[what] * count / trials:.2f} "
                "times as fast.")
    say("The peer's time is what it says itself: from creating the study, without unpacking the data. Ours is from "
        "Enter to the table.")


def seed_deviation(run):
    """Standard deviation of a cell's accuracy over seeds, pooled over the cells; with the numbers of cells and seeds."""
    by_cell = collections.defaultdict(list)
    for job in run["jobs"]:
        if job["state"] == "succeeded":
            by_cell[cell(job)].append(job["test_accuracy"])
    variances = [statistics.variance(values) for values in by_cell.values() if len(values) > 1]
    return math.sqrt(statistics.fmean(variances)), len(variances), len(next(iter(by_cell.values())))


def compare(peer, ours, sd):
    """Rows (cell, peer, ours, difference, standard error), largest difference first."""
    rows = []
    for key in peer.keys() & ours.keys():
        p = (peer[key] + ours[key]) / 2
        rows.append((key, peer[key], ours[key], ours[key] - peer[key],
                     math.sqrt(2 * p * (1 - p) / TEST_IMAGES + 2 * sd * sd)))
    return sorted(rows, key=lambda row: (-abs(row[3]), row[0]))


def verdict(passed):
    return "within noise" if passed else "MORE THAN NOISE"


def print_accuracy(title, rows):
    n = len(rows)
    trainings = len({row[0][:-1] for row in rows})
    differences = [row[3] for row in rows]
    mean, mean_error = statistics.fmean(differences), statistics.fmean(row[4] for row in rows) / math.sqrt(trainings)
    bound = statistics.NormalDist().inv_cdf(1 - 0.05 / 2 / n)
    worst = max(rows, key=lambda row: abs(row[3]) / row[4])
    outside = sum(abs(row[3]) > 1.96 * row[4] for row in rows)
    print(f"gridsweep minus {title}, percentage points, {n} cells")
    print(f"  mean difference     {100 * mean:+7.2f}   noise +-{196 * mean_error:.2f}    {verdict(abs(mean) <= 1.96 * mean_error)}")
    print(f"  largest difference  {100 * rows[0][3]:+7.2f}   {' '.join(rows[0][0])}")
    print(f"  largest, in SE      {worst[3] / worst[4]:+7.2f}   noise +-{bound:.2f}    {verdict(abs(worst[3]) <= bound * worst[4])}")
    print(f"  beyond 1.96 SE      {outside:7d}   noise  {0.05 * n:.1f} expected")


def write_cells(path, tables):
    with open(path, "w", encoding="utf-8") as out:
        for title, rows in tables:
            out.write(f"\nfinal test accuracy in %, gridsweep beside {title}, largest difference first\n")
            out.write(f"{'model':<6}{'activation':<12}{'optimizer':<10}{'regularization':<16}{'scheduler':<10}"
                      f"{'peer':>7}{'ours':>7}{'diff':>7}{'SE':>6}\n")
            for key, peer, ours, difference, error in rows:
                out.write(f"{key[0]:<6}{key[1]:<12}{key[2]:<10}{key[3]:<16}{key[4]:<10}"
                          f"{100 * peer:>7.2f}{100 * ours:>7.2f}{100 * difference:>+7.2f}{100 * error:>6.2f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True)
    parser.add_argument("--cells", required=True, help="where to write the accuracy of every cell")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--samples", type=int, required=True)
    a = parser.parse_args()
    runs = {what: read(a.results, what) for what in TITLES}
    runs = {what: all_ for what, all_ in runs.items() if all_}
    ours = cells_of(runs["shared"][-1])
    sd, seed_cells, seeds = seed_deviation(read(a.results, "seeds")[0])
    print(f"peer: {len(all_cells(runs['shared'][0]))} cells, {a.epochs} epochs of {a.samples:,} images, batch 128, 2 slots\n"
          f"  emnist-sample47, median of {len(runs['shared'])}\n")
    print_speed(runs)
    tables = []
    for what in ("stock", "tuned"):
        peer = cells_of(runs[what][-1])
        missing = len((all_cells(runs["shared"][-1]) | peer.keys()) - (ours.keys() & peer.keys()))
        if missing:
            say(f"{TITLES[what]}: {missing} cells have no accuracy on one side and are NOT compared.")
        tables.append((TITLES[what], compare(peer, ours, sd)))
    print()
    for title, rows in tables:
        print_accuracy(title, rows)
    print()
    say(f"""Rule: the SE of a cell's difference is sqrt(2 p (1 - p) / {TEST_IMAGES:,} + 2 s^2): two independent runs,
and the seed's s = {100 * sd:.2f} points, from {seed_cells} cells with {seeds} seeds of ours. The mean may differ by
1.96 SE / sqrt(cells), where cells that differ in the scheduler alone count as one since they share
most of their training; the largest by what 95 % of such tables stay below. Both sides test on the
same images, so SE is too large rather than too small: what is within noise is not proved equal.
The peer trains on the first images, ours on a stratified choice, and all cells of a side share one
seed, so a mean just outside proves no difference either.""")
    write_cells(a.cells, tables)


if __name__ == "__main__":
    main()
