"""What was prepared for a model and a problem, kept for the next call with both: the copy of the model, the data on the
device, and the recorded forward.

Kept for as long as the problem lives, for the last few models; nothing is shared between threads.
"""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from gnnmc.engine.combinations import Combinations
from gnnmc.engine.device import resolve_device
from gnnmc.engine.fingerprint import Fingerprint
from gnnmc.engine.function import ModelFunction
from gnnmc.problem import Problem

# Models whose preparation is kept with a problem.
_MOST = 4


class Prepared:
    """A model as a function of weights, and what evaluates combinations of them."""

    def __init__(self, function: ModelFunction) -> None:
        self.function = function
        self._combinations: dict[bool, Combinations] = {}

    def combinations(self, *, reestimate: bool) -> Combinations:
        """As `Combinations`, the same every time."""
        if reestimate not in self._combinations:
            self._combinations[reestimate] = Combinations(self.function, reestimate=reestimate)
        return self._combinations[reestimate]

    @property
    def is_recorded(self) -> bool:
        """Whether forwards were recorded, and none refused."""
        return bool(self._combinations) and all(each.is_recorded for each in self._combinations.values())


@dataclass(frozen=True, eq=False)
class _Kept:
    model: "weakref.ref[nn.Module]"
    device: torch.device
    fingerprint: Fingerprint
    prepared: Prepared


_KEPT: "weakref.WeakKeyDictionary[Problem, list[_Kept]]" = weakref.WeakKeyDictionary()


@contextmanager
def prepared(model: nn.Module, problem: Problem, device: str | torch.device) -> Iterator[Prepared]:
    """Made anew, or what an earlier call left.

    It is used again where neither the model (but for its weights) nor the problem changed since, and belongs to the
    caller until the block ends. Raises InputError as ModelFunction does.
    """
    where = resolve_device(device)
    if not isinstance(model, nn.Module) or not isinstance(problem, Problem):
        ModelFunction(model, problem, where)  # says what is wrong with them
    kept = _KEPT.setdefault(problem, [])
    now = Fingerprint(model, problem)
    found = _taken(kept, model, where, now) or Prepared(ModelFunction(model, problem, where))
    yield found
    # After an error nobody knows what state it is in; and what could not be recorded may be a forward with a memory.
    if found.is_recorded:
        kept[:] = [each for each in kept if each.model() is not None][1 - _MOST :]
        kept.append(_Kept(weakref.ref(model), where, now, found))


def _taken(kept: list[_Kept], model: nn.Module, device: torch.device, now: Fingerprint) -> Prepared | None:
    for each in list(kept):
        if each.model() is model and each.device == device:
            try:
                kept.remove(each)
            except ValueError:  # another thread was faster
                continue
            if each.fingerprint.matches(now):
                return each.prepared
    return None
