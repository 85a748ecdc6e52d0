#!/usr/bin/env python3
"""Trains small jobs, loads their model files with PyTorch and compares what it predicts with what the trainer reported.

Usage: model_file_check.py TRAINER_PROGRAM
Exit code 0 if all agree, 1 if not, 77 (skipped) without Python's torch, in Debian the package python3-torch.
"""
import hashlib, json, pathlib, struct, subprocess, sys, tempfile

from needs_torch import numpy, torch
from torch import nn

CLASSES, ROWS, COLUMNS, TEST = 4, 9, 7, 200
TYPES = {"F32": numpy.float32, "I64": numpy.int64}


def load(path):
    """All there is to the format: names to tensors, and the metadata."""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    body = data[8 + length :]
    return {
        name: torch.from_numpy(numpy.frombuffer(body[slice(*t["data_offsets"])], TYPES[t["dtype"]]).copy()).view(t["shape"])
        for name, t in header.items()
    }, metadata


class Net(nn.Module):
    def __init__(self, job, shape, classes):
        super().__init__()
        p = job["model"]["params"]
        self.act = {"relu": torch.relu, "gelu": nn.functional.gelu}[job["activation"]["name"]]
        self.channels, self.norm = p.get("channels", []), p["batch_norm"]
        hidden = [p["hidden"]] if self.channels else p["hidden"]
        width, rows, columns = shape[0], shape[1], shape[2]
        for i, outputs in enumerate(self.channels, 1):
            self.add_module(f"conv{i}", nn.Conv2d(width, outputs, 3, padding=1))
            if self.norm:
                self.add_module(f"bn{i}", nn.BatchNorm2d(outputs))
            width, rows, columns = outputs, rows // 2, columns // 2
        width *= rows * columns
        for i, outputs in enumerate(hidden, 1):
            self.add_module(f"fc{i}", nn.Linear(width, outputs))
            if self.norm and not self.channels:
                self.add_module(f"bn{i}", nn.BatchNorm1d(outputs))
            width = outputs
        self.hidden = len(hidden)
        self.add_module(f"fc{self.hidden + 1}", nn.Linear(width, classes))

    def forward(self, x):
        layer = lambda name, i: getattr(self, f"{name}{i}", nn.Identity())
        for i in range(1, len(self.channels) + 1):
            x = nn.functional.max_pool2d(self.act(layer("bn", i)(layer("conv", i)(x))), 2)
        x = x.flatten(1)
        for i in range(1, self.hidden + 1):
            x = layer("fc", i)(x)
            x = self.act(x if self.channels else layer("bn", i)(x))
        return layer("fc", self.hidden + 1)(x)


def make_data(folder):
    """Classes that overlap, so that accuracies are not all 1. Returns the test images and labels."""
    random = numpy.random.default_rng(1)
    centers = random.integers(60, 180, (CLASSES, ROWS, COLUMNS))
    for part, n in (("train", 300), ("test", TEST)):
        labels = numpy.arange(n) % CLASSES
        images = numpy.clip(centers[labels] + random.normal(0, 90, (n, ROWS, COLUMNS)), 0, 255).astype(numpy.uint8)
        (folder / f"odd-{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, n, ROWS, COLUMNS) + images.tobytes())
        (folder / f"odd-{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2i", 0x801, n) + labels.astype(numpy.uint8).tobytes())
    return images, labels


def part(name, **params):
    return {"name": name, "params": params}


def jobs():
    for model in (part("mlp", hidden=[16, 8]), part("mlp", hidden=[12], batch_norm=False), part("cnn", channels=[4, 6], hidden=16),
                  part("cnn", channels=[5], hidden=8, batch_norm=False)):
        for activation in ("relu", "gelu"):
            for objective in ("max", "min"):  # min: an epoch that is not the last
                yield {"model": model, "activation": part(activation), "optimizer": part("adam", lr=0.01),
                       "regularization": [part("dropout", p=0.2)], "scheduler": part("none"), "dataset": "odd", "seed": 3,
                       "objective": {"epoch": "best", "goal": objective, "metric": "test_accuracy"},
                       "training": {"batch_size": 16, "epochs": 4, "samples": 0, "validation": 0.1}}


def check(job, trainer, kernels, folder, images, labels):
    (folder / "job.json").write_text(json.dumps(job))
    run = subprocess.run([trainer, "--job", folder / "job.json", "--data-dir", folder, "--checkpoints", folder / "models",
                          "--kernels", kernels], check=True, capture_output=True, text=True)
    events = [json.loads(line) for line in run.stdout.splitlines()]
    of_type = lambda kind: [e for e in events if e["type"] == kind]
    model, finished = of_type("model")[0], of_type("finished")[0]
    reported = next(e for e in of_type("epoch") if e["epoch"] == model["epoch"])

    path = folder / "models" / (model["artifact"] + ".safetensors")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model["artifact"]
    assert path.stat().st_size == model["bytes"]
    tensors, metadata = load(path)
    described = json.loads(metadata["job"])
    assert described["model"]["name"] == job["model"]["name"] and described["seed"] == job["seed"]
    scaling = json.loads(metadata["input"])
    assert scaling["shape"] == [1, ROWS, COLUMNS] and scaling["divided_by"] == 255
    assert len(json.loads(metadata["class_names"])) == CLASSES
    assert int(metadata["epoch"]) == model["epoch"]
    assert json.loads(metadata["metrics"])["test_accuracy"] == reported["test_accuracy"]
    assert json.loads(metadata["dataset"])["digest"] == described["dataset_digest"] != ""

    net = Net(described, scaling["shape"], CLASSES)
    net.load_state_dict(tensors)  # strict: every name and shape is that of PyTorch
    net.eval()
    with torch.no_grad():
        probabilities = net(torch.from_numpy(images).float().unsqueeze(1) / scaling["divided_by"]).softmax(1).numpy()
    predicted = probabilities.argmax(1)
    accuracy = float((predicted == labels).mean())
    confusion = numpy.bincount(labels * CLASSES + predicted, minlength=CLASSES**2).tolist()
    loss = float(-numpy.log(probabilities[numpy.arange(TEST), labels]).mean())
    confidence = max(abs(probabilities[i][p] - c) for i, _, p, c in finished["evaluation"]["predictions"])
    good = (accuracy == reported["test_accuracy"] and confusion == finished["evaluation"]["confusion"]
            and abs(loss - reported["test_loss"]) < 1e-4 and confidence < 1e-4)
    name = f"{kernels} {json.dumps(job['model'])} {job['activation']['name']} epoch {model['epoch']}"
    print(f"{'agrees ' if good else 'DIFFERS'} {name}: accuracy {accuracy:.3f}, reported {reported['test_accuracy']:.3f},"
          f" confidences within {confidence:.1g}")
    return good


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        images, labels = make_data(folder)
        results = [check(job, sys.argv[1], kernels, folder, images, labels) for job in jobs() for kernels in ("tuned", "plain")]
    print(f"{len(results)} models, {results.count(False)} differ")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
