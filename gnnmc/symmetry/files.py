"""Symmetries and their elements in files: tensors as safetensors, all else as JSON in the header."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group, Scaling, Signing, Still
from gnnmc.symmetry.layout import Fixed, Joined, Layout, Product, Units
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights.files import load_record, save_weights

_FIELDS = ("orders", "matrices", "scales", "signs", "shares")


def save_element(file: str | Path, element: Element, symmetry: Symmetry, record: Mapping[str, Any]) -> Path:
    """Write an element, the symmetry that it is of, and a record that JSON can hold; returns the path.

    A tensor is called "FIELD NAME", or "FIELD/STEP NAME" in the steps after the first.
    """
    tensors = {
        f"{field}/{place} {name}" if place else f"{field} {name}": value
        for place, step in enumerate(element.steps)
        for field in _FIELDS
        for name, value in getattr(step, field).items()
    }
    return save_weights(file, tensors, {"symmetry": _told(symmetry), "element": dict(record)})


def load_element(file: str | Path) -> tuple[Element, Symmetry, dict[str, Any]]:
    """What `save_element` wrote. Raises InputError for a file that is absent, damaged, or of other origin."""
    tensors, header = load_record(file)
    if "symmetry" not in header or "element" not in header:
        raise InputError(f"{file} holds no alignment: write one with alignment.save(file)")
    try:
        steps: dict[int, dict[str, dict[str, Tensor]]] = {0: {field: {} for field in _FIELDS}}
        for key, value in tensors.items():
            place, _, name = key.partition(" ")
            field, _, step = place.partition("/")
            steps.setdefault(int(step or 0), {field: {} for field in _FIELDS})[field][name] = value
        element = Element(*steps.pop(0).values())
        for _, fields in sorted(steps.items()):
            element = Element(*fields.values(), before=element)
        return element, _symmetry_of(header["symmetry"]), dict(header["element"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{file}: its record of an alignment is damaged: save the alignment again") from None


def _told(symmetry: Symmetry) -> dict[str, Any]:
    return {
        "groups": [{**vars(group), "classes": sorted(group.classes)} for group in symmetry.groups.values()],
        "layouts": {name: [_layout_told(layout) for layout in axes] for name, axes in symmetry.layouts.items()},
        "scalings": {name: one.group for name, one in symmetry.scalings.items()},
        "signings": {name: one.group for name, one in symmetry.signings.items()},
        "still": [vars(one) for one in symmetry.still],
    }


def _symmetry_of(told: Mapping[str, Any]) -> Symmetry:
    groups = [
        Group(
            **{
                **one,
                "outer": tuple(one["outer"]),
                "classes": frozenset(SymmetryClass(kind) for kind in one["classes"]),
                "gauges": tuple((scaling, tensor) for scaling, tensor in one["gauges"]),
                "behind": tuple((tensor, multiplies) for tensor, multiplies in one.get("behind", ())),
            }
        )
        for one in told["groups"]
    ]
    return Symmetry(
        {group.name: group for group in groups},
        {name: tuple(_layout_of(layout) for layout in axes) for name, axes in told["layouts"].items()},
        {name: Scaling(name, group) for name, group in told["scalings"].items()},
        {name: Signing(name, group) for name, group in told["signings"].items()},
        [Still(**one) for one in told["still"]],
    )


def _layout_told(layout: Layout) -> dict[str, Any]:
    if isinstance(layout, Joined):
        return {"joined": [_layout_told(part) for part in layout.parts]}
    if isinstance(layout, Product):
        return {"product": [_layout_told(factor) for factor in layout.factors]}
    return {"units" if isinstance(layout, Units) else "fixed": vars(layout)}


def _layout_of(told: Mapping[str, Any]) -> Layout:
    ((kind, held),) = told.items()
    if kind == "joined":
        return Joined(tuple(map(_layout_of, held)))
    if kind == "product":
        return Product(tuple(map(_layout_of, held)))
    if kind == "fixed":
        return Fixed(**held)
    scalings = tuple((name, exponent) for name, exponent in held["scalings"])
    return Units(**{**held, "scalings": scalings, "signings": tuple(held["signings"])})
