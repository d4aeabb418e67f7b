"""How far the engines are apart: every model, norm and rule for BatchNorm, in single and in double precision."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

import gnnmc
from benchmarks.agreement import Disagreement
from gnnmc.connectivity.evaluation import BATCHNORM
from gnnmc.engine import ENGINES, has_batchnorm
from gnnmc.models.families import MODELS
from gnnmc.models.options import NORMS

# Of a loss, relative to max(1, loss).
ALLOWED = {"float32": 1e-5, "float64": 1e-10}
REFERENCE = "loop"


def engines(quick: bool, keep: Callable[[str, dict[str, Any]], None]) -> None:
    """One record per model, norm, rule for BatchNorm and engine; raises Disagreement in the end if any is apart."""
    apart = []
    for name in list(MODELS)[:2] if quick else MODELS:
        for norm in _norms(name):
            for rule, label in _rules(name, norm):
                for engine in (engine for engine in ENGINES if engine != REFERENCE):
                    record: dict[str, Any] = {"model": name, "norm": norm, "batchnorm": label, "engine": engine}
                    for dtype in (torch.float32, torch.float64):
                        word = str(dtype).removeprefix("torch.")
                        record[word], how = _difference(name, norm, rule, engine, dtype)
                        record |= {f"{word} at once": how}
                        if not record[word] <= ALLOWED[word]:
                            apart.append(f"{name} {norm} {label} {engine} {word}: {record[word]:.2g}")
                    keep(" ".join(filter(None, [name, norm, label, engine])), record)
                    print(" · ".join(f"{key} {value}" for key, value in record.items() if value != ""), flush=True)
    if apart:
        raise Disagreement("; ".join(apart))


def _norms(name: str) -> list[str]:
    """Those that a model may have."""
    family = MODELS[name]
    return [each for each in NORMS if each in (family.norms or NORMS)] if "norm" in family.options else [""]


def _rules(name: str, norm: str) -> list[tuple[str, str]]:
    """Rules for BatchNorm and what they are called, where the model has any."""
    if has_batchnorm(_model(name, norm, _problem(name, torch.float32))):
        return [(rule, rule) for rule in BATCHNORM]
    return [("stored", "")]


def _difference(name: str, norm: str, rule: str, engine: str, dtype: torch.dtype) -> tuple[float, bool]:
    """Largest |Δ loss| / max(1, loss) on a line of 9 points, and whether the engine took many points at once."""
    problem = _problem(name, dtype)
    model = _model(name, norm, problem).to(dtype)
    modes = gnnmc.train(model, problem, [0, 1], epochs=5, engine="loop", device="cpu")
    path = gnnmc.LinearPath(*modes)
    with _refusals() as refused:
        found = [
            gnnmc.profile(model, problem, path, points=9, batchnorm=rule, engine=which, device="cpu").values[..., 0]
            for which in (REFERENCE, engine)
        ]
    apart = np.abs(found[1] - found[0]) / np.maximum(1, np.abs(found[0]))
    return float(apart.max()), not refused


def _problem(name: str, dtype: torch.dtype) -> gnnmc.Problem:
    if MODELS[name].needs == "images":
        images = gnnmc.load_images("digits", limit=150)
        return gnnmc.Problem.arrays(images.x.to(dtype), images.y, images.splits)
    if MODELS[name].needs == "text":
        text = gnnmc.load_text("pydoc-topics", context=16, limit=60)
        return gnnmc.Problem.language_modeling(text.windows, text.splits, num_tokens=len(text.vocabulary))
    data = gnnmc.csbm(num_nodes=150, num_classes=3, num_features=12, homophily=0.7, train_per_class=10, seed=0)
    data.x = data.x.to(dtype)
    return gnnmc.Problem.node_classification(data)


def _model(name: str, norm: str, problem: gnnmc.Problem) -> nn.Module:
    return gnnmc.build_model(name, problem, hidden=16, norm=norm or None)


@contextmanager
def _refusals() -> Iterator[list[str]]:
    """What the engine says at debug level when it evaluates point by point."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "one forward for each point" in record.getMessage():
                said.append(record.getMessage())

    logger, listener = logging.getLogger("gnnmc.engine"), Listener()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
        logger.propagate = propagate
