"""What runs inside a worker process. Nothing heavy is imported before the number of threads is set."""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from gnnmc.collector import held_back, importing
from gnnmc.run.work import InputCache, Report, Work, perform
from gnnmc.store.directory import Store

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_SECONDS_BETWEEN_LOOKS = 1.0
_ORPHANED = 3  # exit code; nobody is left to read it

_here: tuple[Store, InputCache]


def begin(folder: Path, lifeline: Connection, parent: int, modules: Sequence[str]) -> None:
    """Prepare the process: one thread, deaf to Ctrl-C (the parent decides), gone when the parent is, warm imports."""
    global _here
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(lifeline, parent), daemon=True, name="lifeline").start()
    with importing():
        import torch

        import gnnmc.store.values  # noqa: F401  (warm: pandas, pyarrow and safetensors)

    torch.set_num_threads(1)
    _here = (Store(folder), InputCache())
    for module in modules:
        _import(module)


def ready() -> int:
    """The id of this process; answered once it is prepared."""
    return os.getpid()


def do(work: Work) -> Report:
    """Do one task."""
    _import(work.function.partition(":")[0])
    return perform(work, *_here)


def _import(module: str) -> None:
    if module not in sys.modules:
        # What is wrong with it, if anything, a task will meet again, and report.
        with suppress(Exception, SystemExit), held_back():
            importlib.import_module(module)


def _end_with_parent(lifeline: Connection, parent: int) -> None:
    # The parent never writes: the pipe becomes readable when its other end is closed, by the parent or by its death.
    # A process that the parent forked may hold that end open, so the parent's id is looked at too.
    while not lifeline.poll(_SECONDS_BETWEEN_LOOKS) and os.getppid() == parent:
        pass
    os._exit(_ORPHANED)
