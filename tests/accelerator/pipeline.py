"""The whole pipeline on the CPU and on the emulated accelerator; prints what differs, a line of JSON for each case.

Run as a script in a process of its own: `python pipeline.py MODEL…`. A case is a model with a norm, on one graph; on
images or text where the model needs them; `graphs` is a network for whole graphs.
"""

import json
import logging
import sys

import emulated
import torch
from torch import nn
from torch_geometric.data import Data

from gnnmc.connectivity import LinearPath, Path, fit_many, fit_path, plane, profile
from gnnmc.engine import ENGINES, has_batchnorm, resolve_device
from gnnmc.errors import InputError
from gnnmc.models import MODELS, build_model
from gnnmc.problem import Problem
from gnnmc.seeding import forked
from gnnmc.training import train, train_many

torch.set_num_threads(1)
GRAPHS = "graphs"


def graph(sparse: bool = False, seed: int = 0) -> Data:
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(60) % 3
    x = torch.randn(60, 6, generator=generator)
    x[torch.arange(60), y] += 1
    part = torch.randperm(60, generator=generator)
    masks = {f"{name}_mask": torch.zeros(60, dtype=torch.bool) for name in ("train", "val", "test")}
    for number, mask in enumerate(masks.values()):
        mask[part[20 * number : 20 * number + 20]] = True
    edges = torch.randint(0, 60, (2, 200), generator=generator)
    return Data(x=x.relu().to_sparse_csr() if sparse else x, y=y, edge_index=edges, **masks)


def problem_for(name: str) -> Problem:
    if name == GRAPHS:
        whole = graph()
        pieces = [whole.subgraph(torch.arange(5 * part, 5 * part + 5)) for part in range(12)]
        splits = {split: torch.arange(start, 12, 3) for start, split in enumerate(("train", "val", "test"))}
        return Problem.graph_classification(
            pieces, y=torch.arange(12) // 3 % 2, splits=splits, metrics=["accuracy", "roc_auc"]
        )
    if MODELS[name].needs == "images":
        x = torch.randn(12, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        splits = {"train": torch.arange(6), "val": torch.arange(6, 9), "test": torch.arange(9, 12)}
        return Problem.arrays(x, torch.arange(12) % 3, splits)
    if MODELS[name].needs == "text":
        windows = torch.randint(0, 5, (12, 9), generator=torch.Generator().manual_seed(0))
        splits = {"train": torch.arange(6), "val": torch.arange(6, 9), "test": torch.arange(9, 12)}
        return Problem.language_modeling(windows, splits, metrics=["accuracy", "perplexity"])
    return Problem.node_classification(graph())


def built(name: str, problem: Problem, **options: object) -> nn.Module | None:
    """None for a model that there is not with these options."""
    try:
        return build_model("gin" if name == GRAPHS else name, problem, hidden=8, **options)
    except InputError:
        return None


def run(model: nn.Module, problem: Problem, device: str) -> dict:
    modes = train(model, problem, seeds=[0, 1], epochs=8, device=device)
    curve = fit_path(model, problem, *modes, steps=8, device=device)
    found = {
        "modes": [mode.weights for mode in modes],
        "log": [torch.tensor(mode.log.to_numpy()) for mode in modes],
        "control": curve.control_points[1],
        "plane": torch.tensor(plane(model, problem, *modes, curve, points=3, device=device).values),
    }
    for engine in ENGINES:
        for name, path in (("line", LinearPath(*modes)), ("curve", curve)):
            values = profile(model, problem, path, points=5, engine=engine, device=device).values
            found[f"{name}, {engine}"] = torch.tensor(values)
    return found


def run_many(models: list[nn.Module], problems: list[Problem], device: str) -> dict:
    """Modes and curves of several problems, and whether they were done together."""
    refusals = logging.Handler()
    refusals.emit = lambda record: told.append(record.getMessage())
    log, told = logging.getLogger("gnnmc"), []
    log.addHandler(refusals)
    log.setLevel(logging.DEBUG)
    trained = train_many([(m, p, [0, 1]) for m, p in zip(models, problems, strict=True)], epochs=8, device=device)
    pairs = [[tuple(modes)] for modes in trained]
    fitted = fit_many(list(zip(models, problems, pairs, strict=True)), steps=8, device=device)
    log.removeHandler(refusals)
    return {
        "modes": [mode.weights for modes in trained for mode in modes],
        "control": [paths[0].control_points[1] for paths in fitted],
        "apart": [message for message in told if message.startswith("one problem after another")],
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


def copies(model: nn.Module, problem: Problem, path: Path, points: int, engine: str, device: str) -> dict[str, int]:
    """How often a profile moves something, waits for it, or multiplies."""
    emulated.COUNTED.clear()
    profile(model, problem, path, points=points, engine=engine, device=device)
    return dict(emulated.COUNTED)


def compared(name: str, norm: str, device: str) -> dict | None:
    problem = problem_for(name)
    model = built(name, problem, norm=norm, dropout=0.0)
    if model is None:
        return None
    emulated.COUNTED.clear()
    on_device = run(model, problem, device)
    operations = sorted(operation for operation in emulated.COUNTED if operation.startswith("gnnmc::"))
    on_cpu = run(model, problem, "cpu")
    dropping = built(name, problem, norm=norm, dropout=0.5)
    dropped = [train(dropping, problem, seeds=[0], epochs=2, device=device)[0].weights for _ in range(2)]
    undropped = train(model, problem, seeds=[0], epochs=2, device=device)[0].weights
    path = LinearPath(*on_cpu["modes"])
    return {
        "case": f"{name} {norm}",
        "differences": {key: difference(on_cpu[key], on_device[key]) for key in on_cpu},
        "operations": operations,
        "repeats with dropout": difference(*dropped) == 0,
        "dropout acts": difference(dropped[0], undropped) > 0,
        "copies": {e: [copies(model, problem, path, points, e, device) for points in (3, 9)] for e in ENGINES},
        "batchnorm": has_batchnorm(model),
        "weights": sum(len(point) for point in path.control_points),
        "items": sum(isinstance(value, torch.Tensor) for value in tensors(problem)),
    }


def tensors(problem: Problem) -> list[object]:
    held = vars(problem.items)
    inside = [value for batch in held.get("given", ()) for value in batch.to_dict().values()]
    nested = [value for one in held.values() if isinstance(one, dict) for value in one.values()]
    return [problem.targets, *problem.splits.values(), *held.values(), *inside, *nested]


def raises(action) -> str:
    try:
        action()
    except (RuntimeError, InputError) as error:
        return str(error)
    return ""


def around(device: str) -> dict:
    """What holds whatever the model."""
    held = {"cpu": graph(), device: graph().to(device)}
    module = build_model("mlp", Problem.node_classification(graph()))
    before = torch.random.get_rng_state()
    draws = []
    for _ in range(2):
        with forked("probe", device=device):
            draws.append(torch.rand(3, device=device).cpu())
    sparse = Problem.node_classification(graph(sparse=True))
    dense = Problem.node_classification(graph())
    dense.items.given[0].x.relu_()
    gcn = built("gcn", dense, dropout=0.0)
    return {
        "device": str(resolve_device(device)),
        "a fork repeats": torch.equal(*draws),
        "global generator kept": torch.equal(before, torch.random.get_rng_state()),
        "mixed sum": raises(lambda: held["cpu"].x + held[device].x),
        "mixed module": raises(lambda: module(held[device].x)),
        "mixed problem": raises(lambda: Problem.node_classification(graph()).outputs(nn.Linear(6, 3).to(device))),
        "model stays": str(next(module.parameters()).device),
        "sparse features": difference(run(gcn, sparse, device), run(gcn, dense, "cpu")),
        "mostly empty features": mostly_empty(gcn, device),
        "several problems": {name: several(name, device) for name in ("gcn", "sage", "gat", "gatv2", "mlp")},
    }


def mostly_empty(model: nn.Module, device: str) -> float:
    """Dense features of which few are not zero are multiplied as sparse ones."""
    data = graph()
    data.x = data.x * (data.x > 1.8)
    problem = Problem.node_classification(data)
    return difference(run(model, problem, device), run(model, problem, "cpu"))


def several(name: str, device: str) -> dict:
    problems = [Problem.node_classification(graph(seed=seed)) for seed in range(3)]
    models = [build_model(name, problem, hidden=8, dropout=0.0) for problem in problems]
    on_cpu, on_device = (run_many(models, problems, where) for where in ("cpu", device))
    gaps = {key: difference(on_cpu[key], on_device[key]) for key in ("modes", "control")}
    return {"differences": gaps, "apart": on_device["apart"]}


def main(names: list[str]) -> None:
    device = emulated.register(double="--no-double" not in names)
    names = [name for name in names if name != "--no-double"]
    print(json.dumps(around(device)))
    for name in names:
        for norm in ("none", "layer", "batch"):
            found = compared(name, norm, device)
            if found is not None:
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
