#!/usr/bin/env python3
"""Reads what `gridsweep export` and `--format` write with the programs that others read it with.

    tests/e2e/export_check.py BIN_DIR

On a small sweep with a diverged and a failed job, run with the fake trainer. Parts are left out, with a message, where tensorboard,
markdown (python3-markdown) or pdflatex with booktabs is missing.
"""
import csv
import glob
import html.parser
import importlib.util
import io
import json
import math
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

from small_run import SmallRun, check, main

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/results-database.md")

SWEEP = """name: exported
dataset: tiny
training: {epochs: 4, validation: 0.1}
seeds: [1, 2, 3]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
  optimizer: [adam, {sgd: {lr: [0.05, 0.01]}}]
  regularization: [none, {l2: 1.0e-4, dropout: 0.3}]
"""
RULES = [{"do": "diverge", "model": "cnn", "seed": 2, "epoch": 3, "times": 1},
         {"do": "diverge", "model": "mlp", "seed": 3, "epoch": 1, "times": 1},
         {"do": "fail_for_good", "model": "mlp", "seed": 1, "epoch": 2, "times": 2}]

# No sweep file may name a sweep like this, but a file can only rely on itself.
HOSTILE = '"a, b" <script>\r\nc\u2028d\u0085\té|\\}%&$#_^~'

TABLES = {"ranking.csv": ("v_ranking", "position"),
          "jobs.csv": ("v_jobs", "job"),
          "epochs.csv": ("v_epochs", "job, epoch"),
          "confusions.csv": ("v_confusion", "job, actual, predicted"),
          "predictions.csv": ("v_predictions", "job, image")}
PACKAGE_TYPES = {"INTEGER": "integer", "REAL": "number", "TEXT": "string"}


# ---- CSV ----

def check_rfc4180(name, text):
    """Records end with CRLF, also the last; quotes only around whole fields; line ends and quotes only inside them."""
    field = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
    record = re.compile(rf"{field}(?:,{field})*\r\n")
    at = 0
    while at < len(text):
        match = record.match(text, at)
        check(match, f"{name}: no RFC 4180 at character {at}: {text[at:at + 200]!r}")
        at = match.end()


def same_bits(a, b):
    return struct.pack("<d", a) == struct.pack("<d", b)


def check_value(where, value, text):
    """What the database has, and what the file says."""
    if value is None:
        same = text == ""
    elif isinstance(value, float):
        try:
            same = same_bits(float(text), value)
        except ValueError:
            same = False
    elif isinstance(value, int):
        same = text == str(value)
    else:
        same = text == value
    check(same, f"{where}: {text!r}, but the database has {value!r}")


def documented_columns(view):
    """Name, type and meaning of each column, as the document says."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    section = text[text.index(f"\n### {view}\n") + 1:]
    section = section[:section.index("\n#", 4)]
    return re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\|$", section, re.MULTILINE)


def check_csv(folder, database):
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    check(sorted(os.listdir(folder)) == sorted([*TABLES, "README.md", "datapackage.json"]), f"files: {sorted(os.listdir(folder))}")
    headers, rows_of = {}, {}
    for name, (view, order) in TABLES.items():
        with open(os.path.join(folder, name), "rb") as file:
            text = file.read().decode("utf-8")
        check_rfc4180(name, text)
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        cursor = db.execute(f"SELECT * FROM {view} WHERE sweep = 1 ORDER BY {order}")
        headers[name] = [column[0] for column in cursor.description]
        check(rows[0] == headers[name], f"{name}: header {rows[0]}, but {view} has {headers[name]}")
        expected = cursor.fetchall()
        rows_of[name] = len(expected)
        check(len(rows) - 1 == len(expected), f"{name} has {len(rows) - 1} rows, {view} {len(expected)}")
        check(expected, f"{view} is empty: there is nothing to compare")
        for number, (row, values) in enumerate(zip(rows[1:], expected), 1):
            check(len(row) == len(values), f"{name}, row {number}: {len(row)} fields, not {len(values)}")
            for column, text, value in zip(headers[name], row, values):
                check_value(f"{name}, row {number}, {column}", value, text)
    check_dictionaries(folder, headers, rows_of)


def check_dictionaries(folder, headers, rows_of):
    with open(os.path.join(folder, "datapackage.json"), encoding="utf-8") as file:
        package = json.load(file)
    resources = {resource["path"]: resource for resource in package["resources"]}
    check(sorted(resources) == sorted(TABLES), f"datapackage.json is about {sorted(resources)}")
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    sections = dict(re.findall(r"^## (\S+\.csv)\n(.*?)(?=^## |\Z)", readme, re.DOTALL | re.MULTILINE))
    check(sorted(sections) == sorted(TABLES), f"README.md is about {sorted(sections)}")
    for name, (view, _) in TABLES.items():
        documented = documented_columns(view)
        check([column for column, _, _ in documented] == headers[name], f"the document has other columns of {view}: {documented}")
        fields = [(field["name"], field["type"], field["description"]) for field in resources[name]["schema"]["fields"]]
        expected = [(column, PACKAGE_TYPES[kind], meaning) for column, kind, meaning in documented]
        for field, wanted in zip(fields, expected):
            check(field == wanted, f"datapackage.json, {name}: {field}, but the document says {wanted}")
        check(len(fields) == len(expected), f"datapackage.json, {name}: {len(fields)} fields, not {len(expected)}")
        lines = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\|$", sections[name], re.MULTILINE)
        check(lines == documented, f"README.md, {name}: {set(lines) ^ set(documented)}")
        unsaid = [column for column, _, meaning in documented if not meaning]
        check(not unsaid, f"{view} does not say what {unsaid} are")
        check(re.search(rf"\b{rows_of[name]} rows\.", sections[name].replace(",", "")), f"README.md, {name}: not {rows_of[name]} rows")


def contents(folder):
    files = {}
    for path in sorted(glob.glob(os.path.join(folder, "**"), recursive=True)):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                files[path] = (file.read(), os.stat(path).st_mtime_ns)
    return files


def check_refused(run):
    """What is there stays as it is, and nothing else appears."""
    before, beside = contents(run.folder), sorted(os.listdir(run.folder))
    for arguments in (["--to", "csv"], ["--tensorboard", "tb"], ["--to", "new", "--tensorboard", "tb"], ["--to", "sweep.yaml"]):
        run.program("export", "1", "--db", "gridsweep.db", *arguments, code=2)
        shutil.rmtree(run.path("new"), ignore_errors=True)
    check(sorted(os.listdir(run.folder)) == beside, f"left behind: {set(os.listdir(run.folder)) ^ set(beside)}")
    check(contents(run.path("csv")) == {k: v for k, v in before.items() if k.startswith(run.path("csv") + "/")},
          "the second export changed the folder of the first")
    check(contents(run.path("tb")) == {k: v for k, v in before.items() if k.startswith(run.path("tb") + "/")},
          "the second export changed the event files of the first")
    os.mkdir(run.path("empty"))
    run.program("export", "1", "--db", "gridsweep.db", "--to", "empty")
    first, second = ({os.path.basename(path): data for path, (data, _) in contents(run.path(folder)).items()}
                     for folder in ("csv", "empty"))
    check(first == second, "two exports of the same results differ")


def check_hostile_texts(run):
    """Texts of any kind come through."""
    shutil.copy(run.path("gridsweep.db"), run.path("hostile.db"))
    db = sqlite3.connect(run.path("hostile.db"))
    with db:
        db.execute("UPDATE sweeps SET name = ?", [HOSTILE])
        db.execute("UPDATE jobs SET verdict = ? WHERE state = 'failed'", [HOSTILE])
        db.execute("UPDATE datasets SET class_names = ?", [json.dumps([HOSTILE, '"', ",\n"])])
    db.close()
    run.program("export", "1", "--db", "hostile.db", "--to", "hostile", "--tensorboard", "hostile-tb")
    check_csv(run.path("hostile"), run.path("hostile.db"))
    with open(run.path("hostile/datapackage.json"), encoding="utf-8") as file:
        check(HOSTILE in json.load(file)["title"], "datapackage.json has not the sweep's name")


# ---- TensorBoard ----

SCALARS = {"loss/train": "train_loss", "loss/val": "val_loss", "loss/test": "test_loss", "accuracy/train": "train_accuracy",
           "accuracy/val": "val_accuracy", "accuracy/test": "test_accuracy", "lr": "lr", "seconds": "seconds"}
AXES = ["model", "activation", "optimizer", "regularization", "scheduler"]


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def hparams_of(accumulator, tag):
    from tensorboard.plugins.hparams import plugin_data_pb2
    content = accumulator.SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def check_scalars(run, accumulator, expected):
    """`expected`: tag → [(step, value)]."""
    tags = accumulator.Tags()["scalars"]
    check(sorted(tags) == sorted(expected), f"{run}: tags {sorted(tags)}, not {sorted(expected)}")
    for tag, points in expected.items():
        read = [(event.step, event.value) for event in accumulator.Scalars(tag)]
        check(len(read) == len(points), f"{run}, {tag}: {len(read)} points, not {len(points)}")
        for (step, value), (epoch, wanted) in zip(read, points):
            same = math.isnan(value) if wanted is None else value == single(wanted)
            check(step == epoch and same, f"{run}, {tag}: step {step} has {value!r}, the database {wanted!r} at epoch {epoch}")


def check_tensorboard(folder, database):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import api_pb2
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    sweep = db.execute("SELECT * FROM v_sweeps WHERE sweep = 1").fetchone()
    jobs = {f"job-{row['job']}": row for row in db.execute("SELECT * FROM v_jobs WHERE sweep = 1 AND epochs > 0")}
    runs = [name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))]
    check(sorted(runs) == sorted(jobs), f"runs without a job, or jobs without a run: {set(runs) ^ set(jobs)}")

    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0}).Reload()
    experiment = hparams_of(accumulator, "_hparams_/experiment").experiment
    check(experiment.name == sweep["name"], f"experiment {experiment.name!r}")
    infos = {info.name: info for info in experiment.hparam_infos}
    check(sorted(infos) == sorted([*AXES, "lr", "seed"]), f"hparam_infos: {sorted(infos)}")
    for axis in AXES:
        levels = {row[axis] for row in db.execute(f"SELECT DISTINCT {axis} FROM v_jobs WHERE sweep = 1")}
        said = {value.string_value for value in infos[axis].domain_discrete.values}
        check(infos[axis].type == api_pb2.DATA_TYPE_STRING and said == levels, f"{axis}: {said}, not {levels}")
    check(infos["lr"].type == infos["seed"].type == api_pb2.DATA_TYPE_FLOAT64, "lr and seed are no numbers")
    metrics = {info.name.tag for info in experiment.metric_infos}
    check(metrics == {"result/objective", "result/test_accuracy"}, f"metrics: {metrics}")

    groups = {}
    for name, job in jobs.items():
        accumulator = EventAccumulator(os.path.join(folder, name), size_guidance={"scalars": 0}).Reload()
        start = hparams_of(accumulator, "_hparams_/session_start_info").session_start_info
        end = hparams_of(accumulator, "_hparams_/session_end_info").session_end_info
        said = {key: value.string_value or value.number_value for key, value in start.hparams.items()}
        wanted = {**{axis: job[axis] for axis in AXES}, "lr": job["lr"], "seed": job["seed"]}
        check(said == wanted, f"{name}: hparams {said}, not {wanted}")
        check(start.start_time_secs == job["started_us"] / 1e6 and end.end_time_secs == job["finished_us"] / 1e6, f"{name}: other times")
        status = api_pb2.STATUS_SUCCESS if job["state"] == "succeeded" else api_pb2.STATUS_FAILURE
        check(end.status == status, f"{name}: status {end.status} of a job that {job['state']}")
        groups.setdefault(start.group_name, set()).add(job["cell"])

        epochs = db.execute("SELECT * FROM v_epochs WHERE job = ? ORDER BY epoch", [job["job"]]).fetchall()
        expected = {tag: [(row["epoch"], row[column]) for row in epochs
                          if row[column] is not None or f"{column}=" in (row["nonfinite"] or "")] for tag, column in SCALARS.items()}
        if job["objective"] is not None:
            expected["result/objective"] = [(job["objective_epoch"], job["objective"])]
            expected["result/test_accuracy"] = [(job["objective_epoch"], job["test_accuracy"])]
        check_scalars(name, accumulator, {tag: points for tag, points in expected.items() if points})
    check(all(len(cells) == 1 for cells in groups.values()), f"a group of several cells: {groups}")
    cells = {job["cell"] for job in jobs.values()}
    check(len(groups) == len(cells), f"{len(groups)} groups of {len(cells)} cells")


# ---- Tables for papers and pages ----

PRINTED = [["rank", "1"], ["rank", "1", "--by", "model"], ["effects", "1"], ["effects", "1", "--levels"], ["list"]]


def printed(run, arguments, form):
    return run.program(*arguments, "--db", "gridsweep.db", "--format", form)


def check_tsv(run):
    for arguments in PRINTED:
        text = printed(run, arguments, "tsv")
        check(text.endswith("\n") and "\r" not in text, f"{arguments}: line ends of {text!r}")
        columns = {line.count("\t") for line in text[:-1].split("\n")}
        check(len(columns) == 1 and columns != {0}, f"{arguments}: {columns} tabs a line in\n{text}")
        header = text[:text.index("\n")].split("\t")
        check(all(header) and len(set(header)) == len(header), f"{arguments}: header {header}")


def check_latex(run):
    body = []
    for arguments in PRINTED:
        text = printed(run, arguments, "latex")
        check("[U+" not in text, f"{arguments}: characters that LaTeX has not in\n{text}")
        header = re.search(r"\\toprule\n(.*?) \\\\\n", text)
        check(header and all(header.group(1).split(" & ")), f"{arguments}: a column without a heading in\n{text}")
        body.append(text)
    with open(run.path("tables.tex"), "w", encoding="utf-8") as file:
        file.write("\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{booktabs}\n\\begin{document}\n"
                   + "\n\n".join(body) + "\n\\end{document}\n")
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"], cwd=run.folder,
                          capture_output=True, timeout=120, check=False)
    said = done.stdout.decode(errors="replace")
    check(done.returncode == 0 and os.path.getsize(run.path("tables.pdf")) > 0, said[-3000:])


class TableReader(html.parser.HTMLParser):
    """Rows of the tables, as texts of their cells; all tags."""

    def __init__(self):
        super().__init__()
        self.tags, self.tables, self.cell = [], [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data


def check_markdown(run):
    import markdown
    for arguments in PRINTED:
        text = printed(run, arguments, "markdown")
        reader = TableReader()
        reader.feed(markdown.markdown(text, extensions=["tables"]))
        check(len(reader.tables) == 1, f"{arguments}: {len(reader.tables)} tables in\n{text}")
        rows = reader.tables[0]
        lines = [line for line in text.split("\n") if line.startswith("|")]
        check(len(rows) == len(lines) - 1 >= 2, f"{arguments}: {len(rows)} rows of {len(lines)} lines in\n{text}")
        check(len({len(row) for row in rows}) == 1, f"{arguments}: rows of different lengths in\n{text}")
        check(all(rows[0]), f"{arguments}: a column without a heading in\n{text}")
        check(set(reader.tags) <= {"p", "br", "table", "thead", "tbody", "tr", "th", "td"}, f"{arguments}: {set(reader.tags)} in\n{text}")


def has_booktabs():
    return bool(shutil.which("pdflatex")) and subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True,
                                                              check=False).returncode == 0


def test():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    skipped = []
    with tempfile.TemporaryDirectory(prefix="gridsweep-export-") as folder:
        run = SmallRun(sys.argv[1], os.path.join(folder, "run"), RULES)
        run.run_sweep(SWEEP, code=1)
        run.program("export", "1", "--db", "gridsweep.db", "--to", "csv", "--tensorboard", "tb")
        check_csv(run.path("csv"), run.path("gridsweep.db"))
        check_refused(run)
        check_hostile_texts(run)
        check_tsv(run)
        if importlib.util.find_spec("tensorboard"):
            check_tensorboard(run.path("tb"), run.path("gridsweep.db"))
            check_tensorboard(run.path("hostile-tb"), run.path("hostile.db"))
        else:
            skipped.append(f"event files, because {sys.executable} cannot import tensorboard")
        if importlib.util.find_spec("markdown"):
            check_markdown(run)
        else:
            skipped.append(f"Markdown, because {sys.executable} cannot import markdown (package python3-markdown)")
        if has_booktabs():
            check_latex(run)
        else:
            skipped.append("LaTeX, because there is no pdflatex with booktabs (packages texlive-latex-base, texlive-latex-recommended)")
    return skipped


if __name__ == "__main__":
    main(test)
