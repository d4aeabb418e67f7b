"""Studies run whole, a graph that cannot be made, and tables of a sweep with a planted relation."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gnnmc.config import CsbmBlock, validate
from gnnmc.run import Quiet, execute
from gnnmc.store import Execution, Request, Store
from gnnmc.studies import STUDIES
from gnnmc.studies.homophily_barrier import HomophilyBarrier, make_page
from gnnmc.studies.homophily_barrier.predict import predict
from gnnmc.studies.homophily_barrier.relate import relate
from gnnmc.studies.homophily_barrier.shape import look_along
from gnnmc.studies.pages import Page
from gnnmc.studies.sources import SOURCES

HOMOPHILY = (0.1, 0.3, 0.5, 0.7, 0.9)


def planted_tables(
    slope: float = -0.5,
    loss: float = 0.2,
    accuracy: float = 1.0,
    replicates: int = 3,
    curve_test: float = 0.0,
    status: str = "ok",
    absent: int = 0,
    labels: list[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Tables of a sweep in which the linear barrier is 0.6 + slope·h plus a little noise."""
    noise = np.random.default_rng(0)
    graphs, endpoints, barriers, profiles = [], [], [], []
    for h in HOMOPHILY:
        for seed in range(replicates):
            name = f"csbm homophily={h}, seed={seed}"
            realized = h + 0.01 * noise.normal()
            graphs.append(
                {"graph": name, "cluster": name, "family": "csbm", "regime": "csbm", "homophily_asked": h}
                | {"homophily_edge": realized, "homophily_adjusted": 1.25 * realized - 0.25}
                | {"label_informativeness": (realized - 0.2) ** 2, "degree_mean": 10.0, "degree_cv": 0.3}
                | {
                    "density": 0.01,
                    "num_nodes": 1000,
                    "separability_fisher": 0.1,
                    "num_classes": 5,
                    "classes_without_training": absent,
                    "loss_unit": "nats per labeled item",
                }
            )
            for mode in (0, 1):
                for split in ("train", "val", "test"):
                    endpoints.append(
                        {
                            "graph": name,
                            "model": "gcn",
                            "seed": mode,
                            "status": status,
                            "endpoint": "last",
                            "epoch": 200,
                            "parameters": 1221,
                        }
                        | {"split": split, "loss": loss, "accuracy": accuracy, "used": True}
                    )
            for path in ("linear", "bezier"):
                for split in ("train", "val", "test"):
                    height = 0.6 + slope * realized + 0.01 * noise.normal() if path == "linear" else 0.0
                    if path == "bezier" and split == "test":
                        height = curve_test
                    barriers.append(
                        {"graph": name, "model": "gcn", "endpoint": "last", "path": path, "a": 0, "b": 1}
                        | {"aligned": "none", "status": "ok", "distance": 5.0, "length": 5.0, "split": split}
                        | {
                            "metric": "loss",
                            "barrier_kind": "chord",
                            "barrier": height,
                            "ends_loss": loss + noise.normal(),
                        }
                        | {"ends_accuracy": accuracy - 0.01 * noise.uniform(), "ends_train_loss": loss}
                    )
                    profiles += [
                        {"graph": name, "model": "gcn", "endpoint": "last", "path": path, "a": 0, "b": 1}
                        | {"aligned": "none", "t": t, "split": split, "loss": loss, "accuracy": 1.0, "refined": False}
                        for t in (0.0, 0.5, 1.0)
                    ]
    tables = {"graphs": graphs, "endpoints": endpoints, "barriers": barriers, "profiles": profiles}
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    if labels is not None:
        frames["graphs"]["made_labels_sha256"] = labels
    return frames | {"fired": pd.DataFrame(columns=["code", "message"])}


@pytest.fixture(scope="session")
def carried_out() -> Callable[..., tuple[dict[str, pd.DataFrame], Page, Any]]:
    """(name of a study, folder, config) → its tables, its page, and the config as it was read."""

    def run(name: str, folder: Path, config: dict[str, Any]) -> tuple[dict[str, pd.DataFrame], Page, Any]:
        study = STUDIES[name]
        checked = validate(study.config, config)
        plan = study.plan(checked)
        store = Store(folder)
        execute(list(plan.tasks), store, runner="serial", progress=Quiet())
        tables: dict[str, pd.DataFrame] = {}
        for cell in plan.tables:
            tables |= {name: table for name, table in store.load(cell).items() if isinstance(table, pd.DataFrame)}
        return tables, study.page(tables, checked), checked

    return run


@pytest.fixture
def without_seed_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CSBM graph of seed 1 cannot be made."""
    make = SOURCES["csbm"].make

    def fails_for_one(block: CsbmBlock) -> Mapping[str, Any]:
        if block.seed == 1:
            raise RuntimeError("this one cannot be made")
        return make(block)

    monkeypatch.setattr(SOURCES["csbm"], "make", fails_for_one)


@pytest.fixture
def planted() -> Callable[..., dict[str, pd.DataFrame]]:
    return planted_tables


@pytest.fixture
def related() -> Callable[[dict[str, pd.DataFrame]], dict[str, Any]]:
    """tables → what the stages that relate them make of them."""

    def results(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
        request = Request({"least_train_accuracy": 0.9}, {"tables": tables})
        made: dict[str, Any] = {}
        for stage in (relate, look_along, predict):
            made |= stage([request], Execution())[0]
        return made

    return results


@pytest.fixture
def page_of(related: Any) -> Callable[..., Page]:
    """tables, what relates them → the page of a run on one model."""
    config = HomophilyBarrier.model_validate({"graphs": [{"csbm": {}}], "models": ["gcn"], "seeds": [0, 1]})

    def made(tables: dict[str, pd.DataFrame], results: dict[str, Any] | None = None) -> Page:
        return make_page(tables | (related(tables) if results is None else results), config)

    return made
