"""An alignment: an element of a model's symmetry that moves one mode onto another, and what it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isnan, nan
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from torch import Tensor

from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError
from gnnmc.symmetry.effect import effects_of
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.files import load_element, save_element
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Mode, clone, weights_of

Moved = TypeVar("Moved")


@dataclass(frozen=True, eq=False)
class Alignment:
    """An element of a model's symmetry that moves one mode onto another.

    element: what is done to the units of each group. symmetry: of the model, with the classes that were asked for.
    method: that found it. before, after: Euclidean distance between the modes over the parameters that count, as they
    were and with the second one moved; NaN where it is not known (alignments put one after another). figures: what the
    method tells, such as its objective.

    Moved weights compute what they did on any input, but for method "semi": it replaces ReLU units that are zero on all
    items of the problem, so it keeps the outputs on these items alone, and has no inverse.

    Shapes:
        .apply(weights): name → tensor → name → tensor
        .report(): one row per group
    Raises InputError: `apply` for weights of another model, `then` for alignments of another one, `inverse` where units
    were split.
    Source: science 3.
    """

    element: Element
    symmetry: Symmetry
    method: str
    before: float
    after: float
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        distance = "" if isnan(self.after) else f"distance {self.before:.4g} → {self.after:.4g}, "
        fired = ", ".join(dict.fromkeys(one.code for one in self.diagnostics()))
        return f"Alignment({self.method}: {distance}{self.share_moved:.0%} moved{fired and f'; {fired}'})"

    def apply(self, mode: Moved) -> Moved:
        """The mode moved, of the kind that was given: weights → weights, Mode → Mode (both its endpoints).

        What is returned shares no memory with what was given.
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
        return clone(self.element.apply(self.symmetry, weights))

    def then(self, later: "Alignment") -> "Alignment":
        """One alignment that does what this one does, and then the later one: c onto b, then b onto a.

        Raises InputError for alignments of different models.
        """
        symmetry = _united(self.symmetry, later.symmetry)
        method = f"{self.method}, then {later.method}"
        return Alignment(self.element.then(later.element, symmetry), symmetry, method, nan, nan)

    def inverse(self) -> "Alignment":
        """The alignment that undoes this one: it moves a onto b where this one moves b onto a.

        after: known where units are only put in order and given signs, since these keep distances; else NaN.
        Raises InputError where units were split ("semi").
        """
        element = self.element.inverse(self.symmetry)
        rigid = not any(step.matrices or step.scales or step.shares for step in self.element.steps)
        before, after = (self.before, self.after) if rigid else (nan, nan)
        return Alignment(element, self.symmetry, f"the inverse of {self.method}", before, after)

    def save(self, file: str | Path) -> Path:
        """Write it as safetensors, with the symmetry that it is of; returns the path. Read by `load_alignment`.

        Raises InputError when the file cannot be written.
        """
        record = {"method": self.method, "before": self.before, "after": self.after, "figures": dict(self.figures)}
        return save_element(file, self.element, self.symmetry, record)

    @property
    def share_moved(self) -> float:
        """Share of the units of all groups to which something is done: another place, sign, factor, share or basis."""
        every = [effect.units for effect in effects_of(self.symmetry, self.element).values()]
        total = sum(units.numel() for units in every)
        return sum(int(units.sum()) for units in every) / total if total else 0.0

    def report(self) -> pd.DataFrame:
        """One row per group: `group, units, copies, moved, class`.

        moved: share of its units to which something is done. class: the classes that are used, or "none".
        """
        rows = []
        for name, effect in effects_of(self.symmetry, self.element).items():
            group = self.symmetry.groups[name]
            rows.append(
                {
                    "group": name,
                    "units": group.size,
                    "copies": group.copies,
                    "moved": float(effect.units.double().mean()),
                    "class": ", ".join(effect.classes) or "none",
                }
            )
        return pd.DataFrame(rows, columns=["group", "units", "copies", "moved", "class"])

    def diagnostics(self) -> list[Diagnostic]:
        """What has to be known of this alignment.

        GMC019: weights whose units stay, since an operation was not understood or asks for their order, they meet a
        constant of the model, or the check by numbers failed. GMC020: dead units, which matching by activations
        cannot place. GMC021: nothing was moved, or what the method lowers (`objective_before`, `objective_after` of
        its figures) is no lower than before.
        """
        frozen: dict[str, list[str]] = {}
        for one in self.symmetry.still:
            if not one.understood:
                frozen.setdefault(one.reason, []).append(f"{one.tensor}[{one.axis}]")
        found = [
            Diagnostic("GMC019", f"{', '.join(dict.fromkeys(axes))}: {reason}")
            for reason, axes in sorted(frozen.items())
        ]
        for group, (of_a, of_b) in self.figures.get("dead", {}).items():
            found.append(Diagnostic("GMC020", f"{group}: {of_a} of the first mode, {of_b} of the second"))
        before, after = (self.figures.get(f"objective_{when}") for when in ("before", "after"))
        if not any(group.classes for group in self.symmetry.groups.values()):
            found.append(Diagnostic("GMC021", "the model has no units that may be moved by these classes"))
        elif before is not None and after is not None and not after < before:
            found.append(Diagnostic("GMC021", f"{self.method}: objective {before:.4g} before and {after:.4g} after"))
        elif not self.share_moved:
            found.append(Diagnostic("GMC021", "no unit was moved"))
        return found


def _united(first: Symmetry, later: Symmetry) -> Symmetry:
    """The symmetry of one model with the classes of both."""
    alike = first.layouts == later.layouts and first.groups.keys() == later.groups.keys()
    if not alike:
        raise InputError("one alignment after another: they are of different models, give two of one model")
    groups = {
        name: replace(group, classes=group.classes | other.classes, gauges=group.gauges or other.gauges)
        for name, group in first.groups.items()
        for other in [later.groups[name]]
    }
    scalings, signings = {**first.scalings, **later.scalings}, {**first.signings, **later.signings}
    return replace(first, groups=groups, scalings=scalings, signings=signings)


def load_alignment(file: str | Path) -> Alignment:
    """The alignment that `Alignment.save` wrote, every bit of it.

    Shapes:
        .apply(weights) of what it gives: name → tensor → name → tensor
    Raises InputError for a file that is absent, damaged, or of other origin.
    """
    element, symmetry, record = load_element(file)
    try:
        return Alignment(element, symmetry, record["method"], record["before"], record["after"], record["figures"])
    except KeyError:
        raise InputError(f"{file}: its record of an alignment is damaged: save the alignment again") from None
