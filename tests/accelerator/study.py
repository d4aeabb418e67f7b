"""A whole study on the CPU and on the emulated accelerator, up to its tables; prints how far they differ as JSON.

Run as a script in a process of its own, `python study.py STUDY`: the runner is the serial one, in the process that
knows the device.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import emulated
import pandas as pd

from gnnmc.commands.tables import OF_THE_MACHINE, export
from gnnmc.config import validate
from gnnmc.run import Quiet, execute
from gnnmc.store import Store
from gnnmc.studies import STUDIES


def csbm(**fields: Any) -> dict[str, Any]:
    return {"num_nodes": 60, "num_classes": 3, "num_features": 6, "train_per_class": 5, **fields}


GRAPHS = [{"csbm": csbm(homophily=h, seed=s)} for h, s in ((0.2, 0), (0.2, 1), (0.8, 0))]
BOTH = {
    "seeds": [0, 1],
    "train": {"epochs": 10},
    "paths": [{"kind": "linear"}, {"kind": "bezier", "steps": 5}],
    "profile": {"points": 5},
}
MODELS = [{"name": "gcn", "hidden": 8, "dropout": 0.0}]
CONFIGS: dict[str, dict[str, Any]] = {
    "homophily_barrier": BOTH | {"graphs": GRAPHS, "models": MODELS, "planes": {"points": 3}},
    "generalization": BOTH | {"graphs": GRAPHS[:2], "models": MODELS},
    "transfer": BOTH
    | {
        "groups": [{"name": "g", "base": csbm(homophily=0.8), "shifts": {"homophily": [0.3]}}],
        "models": MODELS,
        "methods": ["coral", {"name": "mmd", "most": 20}, "dann", "udagcn", "specreg"],
        "alignments": ["weights"],
        "most": 20,
    },
}


def tables(name: str, device: str, folder: Path) -> dict[str, pd.DataFrame]:
    study = STUDIES[name]
    plan = study.plan(validate(study.config, CONFIGS[name] | {"run": {"device": device, "runner": "serial"}}))
    store = Store(folder)
    outcome = execute(plan.tasks, store, runner="serial", progress=Quiet())
    assert outcome.ok, [(failure.cell.stage, failure.reason) for failure in outcome.failed]
    return {table: frame for table, frame in export(plan, store).items() if table not in OF_THE_MACHINE}


def main() -> None:
    study = sys.argv[1]
    device = emulated.register()
    with tempfile.TemporaryDirectory() as folder:
        on_cpu = tables(study, "cpu", Path(folder) / "cpu")
        emulated.COUNTED.clear()
        on_device = tables(study, device, Path(folder) / "device")
    differences, others = {}, []
    for name, frame in on_cpu.items():
        other = on_device[name]
        assert list(frame) == list(other) and len(frame) == len(other), name
        numbers = frame.select_dtypes("number")
        assert numbers.isna().equals(other[list(numbers)].isna()), name
        gaps = (numbers - other[list(numbers)]).abs().max().max() if len(numbers) else 0.0
        differences[name] = 0.0 if pd.isna(gaps) else float(gaps)
        others += [
            f"{name}.{column}" for column in frame if column not in numbers and not frame[column].equals(other[column])
        ]
    print(json.dumps({"differences": differences, "others": others, "counted": dict(emulated.COUNTED)}))


if __name__ == "__main__":
    main()
