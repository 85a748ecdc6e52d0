"""What the Python tests share: a tiny data set, and a small sweep run with the fake trainer.

The data set is that of tests/support/idx_writer.cc: four classes, one bright quarter each.
"""
import json
import os
import struct
import subprocess
import sys

SKIPPED = 77


class Failure(Exception):
    """What the test has to say against the product."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def _write_split(prefix, count):
    pixels, labels, noise = bytearray(), bytearray(), 12345
    for i in range(count):
        label = i % 4
        labels.append(label)
        for row in range(28):
            for column in range(28):
                noise = (noise * 1664525 + 1013904223) & 0xFFFFFFFF
                quarter = (row >= 14) * 2 + (column >= 14)
                pixels.append((150 if quarter == label else 0) + (noise >> 26))
    with open(prefix + "-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, count, 28, 28) + pixels)
    with open(prefix + "-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">II", 0x801, count) + labels)


def write_tiny_dataset(folder):
    os.makedirs(folder, exist_ok=True)
    _write_split(os.path.join(folder, "tiny-train"), 200)
    _write_split(os.path.join(folder, "tiny-test"), 40)


class SmallRun:
    """A folder with the data set, and the programs to run there."""

    def __init__(self, bin_dir, folder, rules=()):
        self.bin_dir = os.path.abspath(bin_dir)
        self.folder = folder
        os.makedirs(os.path.join(folder, "state"))
        write_tiny_dataset(os.path.join(folder, "data"))
        fake = {"state_dir": os.path.join(folder, "state"), "rules": list(rules)}
        self.environment = dict(os.environ, GRIDSWEEP_FAKE_TRAINER=json.dumps(fake), GRIDSWEEP_COORDINATOR="",
                                NO_COLOR="1", LC_ALL="C.UTF-8", XDG_DATA_HOME=os.path.join(folder, "no-data-home"),
                                XDG_STATE_HOME=os.path.join(folder, "state-home"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def program(self, *arguments, code=0):
        """Standard output of `gridsweep ARGUMENTS`, which must end with `code`."""
        done = subprocess.run([os.path.join(self.bin_dir, "gridsweep"), *arguments], cwd=self.folder, env=self.environment,
                              capture_output=True, timeout=120, check=False)
        check(done.returncode == code,
              f"gridsweep {' '.join(arguments)}: exit code {done.returncode}, not {code}\n"
              + done.stdout.decode(errors="replace")[-2000:] + done.stderr.decode(errors="replace")[-2000:])
        # As written: no translation of line ends.
        return done.stdout.decode("utf-8")

    def run_sweep(self, yaml, code=0):
        """Runs it to the end; the database is gridsweep.db."""
        with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
            file.write(yaml)
        return self.program("run", "sweep.yaml", "--db", "gridsweep.db", "--data-dir", "data", "--devices", "cpu", "--slots", "2",
                            "--trainer", os.path.join(self.bin_dir, "fake-trainer"), code=code)


def main(test):
    """Runs `test()`, which returns what it left out, as texts. Ends the process."""
    try:
        skipped = test()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
    for what in skipped:
        print(f"skipped: {what}")
    sys.exit(0)
