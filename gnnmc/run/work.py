"""One task as it is sent to another process, done there, and reported back."""

import importlib
import re
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from gnnmc.determinism import deterministic
from gnnmc.errors import GnnmcError, InputError, StoreError
from gnnmc.peak_memory import forget_peak, process_peak
from gnnmc.store.address import Address, Description
from gnnmc.store.cell import Request, Result
from gnnmc.store.directory import Members, Store
from gnnmc.store.execution import Execution

_LONGEST_REASON = 300
# How torch says it, on the CPU (Linux, Windows) and on accelerators.
_ALLOCATION_FAILED = re.compile("can't allocate memory|not enough memory|out of memory")
MORE_MEMORY = "free memory, or ask for fewer workers"


@dataclass(frozen=True)
class Work:
    """A task without function objects and without ancestors of its cells: small, and nothing in it can fail to load."""

    number: int
    function: str
    execution: Execution
    cells: tuple[Description, ...]
    deterministic: bool = False
    parts: tuple[tuple[Description, ...], ...] = ()

    def apart(self, first: int) -> list["Work"]:
        """A task for each of its parts, numbered from `first` on."""
        return [replace(self, number=number, cells=part, parts=()) for number, part in enumerate(self.parts, first)]

    @property
    def stage(self) -> str:
        """The stage that all its cells belong to."""
        return self.cells[0].stage

    def call(self) -> tuple[object, ...]:
        """What is called with what: equal for two tasks that would compute the same."""
        return self.function, self.execution, tuple(cell.key for cell in self.cells)

    @property
    def title(self) -> str:
        """The task for a person: stage, label of the first cell, how many more."""
        more = f" and {len(self.cells) - 1} more" if len(self.cells) > 1 else ""
        return f"{self.stage} {self.cells[0].label or self.cells[0].key}{more}"

    def __str__(self) -> str:
        more = f" and {len(self.cells) - 1} more" if len(self.cells) > 1 else ""
        label = f" ({self.cells[0].label})" if self.cells[0].label else ""
        return f"{self.cells[0]}{label}{more}"


@dataclass(frozen=True)
class Report:
    """How a task ended: `reason` is None when its results are stored, else one line on why they are not.

    `seconds` is wall time with reading and writing; `peak_bytes` the memory that its process had at most meanwhile;
    `folder_trouble` says that the store could not be written, which no other task would survive either.
    """

    number: int
    seconds: float
    reason: str | None = None
    details: str = ""
    folder_trouble: bool = False
    peak_bytes: int | None = None


class InputCache:
    """The checked bytes of recently read inputs, so that one graph is not read from disk for each task.

    Bytes and not objects: every task gets objects of its own, so one that changes its inputs cannot spoil the next.
    """

    def __init__(self, limit: int = 256 * 2**20) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[str, Members] = OrderedDict()

    def members(self, store: Store, address: Address) -> Members:
        """The members of a result, from memory or from the store."""
        members = self._entries.pop(address.key, None)
        if members is None:
            members = store.load_members(address)
            self._size += _bytes(members)
        self._entries[address.key] = members
        while self._size > self._limit and self._entries:
            self._size -= _bytes(self._entries.popitem(last=False)[1])
        return members


def perform(work: Work, store: Store, cache: InputCache) -> Report:
    """Load the inputs, call the stage function, store the results. Whatever the function raises is reported."""
    started = time.perf_counter()
    forget_peak()
    reason, details, trouble = None, "", False
    try:
        encoded, metadata = _compute(work, store, cache)
        try:
            for cell, members in zip(work.cells, encoded, strict=True):
                store.save_members(cell, members, metadata)
        except StoreError as error:
            reason, trouble = str(error), True
    except (Exception, SystemExit) as error:
        if isinstance(error, MemoryError):
            # What the failed calls hold is let go first: with nothing left, no line could be written about it.
            traceback.clear_frames(error.__traceback__)
        reason = _one_line(error)
        details = traceback.format_exc()
    return Report(work.number, time.perf_counter() - started, reason, details, trouble, process_peak())


def locate(name: str) -> Callable[..., Any]:
    """The function called `module:name`; raises ImportError or AttributeError when it is not there."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _compute(work: Work, store: Store, cache: InputCache) -> tuple[list[Members], dict[str, Any]]:
    from gnnmc.store.values import decode, encode_result

    opened: dict[str, Result] = {}  # two requests of a task that share an input share the object

    def load(address: Address) -> Result:
        if address.key not in opened:
            members = cache.members(store, address)
            opened[address.key] = {name: decode(kind, data) for name, (kind, data) in members.items()}
        return opened[address.key]

    requests = [
        Request(
            cell.config,
            {
                role: load(given) if isinstance(given, Address) else [load(member) for member in given]
                for role, given in cell.inputs.items()
            },
            cell.files,
        )
        for cell in work.cells
    ]
    function = locate(work.function)
    device = work.execution.device
    reset_peak = _device_function(device, "reset_peak_memory_stats")
    if reset_peak is not None:
        reset_peak(device)
    started = time.perf_counter()
    with deterministic() if work.deterministic else nullcontext():
        results = function(requests, work.execution)
    seconds = time.perf_counter() - started
    if isinstance(results, (str, Mapping)) or not hasattr(results, "__len__") or len(results) != len(requests):
        got = f"{len(results)} results" if hasattr(results, "__len__") else f"a {type(results).__name__}"
        raise InputError(f"{work.function} gave {got} for {len(requests)} requests: it must give one dict for each")
    # All are encoded before the first is stored, so that a value that cannot be kept leaves nothing of the batch.
    encoded: list[Members] = [
        encode_result(result, f"{work.function} ({cell})") for cell, result in zip(work.cells, results)
    ]
    return encoded, _measured(work, seconds)


def _measured(work: Work, seconds: float) -> dict[str, Any]:
    """Metadata of a task: `seconds` of the call, bytes of memory at the peak of the process and of its device.

    Where a system cannot forget an earlier peak of the process, it is that of all its tasks so far.
    """
    measured: dict[str, Any] = {"seconds": seconds, "cells_in_task": len(work.cells)} | work.execution.settings()
    measured |= {"deterministic": True} if work.deterministic else {}
    if (peak_here := process_peak()) is not None:
        measured["process_peak_bytes"] = peak_here
    device = work.execution.device
    name, peak = _device_function(device, "get_device_name"), _device_function(device, "max_memory_allocated")
    if name is not None and peak is not None:
        measured |= {"device_name": name(device), "device_peak_bytes": peak(device)}
    return measured


def _device_function(device: str, function: str) -> Callable[[str], Any] | None:
    """`torch.<device type>.<function>`, or None for the CPU and for backends without it.

    None, too, for a device that is not there or not in use yet: it has nothing to tell, asking it would raise, and what
    is wrong with it is for the stage function to say.
    """
    kind, _, number = device.partition(":")
    torch = sys.modules.get("torch")
    if kind == "cpu" or torch is None:
        return None
    backend = getattr(torch, kind, None)
    if not _says(backend, "is_available") or not _says(backend, "is_initialized"):
        return None
    count = getattr(backend, "device_count", None)
    if number and count is not None and not (number.isdecimal() and int(number) < count()):
        return None
    return getattr(backend, function, None)


def _says(backend: object, question: str) -> bool:
    """What the backend answers; yes where it has no such question."""
    ask = getattr(backend, question, None)
    return ask is None or bool(ask())


def _one_line(error: BaseException) -> str:
    text = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, GnnmcError) and text:
        return text  # whole: what to do stands at its end
    text = text[:_LONGEST_REASON]
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _ALLOCATION_FAILED.search(text)):
        return f"out of memory ({text or type(error).__name__}): {MORE_MEMORY}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _bytes(members: Members) -> int:
    return sum(len(data) for _, data in members.values())
