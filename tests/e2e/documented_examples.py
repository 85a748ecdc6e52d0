#!/usr/bin/env python3
"""Runs the worked examples of docs/results-database.md as they stand there, and checks the figures they print.

    tests/e2e/documented_examples.py BIN_DIR [sh|python|r]...

In a folder whose gridsweep.db was made by `gridsweep run` with the fake trainer. Ends with 77 if the program or package that an
example needs is missing.
"""
import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from small_run import SKIPPED, SmallRun, check, main

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/results-database.md")
LANGUAGES = {"sh": ("example.sh", ["sh", "-eu"]),
             "python": ("example.py", [sys.executable, "-W", "error"]),
             "r": ("example.R", ["Rscript", "--vanilla"])}

SWEEP = """name: documented
dataset: tiny
training: {epochs: 3, validation: 0.1}
seeds: SEEDS
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
  optimizer: [adam, sgd]
"""


def examples(language):
    """The blocks of the language in the section of worked examples."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    start = text.find("\n## Worked examples\n")
    check(start >= 0, "the document has no section of worked examples")
    section = text[start + 1:]
    end = section.find("\n## ")
    section = section if end < 0 else section[:end]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def missing(language):
    """What the example needs and is not here; empty if it can run."""
    if language == "sh":
        return "" if shutil.which("sqlite3") else "sqlite3, SQLite's shell (package sqlite3)"
    if language == "python":
        return "" if importlib.util.find_spec("pandas") else f"pandas for {sys.executable} (package python3-pandas)"
    if not shutil.which("Rscript"):
        return "Rscript (package r-base-core)"
    found = subprocess.run(["Rscript", "--vanilla", "-e", "quit(status = !requireNamespace('RSQLite', quietly = TRUE))"],
                           capture_output=True, check=False)
    return "" if found.returncode == 0 else "RSQLite for R (package r-cran-rsqlite)"


def expected_figures(database):
    """Figures that each example prints, by other means, with the words beside them."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    figures = []
    for model in ("mlp", "cnn"):
        best = "cell = (SELECT cell FROM v_ranking WHERE sweep = 1 AND model = ? AND n > 0 ORDER BY position LIMIT 1)"
        mean, ci95 = db.execute(f"SELECT mean, ci95 FROM v_ranking WHERE {best}", [model]).fetchone()
        figures.append((f"mean of the best {model}", mean))
        if ci95 is not None:
            figures += [(f"lower end of the best {model}", mean - ci95), (f"upper end of the best {model}", mean + ci95)]
        for epoch, accuracy in db.execute(
                f"SELECT epoch, avg(test_accuracy) FROM v_epochs WHERE {best} GROUP BY epoch", [model]):
            figures.append((f"test accuracy of the best {model} after epoch {epoch}", accuracy))
    levels = db.execute("SELECT axis, level, mean FROM v_levels WHERE sweep = 1").fetchall()
    check(len(levels) == 6, f"v_levels has {len(levels)} rows, not 6")
    return figures + [(f"marginal mean of {axis} {level}", mean) for axis, level, mean in levels]


def run_example(language, block, run):
    name, command = LANGUAGES[language]
    with open(run.path(name), "w", encoding="utf-8") as file:
        file.write(block)
    before = os.stat(run.path("gridsweep.db"))
    done = subprocess.run([*command, name], cwd=run.folder, env=run.environment, capture_output=True, text=True, timeout=120,
                          check=False)
    said = f"the {language} example\n{block}\nprinted\n{done.stdout}\n{done.stderr}"
    check(done.returncode == 0, f"{said}\nand ended with {done.returncode}")
    check(done.stderr == "", f"{said}\nstderr should be empty")
    after = os.stat(run.path("gridsweep.db"))
    check((before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns), f"{said}\nand changed the database")
    numbers = [float(text) for text in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", done.stdout)]
    for what, value in expected_figures(run.path("gridsweep.db")):
        check(any(abs(number - value) <= 0.51e-4 for number in numbers), f"{said}\nwithout {what}, {value:.4f}")
    return done.stdout


def test():
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(LANGUAGES):
        raise SystemExit(__doc__)
    languages = sys.argv[2:] or list(LANGUAGES)
    skipped = []
    for language in languages:
        blocks = examples(language)
        check(blocks, f"the document has no example for {language}")
        if missing(language):
            skipped.append(f"the {language} example, because this is missing: {missing(language)}")
            continue
        for seeds in ("3", "1"):  # of one seed there are no intervals
            with tempfile.TemporaryDirectory(prefix="gridsweep-examples-") as folder:
                run = SmallRun(sys.argv[1], os.path.join(folder, "run"))
                run.run_sweep(SWEEP.replace("SEEDS", seeds))
                for block in blocks:
                    printed = run_example(language, block, run)
                if seeds == "3":
                    print(printed)
    if len(skipped) == len(languages):
        print("\n".join(f"skipped: {what}" for what in skipped))
        sys.exit(SKIPPED)
    return skipped


if __name__ == "__main__":
    main(test)
