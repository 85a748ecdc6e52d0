#!/usr/bin/env python3
"""Makes a results database of a finished sweep of any size, without training anything.

    bench/synthetic_results.py BIN_DIR OUT.db --cells 10000 --seeds 1 --epochs 50 [--random 1]

The coordinator makes the schema, and the cells and jobs of a sweep that is submitted to it. Attempts, epochs, confusion
matrices of 47 classes, predictions and images are then written beside them, as training would have left them: learning
curves that saturate and overfit, effects of each axis and of pairs of axes, noise of each seed, jobs that diverge at high
learning rates, jobs that fail, workers with CPUs and GPUs. Equal arguments make equal rows, but for the time of the analysis.
"""
import argparse
import contextlib
import heapq
import itertools
import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile

CLASS_NAMES = list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")  # of EMNIST balanced
CLASSES = len(CLASS_NAMES)
TRAIN_SIZE, TEST_SIZE, VALIDATION = 112_800, 18_800, 0.1
VAL_IMAGES = round(TRAIN_SIZE * VALIDATION)
SAMPLE = 32            # images that predictions are stored of
JOBS_WITH_SAMPLE = 200
BEGIN_US = 1_748_854_800_000_000  # 2025-06-02 09:00 UTC
DIGEST = "5e" * 32

# The first N levels of each axis are used, as many as make up the cells asked for.
MODELS = ["mlp", "cnn", "{ mlp: { hidden: [512, 256] } }", "{ cnn: { channels: [16, 32] } }", "{ mlp: { hidden: [128] } }",
          "{ cnn: { hidden: 256 } }", "{ mlp: { batch_norm: false } }", "{ cnn: { batch_norm: false } }"]
ACTIVATIONS = ["relu", "gelu", "tanh", "elu", "leaky_relu", "silu"]
RATES = {"adam": [0.001, 0.003, 0.0003, 0.01, 0.0001, 0.002, 0.0005, 0.005], "sgd": [0.05, 0.01, 0.2, 0.005, 0.5, 0.1, 0.02, 0.001],
         "adamw": [0.001, 0.003, 0.0003, 0.01, 0.0001, 0.002, 0.0005, 0.005], "rmsprop": [0.001, 0.0003, 0.003, 0.0001, 0.01, 0.002, 0.0005, 0.005],
         "adagrad": [0.01, 0.03, 0.003, 0.1, 0.001, 0.02, 0.005, 0.05]}
OPTIMIZERS = [f"{{ {name}: {{ lr: {rates[i]} }} }}" for i in range(8) for name, rates in RATES.items()]
REGULARIZATIONS = ["none", "{ dropout: 0.3 }", "{ l2: 1.0e-4 }", "{ l2: 1.0e-4, dropout: 0.3 }", "{ l1: 1.0e-5 }", "{ dropout: 0.5 }",
                   "{ l2: 1.0e-3 }", "{ l2: 1.0e-5 }", "{ l1: 1.0e-4 }", "{ dropout: 0.1 }"]
SCHEDULERS = ["none", "cosine", "{ step: { step_size: 10, gamma: 0.5 } }", "plateau", "{ exponential: { gamma: 0.95 } }"]
GRID = {"model": MODELS, "activation": ACTIVATIONS, "optimizer": OPTIMIZERS, "regularization": REGULARIZATIONS, "scheduler": SCHEDULERS}

# Name, device, what it runs on, slots, seconds of an epoch beside those of the first.
WORKERS = [("ada", "cuda:0", "NVIDIA A10", 3, 1.0), ("bell", "cuda:0", "NVIDIA A10", 3, 1.02), ("curie", "cuda:1", "NVIDIA RTX A4000", 2, 1.4),
           ("dijkstra", "cpu", "AMD EPYC 7443P", 4, 3.1)]
ERRORS = [("CUDA out of memory: tried to allocate 512 MiB", "RuntimeError: CUDA out of memory\n  at at::native::empty_cuda\n"),
          ("trainer was killed by signal 9", "loading emnist-balanced\n"), ("trainer was killed by signal 11", "loading emnist-balanced\nSegmentation fault\n")]

# Five columns of seven dots, the lowest bit on top.
FONT = dict(zip(CLASS_NAMES, """
3E5149453E 00427F4000 4261514946 2141454B31 1814127F10 2745454539 3C4A494930 0171090503 3649494936 064949291E
7E1111117E 7F49494936 3E41414122 7F4141221C 7F49494941 7F09090901 3E4149497A 7F0808087F 00417F4100 2040413F01
7F08142241 7F40404040 7F020C027F 7F0408107F 3E4141413E 7F09090906 3E4151215E 7F09192946 4649494931 01017F0101
3F4040403F 1F2040201F 3F4038403F 6314081463 0708700807 6151494543
2054545478 7F48444438 384444487F 3854545418 087E090102 0C5252523E 7F08040478 7C08040478 081414187C 7C08040408 043F444020
""".split()))
TRIGGERS = ("jobs_transition", "jobs_result_is_final", "jobs_counted", "jobs_work", "jobs_drop_checkpoints")


# ---- The sweep ----

def choose_levels(cells):
    """How many levels of each axis make up `cells`, or the least number above, as evenly as can be."""
    sizes = [len(levels) for levels in GRID.values()]
    best = None
    for counts in itertools.product(*(range(1, size + 1) for size in sizes)):
        product = math.prod(counts)
        if product < cells:
            continue
        key = (product, max(count / size for count, size in zip(counts, sizes)), counts)
        if best is None or key < best:
            best = key
    if best is None:
        raise SystemExit(f"at most {math.prod(sizes)} cells, not {cells}")
    return best[2]


def sweep_yaml(args):
    lines = ["name: synthetic", "dataset: emnist-balanced",
             f"training: {{ epochs: {args.epochs}, batch_size: 128, validation: {VALIDATION} }}", "objective: val_accuracy",
             f"seeds: {args.seeds}", "grid:"]
    for (axis, levels), count in zip(GRID.items(), choose_levels(args.cells)):
        lines.append(f"  {axis}: [{', '.join(levels[:count])}]")
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def coordinator(args):
    """A coordinator on the database: its address."""
    process = subprocess.Popen([os.path.join(args.bin_dir, "gridsweep-coordinator"), "--db", args.out, "--listen", "127.0.0.1:0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("no coordinator: " + process.stderr.read())
        yield json.loads(line)["address"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def submit(args):
    """Makes the database with its cells and jobs."""
    with coordinator(args) as address, tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(sweep_yaml(args))
        file.flush()
        subprocess.run([os.path.join(args.bin_dir, "gridsweep"), "submit", file.name, "--coordinator", address], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ---- What training would have said ----

class Truth:
    """What each choice does to the accuracy that is reached, and how fast."""

    def __init__(self, rng, cells):
        self.rng = rng
        scale = {"model": 0.012, "activation": 0.006, "optimizer": 0.005, "regularization": 0.008, "scheduler": 0.004}
        self.main, self.pairs = {}, {}
        for axis, size in scale.items():
            for level in dict.fromkeys(cell[axis] for cell in cells):
                self.main[axis, level] = rng.gauss(0, size) + (0.03 if axis == "model" and level.startswith("cnn") else 0)
        for a, b in (("model", "activation"), ("model", "regularization"), ("optimizer", "scheduler")):
            for pair in dict.fromkeys((cell[a], cell[b]) for cell in cells):
                self.pairs[a, b, pair] = rng.gauss(0, 0.004)

    def of(self, cell):
        """Accuracy reached, epochs to get there, how far training runs ahead, and how likely it is to diverge."""
        optimizer, rate = cell["optimizer_name"], cell["lr"]
        off = math.log10(rate / RATES[optimizer][0])
        reached = 0.845 - 0.018 * off * off + sum(self.main[axis, cell[axis]] for axis in GRID)
        reached += sum(self.pairs[a, b, (cell[a], cell[b])] for a, b, pair in self.pairs_of(cell))
        reached += self.rng.gauss(0, 0.002)
        epochs = max(1.5, 4 * 10 ** (-0.5 * off) * (1.4 if "dropout" in cell["regularization"] else 1))
        ahead = 0.12 if cell["regularization"] == "none" else 0.03 if "dropout" in cell["regularization"] else 0.07
        diverges = 0.0 if off < 0.6 else min(0.9, (off - 0.5) * (0.8 if cell["activation"] in ("relu", "leaky_relu") else 0.4))
        return min(reached, 0.92), min(epochs, 60.0), ahead, diverges

    @staticmethod
    def pairs_of(cell):
        for a, b in (("model", "activation"), ("model", "regularization"), ("optimizer", "scheduler")):
            yield a, b, (cell[a], cell[b])


def share(accuracy, images):
    return round(min(max(accuracy, 0.0), 1.0) * images) / images


def rate_at(cell, epoch, epochs):
    rate, name, params = cell["lr"], cell["scheduler_name"], cell["scheduler_params"]
    if name == "step":
        return rate * params["gamma"] ** ((epoch - 1) // params["step_size"])
    if name == "exponential":
        return rate * params["gamma"] ** (epoch - 1)
    if name == "cosine":
        return rate * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2
    if name == "plateau":
        return rate * 0.1 ** (epoch * 3 // (epochs * 2))
    return rate


def learn(rng, cell, truth, seed_effect, epochs, seconds):
    """Rows of table epochs, without attempt and time; and whether it diverged."""
    reached, pace, ahead, diverges = truth
    reached += seed_effect + rng.gauss(0, 0.0025)
    last = rng.randint(1, epochs) if rng.random() < diverges else None
    gauss, chance, rows = rng.gauss, 1 / CLASSES, []
    for epoch in range(1, epochs + 1):
        rate = rate_at(cell, epoch, epochs)
        took = seconds * abs(gauss(1, 0.03))
        speed = (TRAIN_SIZE - VAL_IMAGES) / took * 1.15
        if epoch == last:
            lost = share(chance + gauss(0, 0.001), VAL_IMAGES)
            rows.append((epoch, None, share(chance, TRAIN_SIZE), None, lost, None, share(chance, TEST_SIZE), rate, took, speed,
                         "train_loss=nan val_loss=nan test_loss=nan"))
            return rows, True
        left = math.exp(-epoch / pace)
        val = share(reached - (reached - chance) * left + gauss(0, 0.0018), VAL_IMAGES)
        test = share(reached - 0.004 - (reached - chance) * left + gauss(0, 0.0014), TEST_SIZE)
        top = min(reached + ahead, 0.998)
        train = share(top - (top - chance) * math.exp(-epoch / pace / 1.3) - 0.02 + gauss(0, 0.0006), TRAIN_SIZE - VAL_IMAGES)
        over = ahead * max(0.0, epoch / pace - 3) * 0.05
        val_loss = 3.3 * (1 - val) * (0.85 + gauss(0, 0.004)) + over
        test_loss = 3.3 * (1 - test) * (0.85 + gauss(0, 0.003)) + over
        rows.append((epoch, 3.2 * (1 - train) * 0.85, train, val_loss, val, test_loss, test, rate, took, speed, None))
    return rows, False


class Confusions:
    """Matrices in which each class is taken for a few others, more for some."""

    def __init__(self, rng):
        self.rng = rng
        alike = {a: b for a, b in ("0O", "1I", "1L", "IL", "5S", "2Z", "9q", "9g", "gq", "Ff", "8B", "4A", "UV", "VY", "DO", "hn", "ab", "6b", "tf", "rt")}
        alike |= {b: a for a, b in alike.items()}
        self.taken_for = []
        for i, name in enumerate(CLASS_NAMES):
            others = rng.sample([k for k in range(CLASSES) if k != i], 4)
            if name in alike:
                others[0] = CLASS_NAMES.index(alike[name])
            self.taken_for.append((list(dict.fromkeys(others)), abs(rng.gauss(1, 0.4)) + (1.5 if name in alike else 0)))
        mean = sum(weight for _, weight in self.taken_for) / CLASSES
        self.taken_for = [(others, weight / mean) for others, weight in self.taken_for]

    def of(self, accuracy):
        images = TEST_SIZE // CLASSES
        counts = []
        for i, (others, weight) in enumerate(self.taken_for):
            row = [0] * CLASSES
            wrong = min(images - 10, round(images * (1 - accuracy) * weight * abs(self.rng.gauss(1, 0.1))))
            row[i] = images - wrong
            for k in others[1:]:
                part = int(wrong * 0.4 * self.rng.random())
                row[k] += part
                wrong -= part
            row[others[0]] += wrong
            counts += row
        return "[" + ",".join(map(str, counts)) + "]"


def draw(rng, name):
    """28 × 28 bytes of a letter, written by some hand."""
    dots = [(x - 2, y - 3) for x in range(5) for y in range(7) if int(FONT[name][2 * x:2 * x + 2], 16) >> y & 1]
    size, slant, width = rng.uniform(2.5, 3.1), rng.uniform(-0.35, 0.35), rng.uniform(1.6, 2.3)
    middle_x, middle_y = 13.5 + rng.uniform(-1.5, 1.5), 13.5 + rng.uniform(-1, 1)
    ink = [(middle_x + (x - slant * y) * size, middle_y + y * size) for x, y in dots]
    pixels = bytearray()
    for row in range(28):
        for column in range(28):
            nearest = min(math.hypot(column - x, row - y) for x, y in ink)
            pixels.append(round(255 * min(1.0, max(0.0, width + 0.6 - nearest))))
    return bytes(pixels)


# ---- The rows ----

class Slots:
    """Whose slot is free next, and when."""

    def __init__(self):
        self.free = []
        for worker, (_, _, _, slots, _) in enumerate(WORKERS, 1):
            for slot in range(slots):
                heapq.heappush(self.free, (BEGIN_US + 2_000_000 + 100_000 * slot, worker, slot))

    def take(self):
        return heapq.heappop(self.free)

    def give_back(self, at, worker, slot):
        heapq.heappush(self.free, (at, worker, slot))


def read_cells(db):
    cells = []
    for row in db.execute("SELECT id, model, activation, optimizer, regularization, scheduler, params FROM cells ORDER BY id"):
        cell = dict(zip(("id", *GRID), row[:6]))
        params = json.loads(row[6])
        cell.update(optimizer_name=params["optimizer"]["name"], lr=params["optimizer"]["params"]["lr"],
                    scheduler_name=params["scheduler"]["name"], scheduler_params=params["scheduler"]["params"])
        cells.append(cell)
    return cells


class Filler:
    def __init__(self, db, args):
        self.db = db
        self.epochs = args.epochs
        self.rng = random.Random(args.random)
        self.attempt = 0
        self.slots = Slots()
        self.ends = [[0, 0, 0] for _ in WORKERS]  # results, failures, losses
        self.accepted_epochs = 0
        self.finished_us = BEGIN_US

    def add_attempt(self, job, number, state, rows, error=("", ""), held_seconds=5.0):
        """One execution on the slot that is free first. Returns its id and its end."""
        self.attempt += 1
        rng = self.rng
        start, worker, slot = self.slots.take()
        _, device, model, _, slowness = WORKERS[worker - 1]
        at = start + 1_500_000
        stored = []
        for row in rows:
            took = row[8] * slowness
            at += int(took * 1e6)
            stored.append((self.attempt, *row[:8], took, row[9] / slowness, row[10], at))
        end = at + (400_000 if rows else int(held_seconds * 1e6))
        self.slots.give_back(end + 200_000, worker, slot)
        self.db.execute("INSERT INTO attempts (id, job, sweep, worker, number, token, state, stored_seq, epochs, seconds, device, environment, "
                        "started_us, ended_us, error, stderr_tail) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (self.attempt, job, worker, number, f"{rng.getrandbits(128):032x}", state, len(stored) + 2, len(stored),
                         sum(row[9] for row in stored), device, f"{model}; libtorch 1.13.1", start, end, *error))
        self.db.executemany("INSERT INTO epochs (attempt, epoch, train_loss, train_accuracy, val_loss, val_accuracy, test_loss, test_accuracy, lr, "
                            "seconds, samples_per_second, nonfinite, stored_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", stored)
        self.ends[worker - 1][0 if state in ("succeeded", "diverged") else 1 if state == "failed" else 2] += 1
        self.finished_us = max(self.finished_us, end)
        return self.attempt, end, worker, stored

    def add_job(self, job, cell, truth, seed_effect):
        """Returns what the statistics of the cell take of it, or None."""
        rng = self.rng
        seconds = 5.2 if cell["model"].startswith("cnn") else 2.1
        if rng.random() < 0.004:
            return self.add_failed_job(job)
        rows, diverged = learn(rng, cell, truth, seed_effect, self.epochs, seconds)
        number, losses, failures = 1, 0, 0
        trouble = rng.random()
        if trouble < 0.01:
            self.add_attempt(job, number, "lost", rows[:rng.randint(0, len(rows) - 1)], ("worker was not heard of for 30 s", ""))
            number, losses = 2, 1
        elif trouble < 0.02:
            self.add_attempt(job, number, "failed", rows[:rng.randint(0, len(rows) - 1)], ERRORS[rng.randrange(len(ERRORS))])
            number, failures = 2, 1
        state = "diverged" if diverged else "succeeded"
        error = (f"diverged: the training loss was not finite in epoch {len(rows)}", "") if diverged else ("", "")
        attempt, end, _, stored = self.add_attempt(job, number, state, rows, error)
        self.accepted_epochs += len(rows)
        finite = [row for row in stored if row[5] is not None]
        best = max(finite, key=lambda row: row[5]) if finite else None
        self.db.execute("UPDATE jobs SET state = ?, attempts = ?, losses = ?, failures = ?, alone = ?, accepted_attempt = ?, objective = ?, "
                        "objective_class = 'finite', objective_epoch = ?, finished_us = ? WHERE id = ?",
                        (state, number, losses, failures, int(failures > 0), attempt, best[5], best[1], end, job))
        if diverged:
            return None
        return {"job": job, "attempt": attempt, "cell": cell["id"], "objective": best[5], "test_accuracy": best[7], "test_loss": best[6],
                "train_loss": best[2], "epoch": best[1], "seconds": sum(row[9] for row in stored)}

    def add_failed_job(self, job):
        error = self.rng.choice(ERRORS)
        names = []
        for number in (1, 2, 3):
            _, end, worker, _ = self.add_attempt(job, number, "failed", [], error, held_seconds=3)
            if WORKERS[worker - 1][0] not in names:
                names.append(WORKERS[worker - 1][0])
        verdict = f"poison: it failed 3 times, on {' and '.join(names) if len(names) < 3 else f'{names[0]}, {names[1]} and {names[2]}'}"
        self.db.execute("UPDATE jobs SET state = 'failed', attempts = 3, failures = 3, alone = 1, finished_us = ?, verdict = ? WHERE id = ?",
                        (end, verdict, job))

    def add_evaluations(self, results):
        rng = self.rng
        confusions = Confusions(rng)
        images = sorted(rng.sample(range(TEST_SIZE), SAMPLE))
        actual = [rng.randrange(CLASSES) for _ in images]
        hard = [rng.random() < 0.25 for _ in images]
        best = sorted(results, key=lambda result: (-result["objective"], result["job"]))[:JOBS_WITH_SAMPLE]
        with_sample = {result["attempt"] for result in best}
        for result in results:
            predictions = []
            if result["attempt"] in with_sample:
                for image, label, is_hard in zip(images, actual, hard):
                    wrong = rng.random() < (0.6 if is_hard else 0.03)
                    said = rng.choice(confusions.taken_for[label][0]) if wrong else label
                    predictions.append([image, label, said, rng.uniform(0.3, 0.8) if wrong else 1 - 0.3 * rng.random() ** 2])
            self.db.execute("INSERT INTO evaluations (attempt, classes, confusion, predictions) VALUES (?, ?, ?, ?)",
                            (result["attempt"], CLASSES, confusions.of(result["test_accuracy"]), json.dumps(predictions, separators=(",", ":"))))
        self.db.executemany("INSERT INTO sample_images (digest, image, height, width, pixels) VALUES (?, ?, 28, 28, ?)",
                            [(DIGEST, image, draw(rng, CLASS_NAMES[label])) for image, label in zip(images, actual)])

    def add_statistics(self, results):
        """As the coordinator computes them: sums in the order of seeds."""
        for cell, group in itertools.groupby(results, key=lambda result: result["cell"]):
            group = list(group)
            n = len(group)

            def mean(key):
                total = 0.0
                for result in group:
                    total += result[key]
                return total / n

            middle, sd, ci95 = mean("objective"), None, None
            if n > 1:
                sd = math.sqrt(sum((result["objective"] - middle) ** 2 for result in group) / (n - 1))
                ci95 = student_t975(n - 1) * sd / math.sqrt(n)
            self.db.execute("INSERT INTO cell_statistics (cell, n, mean, sd, ci95, test_accuracy, test_loss, train_loss, best_epoch, seconds) "
                            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            (cell, n, middle, sd, ci95, mean("test_accuracy"), mean("test_loss"), mean("train_loss"), mean("epoch"), mean("seconds")))

    def add_workers(self):
        for worker, (name, device, model, slots, _) in enumerate(WORKERS, 1):
            devices = [{"memory_bytes": 24 << 30, "model": model, "name": device, "slots": slots}]
            self.db.execute("INSERT INTO workers (id, name, session, host, pid, memory_bytes, devices, slots, version, libtorch_version, first_seen_us, "
                            "last_seen_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '0.1.0', '1.13.1', ?, ?)",
                            (worker, name, f"{self.rng.getrandbits(128):032x}", name + ".lab.example", 4700 + worker, 64 << 30,
                             json.dumps(devices, separators=(",", ":")), slots, BEGIN_US + 1_000_000, BEGIN_US + 1_000_000))

    def finish(self):
        db = self.db
        for worker, ends in enumerate(self.ends, 1):
            db.execute("UPDATE workers SET jobs_done = ?, failures = ?, losses = ?, last_seen_us = ?, left_us = ? WHERE id = ?",
                       (*ends, self.finished_us, self.finished_us, worker))
        db.execute("UPDATE sweeps SET state = 'finished', created_us = ?, finished_us = ?, dataset_digest = ?, accepted_epochs = ?, "
                   "client_key = 'synthetic'", (BEGIN_US, self.finished_us, DIGEST, self.accepted_epochs))
        db.execute("UPDATE work_classes SET pending = 0, pending_epochs = 0")
        db.execute("UPDATE sweep_counts SET pending = 0, running = 0, succeeded = j.succeeded, diverged = j.diverged, failed = j.failed FROM "
                   "(SELECT sum(state = 'succeeded') AS succeeded, sum(state = 'diverged') AS diverged, sum(state = 'failed') AS failed FROM jobs) j")

    def fill(self):
        db = self.db
        cells = read_cells(db)
        self.add_workers()
        db.execute("INSERT INTO datasets (digest, name, class_names, train_size, test_size) VALUES (?, 'emnist-balanced', ?, ?, ?)",
                   (DIGEST, json.dumps(CLASS_NAMES, separators=(",", ":")), TRAIN_SIZE, TEST_SIZE))
        truth = Truth(self.rng, cells)
        by_id = {cell["id"]: (cell, truth.of(cell)) for cell in cells}
        seed_effects, results = {}, []
        for job, cell, seed in db.execute("SELECT id, cell, seed FROM jobs ORDER BY cell, seed").fetchall():
            effect = seed_effects.setdefault(seed, self.rng.gauss(0, 0.0015))
            result = self.add_job(job, *by_id[cell], effect)
            if result:
                results.append(result)
        self.add_evaluations(results)
        self.add_statistics(results)
        self.finish()


def student_t975(df):
    """The 97.5 % point of Student's t, from its distribution for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    def within(t):
        angle = math.atan(t / math.sqrt(df))
        term, total = math.cos(angle) if df % 2 else 1.0, 0.0
        for k in range(1 if df % 2 else 0, df - 1, 2):
            total += term
            term *= math.cos(angle) ** 2 * (k + 1) / (k + 2)
        return 2 / math.pi * (angle + math.sin(angle) * total) if df % 2 else math.sin(angle) * total

    low, high = 0.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < 0.95 else (low, middle)
    return low


def fill(args):
    db = sqlite3.connect(args.out, isolation_level=None)
    db.execute("PRAGMA foreign_keys = OFF")  # checked as a whole at the end
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -200000")
    db.execute("BEGIN IMMEDIATE")
    triggers = db.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN {TRIGGERS}").fetchall()
    if len(triggers) != len(TRIGGERS):
        raise SystemExit("the schema has other triggers than this program knows")
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    Filler(db, args).fill()
    for _, sql in triggers:
        db.execute(sql)
    broken = db.execute("PRAGMA foreign_key_check").fetchone()
    if broken:
        raise SystemExit(f"a foreign key leads nowhere: {broken}")
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir", metavar="BIN_DIR")
    parser.add_argument("out", metavar="OUT.db")
    parser.add_argument("--cells", type=int, default=10_000, help="combinations; the next number that the axes can make up")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--random", type=int, default=1, help="another number, other results")
    args = parser.parse_args()
    if os.path.exists(args.out):
        parser.error(f"'{args.out}' exists already")
    submit(args)
    fill(args)
    with coordinator(args):
        pass  # it stores the statistics when it stops
    print(f"{args.out}: {os.path.getsize(args.out) / 1e6:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
