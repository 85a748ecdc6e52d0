#!/usr/bin/env python3
"""Compares the statistics of common/results with SciPy's and statsmodels' on complete, unbalanced and degenerate grids.

Usage: statistics_check.py DUMP_PROGRAM
Exit code 0 if all agree to 1e-8 relative, 1 if not, 77 (skipped) without the Debian packages python3-scipy and
python3-statsmodels.
"""
import itertools, json, math, subprocess, sys

try:
    import numpy, pandas, patsy, scipy.stats, statsmodels.api, statsmodels.formula.api
    from statsmodels.stats.multitest import multipletests
except ImportError as error:
    print(f"skipped: {error}; the packages are python3-scipy and python3-statsmodels")
    sys.exit(77)

TOLERANCE = 1e-8
failures = []
compared = 0


def same(what, ours, theirs, scale=0.0):
    """Equal to TOLERANCE relative, or to that of `scale`: a sum of squares that is nothing but rounding has no digits."""
    global compared
    compared += 1
    if ours is None or theirs is None:
        ok = ours is None and theirs is None
    else:
        ok = abs(ours - theirs) <= TOLERANCE * max(abs(theirs), scale)
    if not ok:
        failures.append(f"{what}: {ours!r}, expected {theirs!r}")


class Grid:
    """A synthetic sweep: cells with labels, jobs with a seed and a value or the way they ended."""

    def __init__(self, name, levels, seeds, value, goal="max", images=0, drop=lambda labels, seed: None):
        self.name, self.goal, self.images = name, goal, images
        self.axes = [f"axis{i}" for i in range(len(levels))]
        self.levels = [[f"{'abcdef'[i]}{k}" for k in range(n)] for i, n in enumerate(levels)]
        self.cells = []
        for labels in itertools.product(*self.levels):
            jobs = []
            for seed in seeds:
                ended = drop(labels, seed)
                if ended != "absent":
                    jobs.append([seed, ended or value(labels, seed)])
            if jobs:
                self.cells.append({"labels": list(labels), "jobs": jobs})

    def run(self, program):
        sweep = {"goal": self.goal, "images": self.images, "metric": "val_accuracy", "axes": self.axes,
                 "levels": self.levels, "cells": self.cells}
        result = subprocess.run([program], input=json.dumps(sweep), stdout=subprocess.PIPE, text=True, check=True)
        if "NaN" in result.stdout:
            failures.append(f"{self.name}: a NaN in the output")
        return json.loads(result.stdout)

    def frame(self):
        rows = []
        for cell in self.cells:
            for seed, value in cell["jobs"]:
                if not isinstance(value, str):
                    rows.append(dict(zip(self.axes, cell["labels"]), seed=seed, y=value))
        return pandas.DataFrame(rows)


def design(frame, terms):
    formula = "1" + "".join(" + " + ":".join(f"C({name})" for name in term) for term in terms)
    return numpy.asarray(patsy.dmatrix(formula, frame))


def residuals(frame, terms):
    """Sum of squares and rank of a least squares fit by singular values; dependent columns do no harm."""
    x = design(frame, terms)
    y = frame["y"].to_numpy() - frame["y"].mean()
    coefficients, _, rank, _ = numpy.linalg.lstsq(x, y, rcond=1e-10)
    return float(((y - x @ coefficients) ** 2).sum()), int(rank)


def check_variance(grid, effects):
    frame = grid.frame()
    axes = [axis for axis in grid.axes if frame[axis].nunique() > 1]
    seeds = ["seed"] if frame["seed"].nunique() > 1 else []
    mains = [(axis,) for axis in axes + seeds]
    pairs = list(itertools.combinations(axes, 2))
    full, rank = residuals(frame, mains + pairs)
    if len(frame) - rank <= 0:
        pairs = []
        full, rank = residuals(frame, mains)
    df = len(frame) - rank
    total = float(((frame["y"] - frame["y"].mean()) ** 2).sum())
    name = grid.name
    same(f"{name} residual df", effects["residual_df"], df)
    same(f"{name} residual", effects["residual_sum_of_squares"], full if df > 0 else 0.0, total * 1e-6)
    same(f"{name} total", effects["total_sum_of_squares"], total)
    ours = {term["name"]: term for term in effects["terms"]}
    expected = 0
    for term in mains + pairs:
        base_terms = [t for t in mains + pairs if not set(term) <= set(t)]
        base, base_rank = residuals(frame, base_terms)
        with_term, with_rank = residuals(frame, base_terms + [term])
        if with_rank == base_rank:
            continue
        expected += 1
        label = " × ".join(term)
        squares = base - with_term
        if label not in ours:
            failures.append(f"{name}: no term {label}")
            continue
        same(f"{name} {label} df", ours[label]["df"], with_rank - base_rank)
        same(f"{name} {label} sum of squares", ours[label]["sum_of_squares"], squares, total * 1e-6)
        same(f"{name} {label} share", ours[label]["share"], squares / total, 1e-6)
        if df > 0:
            f = squares / (with_rank - base_rank) / (full / df)
            same(f"{name} {label} F", ours[label]["f"], f, 1e-6)
            p = float(scipy.stats.f.sf(f, with_rank - base_rank, df))
            # A tail probability magnifies the relative error of F by about F times its degrees of freedom.
            same(f"{name} {label} p", ours[label]["p"], p, max(1e-6, p * 100))
        else:
            same(f"{name} {label} F", ours[label]["f"], None)
    if expected != len(ours):
        failures.append(f"{name}: {len(ours)} terms, expected {expected}")
    check_means(grid, frame, effects, mains, full, df)
    return frame, mains, pairs


def check_means(grid, frame, effects, mains, full, df):
    x = patsy.dmatrix("1" + "".join(f" + C({m[0]})" for m in mains), frame)
    inverse = numpy.linalg.pinv(numpy.asarray(x).T @ numpy.asarray(x))
    coefficients = inverse @ numpy.asarray(x).T @ frame["y"].to_numpy()
    observed = [sorted(frame[m[0]].unique()) for m in mains]
    reference = pandas.DataFrame(list(itertools.product(*observed)), columns=[m[0] for m in mains])
    rows = numpy.asarray(patsy.build_design_matrices([x.design_info], reference)[0])
    for level in effects["levels"]:
        axis = grid.axes[level["axis"]]
        mine = frame[frame[axis] == level["level"]]
        same(f"{grid.name} {level['level']} results", level["results"], len(mine))
        if mine.empty or frame[axis].nunique() < 2:
            continue
        weights = rows[(reference[axis] == level["level"]).to_numpy()].mean(axis=0)
        if not numpy.allclose(weights @ inverse @ numpy.asarray(x).T @ numpy.asarray(x), weights, atol=1e-6):
            same(f"{grid.name} {level['level']} mean", level["mean"], None)  # the results do not determine it
            continue
        same(f"{grid.name} {level['level']} mean", level["mean"], float(weights @ coefficients))
        if df > 0:
            error = math.sqrt(full / df * float(weights @ inverse @ weights))
            same(f"{grid.name} {level['level']} ci", level["ci"], float(scipy.stats.t.ppf(0.975, df)) * error, 1e-6)
        else:
            same(f"{grid.name} {level['level']} ci", level["ci"], None)


def check_statsmodels(grid, frame, pairs, effects):
    """Where no combination is empty, statsmodels' own type II table says the same."""
    seed = "C(seed) + " if frame["seed"].nunique() > 1 else ""
    formula = "y ~ " + seed + "(" + " + ".join(f"C({axis})" for axis in grid.axes) + ")" + ("**2" if pairs else "")
    table = statsmodels.api.stats.anova_lm(statsmodels.formula.api.ols(formula, frame).fit(), typ=2)
    for term in effects["terms"]:
        row = table.loc[":".join(f"C({name})" for name in term["name"].split(" × "))]
        total = effects["total_sum_of_squares"]
        same(f"{grid.name} statsmodels {term['name']}", term["sum_of_squares"], float(row["sum_sq"]), total * 1e-6)
        same(f"{grid.name} statsmodels {term['name']} F", term["f"], float(row["F"]), 1e-6)


def objectives(cell):
    return {seed: value for seed, value in cell["jobs"] if not isinstance(value, str)}


def difference(a, b, images):
    """Of dicts by seed, as difference.h documents it: mean, half width, p."""
    common = sorted(set(a) & set(b))
    if len(common) >= 2:
        x, y = [a[s] for s in common], [b[s] for s in common]
        d = numpy.subtract(x, y)
        floor = math.sqrt(1 / images**2 / 6) if images else 0
        if d.std(ddof=1) <= floor:
            error = floor / math.sqrt(len(d))
            p = 2 * scipy.stats.t.sf(abs(d.mean()) / error, len(d) - 1) if error else float(d.mean() == 0)
        else:
            error = d.std(ddof=1) / math.sqrt(len(d))
            p = scipy.stats.ttest_rel(x, y).pvalue
        return float(d.mean()), float(scipy.stats.t.ppf(0.975, len(d) - 1) * error), float(p)
    if (len(common) == 1 or not common and len(a) == len(b) == 1) and images:
        p, q = (a[common[0]], b[common[0]]) if common else (*a.values(), *b.values())
        error = math.sqrt((p * (1 - p) + q * (1 - q)) / images)
        return p - q, scipy.stats.norm.ppf(0.975) * error, float(2 * scipy.stats.norm.sf(abs(p - q) / error))
    if len(common) == 1:
        return a[common[0]] - b[common[0]], None, None
    return numpy.mean(list(a.values())) - numpy.mean(list(b.values())), None, None


def check_ranking(grid, rows):
    sign = -1 if grid.goal == "max" else 1
    values = [objectives(cell) for cell in grid.cells]
    means = [sum(v.values()) / len(v) if v else None for v in values]
    with_result = [i for i, v in enumerate(values) if v]
    if not with_result:
        return
    leader = min(with_result, key=lambda i: (sign * means[i], -len(values[i]), i))
    compared_with = {i: difference(values[leader], values[i], grid.images) for i in with_result if i != leader}
    tested = [i for i in compared_with if compared_with[i][2] is not None]
    adjusted = dict(zip(tested, multipletests([compared_with[i][2] for i in tested], method="holm")[1])) if tested else {}
    probabilities = exact_probabilities(grid, values)
    for row in rows:
        i = row["cell"] - 1
        what = f"{grid.name} cell {i}"
        same(f"{what} n", row["n"], len(values[i]))
        same(f"{what} mean", row["mean"], means[i])
        if len(values[i]) >= 2:
            v = list(values[i].values())
            sd = numpy.std(v, ddof=1)
            same(f"{what} sd", row["sd"], float(sd), 1e-12)
            same(f"{what} ci", row["ci"], float(scipy.stats.t.ppf(0.975, len(v) - 1) * sd / math.sqrt(len(v))), 1e-12)
        if i in compared_with:
            mean, half, _ = compared_with[i]
            same(f"{what} behind", row["behind"]["mean"], mean, 1e-6)
            same(f"{what} behind ci", row["behind"]["ci"], half, 1e-6)
            same(f"{what} behind p", row["behind"]["p"], adjusted.get(i), 1e-6)
        tied = i in adjusted and adjusted[i] > 0.05
        if i != leader and bool(row["tied"]) != tied:
            failures.append(f"{what}: tied {row['tied']}, expected {tied}")
        rank = 0 if i not in with_result else 1 if tied or i == leader else \
            1 + sum(sign * means[k] < sign * means[i] for k in with_result)
        same(f"{what} rank", row["rank"], rank)
        if probabilities and i in with_result and abs(row["best"] - probabilities[i]) > 0.025:
            failures.append(f"{what} probability: {row['best']}, expected about {probabilities[i]}")


def exact_probabilities(grid, values):
    """Over all ways of drawing few seeds with replacement."""
    seeds = sorted({seed for v in values for seed in v})
    if not 2 <= len(seeds) <= 4:
        return None
    wins = [0.0] * len(values)
    for draw in itertools.product(seeds, repeat=len(seeds)):
        means = {i: numpy.mean([v[s] for s in draw if s in v]) for i, v in enumerate(values) if any(s in v for s in draw)}
        best = (max if grid.goal == "max" else min)(means.values())
        winners = [i for i in means if math.isclose(means[i], best, rel_tol=1e-13)]
        for i in winners:
            wins[i] += 1 / len(winners)
    return [w / sum(wins) for w in wins]


def noise(seed):
    """A value by labels and seed: effects of levels, an interaction, what a seed does to all, and noise."""
    generator = numpy.random.default_rng(seed)
    memory = {}

    def draw(*key):
        if key not in memory:
            memory[key] = float(generator.normal())
        return memory[key]

    def value(labels, seed):
        return 0.8 + sum(0.02 * draw(label) for label in labels) + 0.01 * draw(*labels[:2]) + 0.004 * draw("s", seed) \
            + 0.005 * draw(labels, seed)

    return value


def grids():
    yield Grid("complete", [3, 3, 2], [1, 2, 3], noise(1)), True
    yield Grid("complete, a loss", [2, 4], [3, 5, 8, 9], noise(2), goal="min"), True
    yield Grid("one axis", [5], [1, 2, 3, 4, 5], noise(3)), True
    yield Grid("one axis, one seed", [4], [1], noise(4), images=1000), False
    yield Grid("two axes, one seed", [4, 3], [1], noise(5), images=7566), False
    yield Grid("three axes, one seed", [3, 3, 3], [1], noise(6), images=100), True
    yield Grid("five axes", [2, 3, 3, 2, 2], [1, 2], noise(7), images=5000), True
    lost = numpy.random.default_rng(8)
    yield Grid("jobs missing", [3, 3, 2], [1, 2, 3], noise(8),
               drop=lambda labels, seed: "failed" if lost.random() < 0.15 else None), True
    yield Grid("a cell missing", [3, 3, 2], [1, 2, 3], noise(9),
               drop=lambda labels, seed: "diverged" if labels == ("a1", "b2", "c0") else None), True
    yield Grid("combinations missing", [3, 4, 2], [1, 2, 3], noise(10),
               drop=lambda labels, seed: "diverged" if labels[0] == "a2" and labels[1] in ("b1", "b3") else None), False
    yield Grid("a level missing", [3, 3], [1, 2], noise(11),
               drop=lambda labels, seed: "diverged" if labels[0] == "a1" else None), False
    yield Grid("excluded cells, uneven seeds", [3, 4, 3], [1, 2, 3, 4], noise(12), drop=lambda labels, seed:
               "absent" if labels[0] == "a0" and labels[2] == "c2" or seed > 2 and labels[1] == "b0" else None), False
    yield Grid("an axis with one level left", [2, 3], [1, 2, 3], noise(13),
               drop=lambda labels, seed: "diverged" if labels[0] == "a1" else None), False
    yield Grid("a seed each", [6], [1, 2, 3, 4, 5, 6], noise(15), images=2000,
               drop=lambda labels, seed: None if labels == (f"a{seed - 1}",) else "failed"), False
    yield Grid("far from zero", [3, 3], [1, 2, 3], lambda l, s, v=noise(14): 1e3 + v(l, s)), True


def degenerate():
    same_value = lambda labels, seed: 0.85
    yield Grid("one cell", [1], [1, 2, 3], noise(20)), "nothing to compare"
    yield Grid("constant", [3, 2], [1, 2], same_value), "All 12 results have the same val_accuracy, 85.0 %"
    yield Grid("all diverged", [3], [1, 2], noise(21), drop=lambda *_: "diverged"), "All 6 jobs diverged"
    yield Grid("one result", [3], [1], noise(22), drop=lambda l, s: None if l == ("a0",) else "failed"), "One job has a result"
    yield Grid("one seed, one axis", [3], [1], noise(23)), "no tests and no intervals"
    yield Grid("exact", [3, 2], [1, 2], lambda l, s: 0.5 + 0.125 * int(l[0][1])), "explain every digit"


def main():
    program = sys.argv[1]
    for grid, has_all_combinations in grids():
        result = grid.run(program)
        check_ranking(grid, result["rows"])
        frame, _, pairs = check_variance(grid, result["effects"])
        if has_all_combinations:
            check_statsmodels(grid, frame, pairs, result["effects"])
    for grid, sentence in degenerate():
        result = grid.run(program)
        check_ranking(grid, result["rows"])
        if not any(sentence in note for note in result["effects"]["notes"]):
            failures.append(f"{grid.name}: no sentence '{sentence}' in {result['effects']['notes']}")
    for failure in failures[:30]:
        print(failure)
    print(f"{compared} figures compared with SciPy {scipy.__version__} and statsmodels {statsmodels.__version__}, "
          f"{len(failures)} differ")
    return 1 if failures or compared < 500 else 0


sys.exit(main())
