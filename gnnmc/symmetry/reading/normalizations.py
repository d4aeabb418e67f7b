"""Layer, batch and group normalization, and RMSNorm."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import (
    LINEAR,
    OTHER,
    Equation,
    Flag,
    Key,
    Law,
    Relation,
    equal,
    nothing,
)
from gnnmc.symmetry.reading.rules import given, reads

aten = torch.ops.aten


@reads(aten.native_layer_norm, aten._fused_rms_norm, aten.rms_norm)
def _layer(reading: Reading, operation: Operation) -> None:
    """The units of the last axes are normalized together, then multiplied and shifted one by one."""
    named = given(operation)
    x = reading.operand(named["input"])
    own = len(named["normalized_shape"])
    first = len(x.axes) - own
    letters: list[Letter] = list(range(len(x.axes)))
    parts: list[tuple[Operand, list[Letter]]] = [(x, letters)]
    parts += [(operand, letters[first:]) for operand in _with_units(reading, named, "weight", "bias").values()]
    law = _law(reading, named)
    relation = Relation(law, law, Flag.CENTERED if operation.kind is aten.native_layer_norm else Flag.NORM)
    results = [letters, *([letters[:first]] * (len(operation.results) - 1))]
    made = [
        [letter if number == 0 or place < first else reading.data(1) for place, letter in enumerate(one)]
        for number, one in enumerate(results)
    ]
    made = [
        one
        if result is None or len(one) == len(reading.shapes[result])
        else [*one, *(reading.data(1) for _ in range(len(reading.shapes[result]) - len(one)))]
        for one, result in zip(made, operation.results, strict=True)
    ]
    reading.relate(
        operation, parts, made, lambda letter: relation if isinstance(letter, int) and letter >= first else OTHER
    )
    _behind(reading, named.get("weight"), named.get("bias"), own)


def _with_units(reading: Reading, named: Mapping[str, Any], *roles: str) -> dict[str, Operand]:
    """What is given of these that differs from unit to unit, by role."""
    operands = {role: reading.operand(named[role]) for role in roles if named.get(role) is not None}
    return {role: operand for role, operand in operands.items() if not all(map(is_alike, operand.axes))}


def _law(reading: Reading, named: Mapping[str, Any]) -> Law:
    """Of a norm of units that are seen together: factors and signs are those of γ, if no β is in their way."""
    learned = "weight" in _with_units(reading, named, "weight")
    return _past_norm if learned and not _shifts(reading, named, "bias") else nothing


def _shifts(reading: Reading, named: Mapping[str, Any], role: str) -> bool:
    """Whether one number that is not 0 is added to all units: no factor and no sign passes it."""
    if named.get(role) is None or _with_units(reading, named, role):
        return False
    return not reading.is_zero(reading.operand(named[role]))


def _past_norm(keys: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """No factor passes the norm; those of γ and β are those of the result."""
    return nothing(keys[:1], []) + equal(keys[1:], made)


def _behind(reading: Reading, weight: Any, bias: Any, own: int) -> None:
    """γ stands between the units and those that read them; β behind it."""
    for one in (weight, bias) if own == 1 else ():
        number = getattr(one, "number", None)
        if reading.facts is None or number not in reading.plain:
            continue
        operand = reading.operand(one)
        keys = reading.keys(operand, 0)
        if len(keys) == 1 and keys[0][0].size == operand.axes[0].size:
            (space, key), name = keys[0], reading.plain[number]
            reading.facts.behind.setdefault(space, {})[name] = one is weight
            if one is weight:
                reading.facts.gauges.setdefault(space, {})[key] = name


@reads(
    aten.native_batch_norm,
    aten._native_batch_norm_legit_no_training,
    aten._native_batch_norm_legit,
    aten.cudnn_batch_norm,
    aten._batch_norm_no_update,
)
def _batch(reading: Reading, operation: Operation) -> None:
    """Each channel by itself: with stored statistics, whose variance has no sign."""
    named = given(operation)
    x = reading.operand(named["input"])
    letters: list[Letter] = [None if is_alike(tree) and n != 1 else n for n, tree in enumerate(x.axes)]
    parts: list[tuple[Operand, list[Letter]]] = [(x, letters)]
    learned = _with_units(reading, named, "weight", "bias", "running_mean", "running_var")
    parts += [(operand, [1]) for operand in learned.values()]
    roles = ["x", *learned]
    moved, shifted = (_shifts(reading, named, role) for role in ("running_mean", "bias"))
    made: list[Letter] = [n if letters[n] is not None else tree for n, tree in enumerate(x.axes)]
    others = [
        [] if r is None else [reading.data(size, reading.ordered()) for size in reading.shapes[r]]
        for r in operation.results[1:]
    ]

    def scale(keys: Sequence[Key], out: Sequence[Key]) -> list[Equation]:
        held = dict(zip(roles, keys, strict=True))
        stored = [held[role] for role in ("x", "running_mean", "running_var") if role in held]
        after = [held[role] for role in ("weight", "bias") if role in held]
        return nothing(stored, []) + (equal if "weight" in held and not shifted else nothing)(after, out)

    def sign(keys: Sequence[Key], out: Sequence[Key]) -> list[Equation]:
        held = dict(zip(roles, keys, strict=True))
        found = equal([held[role] for role in ("x", "running_mean") if role in held], [])
        found += nothing([held["running_var"]], []) if "running_var" in held else []
        through: Equation = {held["x"]: 1}
        if "weight" in held:
            through[held["weight"]] = 1
        found += [{**through, key: -1} for key in out]
        found += nothing([held["x"]], []) if moved else []
        found += nothing(out, []) if shifted else []
        return found + (equal([held["bias"]], out) if "bias" in held else [])

    relation = Relation(scale, sign, Flag.UNIT)
    reading.relate(operation, parts, [made, *others], lambda letter: relation if letter == 1 else LINEAR)


@reads(aten.native_group_norm)
def _group(reading: Reading, operation: Operation) -> None:
    """Channels of each group are normalized together: groups may change places, and channels within a group."""
    named = given(operation)
    x = reading.operand(named["input"])
    groups = named["group"]
    sizes = [groups, x.axes[1].size // groups]
    reading.spaces.split(x.axes[1], sizes)
    letters: list[Letter] = list(range(len(x.axes)))
    parts: list[tuple[Operand, list[Letter]]] = [(x, letters)]
    parts += [(operand, [1]) for operand in _with_units(reading, named, "weight", "bias").values()]
    others = [
        [] if r is None else [reading.data(size, reading.ordered()) for size in reading.shapes[r]]
        for r in operation.results[1:]
    ]
    law = _law(reading, named)
    relation = Relation(law, law, Flag.ACROSS)
    reading.relate(operation, parts, [letters, *others], lambda letter: relation if letter == 1 else OTHER)
