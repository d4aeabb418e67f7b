"""An alignment: an element of a model's symmetry that moves one mode onto another, and what it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.symmetry.element import Element, numbers_of
from gnnmc.symmetry.files import load_element, save_element
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Mode, weights_of

Moved = TypeVar("Moved")


@dataclass(frozen=True, eq=False)
class Alignment:
    """element: what is done to the units of each group. symmetry: of the model. method: that found it.

    before, after: Euclidean distance between the modes over the parameters that count. objective: what the method
    raised, ⟨a, moved b⟩ for matching by weights. `apply`:
    Raises InputError for weights of another model.

    Shapes:
        .apply(weights): name → tensor → name → tensor
    """

    element: Element
    symmetry: Symmetry
    method: str
    before: float
    after: float
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Alignment({self.method}: distance {self.before:.4g} → {self.after:.4g}, {self.share_moved:.0%} moved)"

    def apply(self, mode: Moved) -> Moved:
        """The mode moved, of the kind that was given: weights → weights, Mode → Mode (both its endpoints).

        Raises InputError for weights that are not of the model that the alignment was made for.
        """
        if isinstance(mode, Mode):
            best = self._moved(mode.best) if mode.best else mode.best
            return replace(mode, last=self._moved(mode.last), best=best)
        return self._moved(weights_of(mode))  # type: ignore[return-value]

    def _moved(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        for name, layouts in self.symmetry.layouts.items():
            if name not in weights or tuple(weights[name].shape) != tuple(layout.size for layout in layouts):
                got = tuple(weights[name].shape) if name in weights else "nothing"
                raise InputError(
                    f"{name} is {got}; the alignment is for {tuple(layout.size for layout in layouts)}: "
                    "give weights of the model that it was made for"
                )
        return self.element.apply(self.symmetry, weights)

    def save(self, file: str | Path) -> Path:
        """Write it as safetensors, with the symmetry that it is of; returns the path. Read by `load_alignment`.

        Raises InputError when the file cannot be written.
        """
        record = {"method": self.method, "before": self.before, "after": self.after, "figures": dict(self.figures)}
        return save_element(file, self.element, self.symmetry, record)

    @property
    def share_moved(self) -> float:
        """Share of the units of all groups that stand elsewhere than before; those mixed by a matrix all do."""
        moved, total = 0, 0
        for name, group in self.symmetry.groups.items():
            if not group.classes:
                continue
            count = numbers_of(self.symmetry, name).numel()
            total += count
            if name in self.element.matrices:
                moved += count
            elif name in self.element.orders:
                order = self.element.orders[name]
                moved += int((order.cpu() != torch.arange(order.shape[-1])).sum())
        return moved / total if total else 0.0

    def report(self) -> pd.DataFrame:
        """One row per group: `group, units, copies, moved, class`: the share of its units that stand elsewhere."""
        rows = []
        for name, group in self.symmetry.groups.items():
            if not group.classes:
                continue
            used = "invertible" if "invertible" in group.classes else "orthogonal"
            order = self.element.orders.get(name)
            moved = 1.0 if name in self.element.matrices else 0.0
            if order is not None:
                moved = float((order.cpu() != torch.arange(order.shape[-1])).double().mean())
            rows.append(
                {
                    "group": name,
                    "units": group.size,
                    "copies": group.copies,
                    "moved": moved,
                    "class": used if name in self.element.matrices else "permutation" if order is not None else "none",
                }
            )
        return pd.DataFrame(rows, columns=["group", "units", "copies", "moved", "class"])


def load_alignment(file: str | Path) -> Alignment:
    """The alignment that `Alignment.save` wrote, every bit of it.

    Raises InputError for a file that is absent, damaged, or of other origin.
    """
    element, symmetry, record = load_element(file)
    try:
        return Alignment(element, symmetry, record["method"], record["before"], record["after"], record["figures"])
    except KeyError:
        raise InputError(f"{file}: its record of an alignment is damaged: save the alignment again") from None
