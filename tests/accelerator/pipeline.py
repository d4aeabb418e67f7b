"""The whole pipeline on the CPU and on the emulated accelerator; prints the differences as one line of JSON.

Run as a script in a process of its own: `python pipeline.py MODEL NORM`.
"""

import json
import sys

import emulated
import torch
from torch import nn
from torch_geometric.data import Data

from gnnmc.connectivity import LinearPath, fit_path, profile
from gnnmc.engine import resolve_device
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import forked
from gnnmc.training import train

torch.set_num_threads(1)


def graph() -> Data:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 3
    x = torch.randn(60, 6, generator=generator)
    x[torch.arange(60), y] += 1
    part = torch.randperm(60, generator=generator)
    masks = {f"{name}_mask": torch.zeros(60, dtype=torch.bool) for name in ("train", "val", "test")}
    for number, mask in enumerate(masks.values()):
        mask[part[20 * number : 20 * number + 20]] = True
    return Data(x=x, y=y, edge_index=torch.randint(0, 60, (2, 200), generator=generator), **masks)


def run(name: str, norm: str, dropout: float, device: str) -> dict:
    problem = Problem.node_classification(graph())
    model = build_model(name, problem, hidden=16, norm=norm, dropout=dropout)
    modes = train(model, problem, seeds=[0, 1], epochs=8, device=device)
    curve = fit_path(model, problem, *modes, steps=8, device=device)
    return {
        "modes": [mode.weights for mode in modes],
        "log": [torch.tensor(mode.log.to_numpy()) for mode in modes],
        "control": curve.control_points[1],
        "line": torch.tensor(profile(model, problem, LinearPath(*modes), points=5, device=device).values),
        "curve": torch.tensor(profile(model, problem, curve, points=5, device=device).values),
    }


def difference(a: object, b: object) -> float:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        assert a.device.type == b.device.type == "cpu"
        return float((a.double() - b.double()).abs().max()) if a.numel() else 0.0
    if isinstance(a, dict) and isinstance(b, dict):
        return max(difference(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return max(map(difference, a, b))
    raise TypeError(type(a))


def raises(action) -> str:
    try:
        action()
    except (RuntimeError, InputError) as error:
        return str(error)
    return ""


def main(name: str, norm: str) -> None:
    device = emulated.register()
    held = {"cpu": graph(), device: graph().to(device)}
    module = build_model("mlp", Problem.node_classification(graph()))
    before = torch.random.get_rng_state()
    on_cpu, on_device = (run(name, norm, 0.0, where) for where in ("cpu", device))
    dropped = [run(name, norm, 0.5, device) for _ in range(2)]
    rng_kept = torch.equal(before, torch.random.get_rng_state())
    with forked("probe", device=device):
        first = torch.rand(3, device=device).cpu()
    with forked("probe", device=device):
        again = torch.rand(3, device=device).cpu()
    report = {
        "device": str(resolve_device(device)),
        "differences": {key: difference(on_cpu[key], on_device[key]) for key in on_cpu},
        "repeats with dropout": all(difference(dropped[0][key], dropped[1][key]) == 0 for key in on_cpu),
        "dropout acts": difference(dropped[0]["modes"], on_device["modes"]) > 0,
        "a fork repeats": torch.equal(first, again),
        "global generator kept": rng_kept,
        "mixed sum": raises(lambda: held["cpu"].x + held[device].x),
        "mixed module": raises(lambda: module(held[device].x)),
        "mixed problem": raises(lambda: Problem.node_classification(graph()).outputs(nn.Linear(6, 3).to(device))),
        "model stays": str(next(module.parameters()).device),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
