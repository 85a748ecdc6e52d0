#!/usr/bin/env python3
"""Repeats the jobs of trainer_oracle_dump with PyTorch's own modules, optimizers and schedulers and compares the losses.

Usage: oracle_check.py DUMP_PROGRAM
Exit code 0 if all agree, 1 if not, 77 (skipped) without Python's torch, in Debian the package python3-torch.
"""
import json, pathlib, subprocess, sys, tempfile

from needs_torch import numpy, torch
from torch import nn

TOLERANCE = 1e-4  # relative, of every loss and learning rate
# Adam divides each gradient by its own size, so one that is nothing but rounding still takes a whole step: a large model's
# losses can part by more than that although nothing is wrong. Then PyTorch is asked how far it parts from itself when it
# sums in another order, and this many times as much is allowed.
SELF_FACTOR = 2


class ReplayedDropout(nn.Module):
    """Multiplies by the masks that the trainer drew."""

    def __init__(self, masks):
        super().__init__()
        self.masks = masks

    def forward(self, x):
        return x * self.masks.pop(0)


def activation(component):
    p = component["params"]
    return {
        "relu": lambda: nn.ReLU(),
        "leaky_relu": lambda: nn.LeakyReLU(p["slope"]),
        "elu": lambda: nn.ELU(p["alpha"]),
        "tanh": lambda: nn.Tanh(),
        "gelu": lambda: nn.GELU(),
        "silu": lambda: nn.SiLU(),
    }[component["name"]]()


def widths(model):
    hidden = model["params"]["hidden"]
    return hidden if model["name"] == "mlp" else [hidden]


def build(case, masks):
    job = case["job"]
    model, norm = job["model"], job["model"]["params"]["batch_norm"]
    dropout = [ReplayedDropout(masks)] if masks else []
    layers, width = [], case["size"] ** 2
    if model["name"] == "mlp":
        layers.append(nn.Flatten())
        for units in model["params"]["hidden"]:
            layers += [nn.Linear(width, units)] + [nn.BatchNorm1d(units)] * norm + [activation(job["activation"])] + dropout
            width = units
    else:
        channels, side = 1, case["size"]
        for outputs in model["params"]["channels"]:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1)] + [nn.BatchNorm2d(outputs)] * norm
            layers += [activation(job["activation"]), nn.MaxPool2d(2)]
            channels, side = outputs, side // 2
        width = model["params"]["hidden"]
        layers += [nn.Flatten(), nn.Linear(channels * side * side, width), activation(job["activation"])] + dropout
    return nn.Sequential(*layers, nn.Linear(width, case["classes"]))


def optimizer(component, parameters, l2):
    p = component["params"]
    decay = {"weight_decay": l2}
    return {
        "adam": lambda: torch.optim.Adam(parameters, p["lr"], (p["beta1"], p["beta2"]), p["eps"], **decay),
        "adamw": lambda: torch.optim.AdamW(parameters, p["lr"], (p["beta1"], p["beta2"]), p["eps"], weight_decay=p["weight_decay"]),
        "sgd": lambda: torch.optim.SGD(parameters, p["lr"], p["momentum"], nesterov=p["nesterov"], **decay),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, p["lr"], p["alpha"], p["eps"], momentum=p["momentum"], **decay),
        "adagrad": lambda: torch.optim.Adagrad(parameters, p["lr"], eps=p["eps"], **decay),
    }[component["name"]]()


def scheduler(component, opt, epochs):
    p, s = component["params"], torch.optim.lr_scheduler
    return {
        "none": lambda: s.LambdaLR(opt, lambda _: 1.0),
        "step": lambda: s.StepLR(opt, p["step_size"], p["gamma"]),
        "plateau": lambda: s.ReduceLROnPlateau(opt, factor=p["factor"], patience=p["patience"], threshold=p["threshold"], min_lr=p["min_lr"]),
        "exponential": lambda: s.ExponentialLR(opt, p["gamma"]),
        "cosine": lambda: s.CosineAnnealingLR(opt, epochs, p["min_lr"]),
    }[component["name"]]()


def replay(case, floats, layout=torch.contiguous_format):
    """The learning rate of each epoch and the loss of each step. Layouts change the order of sums, so rounding alone."""
    def take(*shape):
        nonlocal floats
        n = int(numpy.prod(shape))
        tensor, floats = torch.from_numpy(floats[:n].copy()).view(shape), floats[n:]
        return tensor

    job, steps, batch = case["job"], case["steps"], case["batch"]
    strength = {c["name"]: next(iter(c["params"].values())) for c in job["regularization"]}
    weights = [take(*shape) for shape in case["shapes"]]
    images = take(steps, batch, 1, case["size"], case["size"])
    labels = torch.tensor(case["labels"])
    masks = []
    if "dropout" in strength:
        masks = [take(batch, width) for _ in range(case["epochs"] * steps) for width in widths(job["model"])]
    assert len(floats) == 0, f"{len(floats)} numbers left over"

    net = build(case, masks)
    parameters = list(net.parameters())
    assert [list(p.shape) for p in parameters] == case["shapes"], "the models have different parameters"
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights):
            parameter.copy_(weight)
    net = net.to(memory_format=layout)
    l1, l2 = strength.get("l1", 0), strength.get("l2", 0)
    opt = optimizer(job["optimizer"], parameters, l2)
    schedule = scheduler(job["scheduler"], opt, case["epochs"])
    rates, losses = [], []
    for epoch in range(case["epochs"]):
        rates.append(opt.param_groups[0]["lr"])
        for step in range(steps):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(images[step].contiguous(memory_format=layout)), labels[step])
            losses.append(loss.item())
            if l1:
                loss = loss + l1 * sum(p.abs().sum() for p in parameters if p.dim() >= 2)
            loss.backward()
            if job["optimizer"]["name"] == "adamw" and l2:  # its own decay is the decoupled one
                for p in parameters:
                    p.grad += l2 * p.detach()
            opt.step()
        if job["scheduler"]["name"] == "plateau":
            schedule.step(case["test_losses"][epoch])
        else:
            schedule.step()
    return rates, losses


def largest_error(expected, actual):
    return max(abs(e - a) / max(abs(e), 1e-12) for e, a in zip(expected, actual))


def main():
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    worst, bad, count, excused = 0.0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        for number, line in enumerate((pathlib.Path(folder) / "cases.jsonl").read_text().splitlines()):
            case = json.loads(line)
            floats = numpy.fromfile(f"{folder}/{number}.bin", dtype=numpy.float32)
            rates, losses = replay(case, floats)
            assert len(losses) == len(case["losses"]) == case["epochs"] * case["steps"]
            error = max(largest_error(losses, case["losses"]), largest_error(rates, case["lrs"]))
            count += 1
            if error <= TOLERANCE:
                worst = max(worst, error)
                continue
            own = largest_error(losses, replay(case, floats, torch.channels_last)[1])
            if error <= SELF_FACTOR * own:
                excused += 1
                print(f"{case['name']}: differs by {error:.2g}, PyTorch from itself in another layout by {own:.2g}")
                continue
            bad += 1
            print(f"DIFFERS by {error:.2g} (PyTorch from itself by {own:.2g}): {case['name']}\n  rates  {rates}\n"
                  f"  ours   {case['lrs']}\n  losses {losses}\n  ours   {case['losses']}")
    print(f"{count} jobs of 20 steps, {bad} differ; {count - bad - excused} agree within {TOLERANCE:g}, at worst {worst:.2g};"
          f" {excused} as well as PyTorch agrees with itself")
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main())
