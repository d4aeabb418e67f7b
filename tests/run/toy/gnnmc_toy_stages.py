"""Stage functions for tests of running: importable by name in worker processes, and quick unless told otherwise.

Heavy imports are inside, so that a run that is started to be killed starts fast.
"""

import os
import signal
import sys
import time
from pathlib import Path

from gnnmc.seeding import torch_generator


def numbers(requests, execution):
    """A graph, so to say: random numbers of a named stream."""
    import torch

    time.sleep(sum(request.config.get("seconds", 0.0) for request in requests))
    return [
        {"features": {"x": torch.randn(r.config["n"], 8, generator=torch_generator("numbers", r.config["seed"]))}}
        for r in requests
    ]


def products(requests, execution):
    """Modes: large products, whose bits depend on the number of threads, and which change their input on purpose."""
    import torch

    results = []
    for request in requests:
        time.sleep(request.config.get("seconds", 0.0))
        x = request.inputs["graph"]["features"]["x"]
        w = torch.randn(8, 300, generator=torch_generator("products", request.config["seed"]))
        product = x @ w
        x += 1.0
        results.append({"weights": {"w": w, "sum": product.sum(), "gram": product @ product.T}})
    return results


def table(requests, execution):
    """A final table of everything."""
    import pandas as pd

    results = []
    for request in requests:
        time.sleep(request.config.get("seconds", 0.0))
        rows = [
            {"mode": i, "sum": float(m["weights"]["sum"]), "split": "train"}
            for i, m in enumerate(request.inputs["modes"])
        ]
        results.append({"rows": pd.DataFrame(rows), "notes": {"count": len(rows), "nothing": float("nan")}})
    return results


def fails(requests, execution):
    """Raises, with a message of two lines, for the seeds in `bad`."""
    for request in requests:
        if request.config["seed"] in request.config.get("bad", [request.config["seed"]]):
            raise ValueError("the matrix is singular\nand a second line")
    return [{"seed": request.config["seed"]} for request in requests]


def fails_until(requests, execution):
    """Raises until the file `path` exists."""
    if not Path(requests[0].config["path"]).exists():
        raise RuntimeError("not yet")
    return [{"seed": 0} for _ in requests]


def dies(requests, execution):
    """Kills its own process as the out-of-memory killer does; `times` counts through files in the folder `path`."""
    folder = Path(requests[0].config["path"])
    times = len(list(folder.iterdir()))
    if times < requests[0].config["times"]:
        (folder / str(times)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [{"survived": times} for _ in requests]


def sleeps(requests, execution):
    """Takes `seconds`; says in the folder `path` that it has begun, and in which process."""
    if "path" in requests[0].config:
        (Path(requests[0].config["path"]) / f"{os.getpid()}").touch()
    time.sleep(requests[0].config["seconds"])
    return [{"slept": request.config["seconds"]} for request in requests]


def surroundings(requests, execution):
    """What a worker finds around itself."""
    import torch

    around = {
        "threads": torch.get_num_threads(),
        "omp": os.environ.get("OMP_NUM_THREADS"),
        "ignores_interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "main": getattr(sys.modules["__main__"], "MARK", None),
        "process": os.getpid(),
    }
    return [around for _ in requests]


def unstorable(requests, execution):
    """Its second value cannot be stored."""
    return [{"fine": 1, "odd": object()} for _ in requests]


def too_few(requests, execution):
    """One result less than asked."""
    return [{"a": 1}] * (len(requests) - 1)


def quits(requests, execution):
    """Calls sys.exit, as a library that takes itself for a program does."""
    sys.exit("enough")


def bulk(requests, execution):
    """Many bytes."""
    import torch

    return [{"t": {"w": torch.zeros(r.config["megabytes"] * 2**18)}} for r in requests]


def small(requests, execution):
    """About five milliseconds of work."""
    import numpy as np
    import pandas as pd

    end = time.perf_counter() + 0.005
    while time.perf_counter() < end:
        pass
    frame = pd.DataFrame({"t": np.linspace(0, 1, 25), "loss": np.ones(25), "split": ["train"] * 25})
    return [{"rows": frame, "seed": r.config["seed"]} for r in requests]


not_at_top = [lambda requests, execution: []]


def on_device(requests, execution):
    """Computes on the device, as the stages of studies do."""
    import torch

    from gnnmc.engine import resolve_device

    return [{"x": {"sum": torch.ones(3, device=resolve_device(execution.device)).sum().cpu()}} for _ in requests]


def how(requests, execution):
    """Says what it was told of how to compute."""
    return [{"given": execution.settings()} for _ in requests]


def settings(requests, execution):
    """Says whether torch uses its deterministic kernels alone."""
    import torch

    return [{"deterministic": torch.are_deterministic_algorithms_enabled()} for _ in requests]


def gobbles(requests, execution):
    """Wants 400 MB of an address space that has 100 left (RLIMIT_AS), until the file `unlimited` exists.

    The limit stays while the error is reported, as one that a cluster sets does.
    """
    import resource

    import numpy as np
    import torch

    config, hoard = requests[0].config, []
    if not Path(config["unlimited"]).exists():
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 100 * 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]))
        if config["wants"] == "array":
            hoard.append(np.ones(400 * 2**17))
        elif config["wants"] == "tensor":
            hoard.append(torch.ones(400 * 2**18))
        else:
            while True:
                hoard.append(object())
    return [{"had": len(hoard)} for _ in requests]


def picky(requests, execution):
    """Raises for the first seed that is in `bad`, and names it."""
    for request in requests:
        if request.config["seed"] in request.config["bad"]:
            raise ValueError(f"seed {request.config['seed']} is bad")
    return [{"seed": request.config["seed"]} for request in requests]
