"""A whole study on the CPU and on the emulated accelerator, up to its tables; prints how far they differ as JSON.

Run as a script in a process of its own: the runner is the serial one, in the process that knows the device.
"""

import json
import tempfile
from pathlib import Path

import emulated
import pandas as pd

from gnnmc.commands.tables import OF_THE_MACHINE, export
from gnnmc.config import validate
from gnnmc.run import Quiet, execute
from gnnmc.store import Store
from gnnmc.studies import STUDIES

CONFIG = {
    "study": "homophily_barrier",
    "graphs": [
        {
            "csbm": {
                "num_nodes": 60,
                "num_classes": 3,
                "num_features": 6,
                "homophily": h,
                "train_per_class": 5,
                "seed": s,
            }
        }
        for h, s in ((0.2, 0), (0.2, 1), (0.8, 0))
    ],
    "models": [{"name": "gcn", "hidden": 8, "dropout": 0.0}],
    "train": {"epochs": 10},
    "seeds": [0, 1],
    "paths": [{"kind": "linear"}, {"kind": "bezier", "steps": 5}],
    "profile": {"points": 5},
    "planes": {"points": 3},
}


def tables(device: str, folder: Path) -> dict[str, pd.DataFrame]:
    study = STUDIES["homophily_barrier"]
    plan = study.plan(validate(study.config, CONFIG | {"run": {"device": device, "runner": "serial"}}))
    store = Store(folder)
    outcome = execute(plan.tasks, store, runner="serial", progress=Quiet())
    assert outcome.ok, outcome
    return {name: frame for name, frame in export(plan, store).items() if name not in OF_THE_MACHINE}


def main() -> None:
    device = emulated.register()
    with tempfile.TemporaryDirectory() as folder:
        on_cpu = tables("cpu", Path(folder) / "cpu")
        emulated.COUNTED.clear()
        on_device = tables(device, Path(folder) / "device")
    differences, others = {}, []
    for name, frame in on_cpu.items():
        other = on_device[name]
        assert list(frame) == list(other) and len(frame) == len(other), name
        numbers = frame.select_dtypes("number")
        gaps = (numbers - other[list(numbers)]).abs().max().max() if len(numbers) else 0.0
        differences[name] = 0.0 if pd.isna(gaps) else float(gaps)
        others += [
            f"{name}.{column}" for column in frame if column not in numbers and not frame[column].equals(other[column])
        ]
    print(json.dumps({"differences": differences, "others": others, "counted": dict(emulated.COUNTED)}))


if __name__ == "__main__":
    main()
