"""Algebra on weights: a name-keyed dict of tensors is a point of weight space."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from gnnmc.errors import InputError

Weights: TypeAlias = Mapping[str, Tensor]


def weights_of(source: object) -> dict[str, Tensor]:
    """The weights in whatever stands for a mode: a Mode (anything with `.weights`) or a state_dict.

    Returns a new dict of detached tensors that share memory with the source.
    Raises InputError for anything else, naming what was got.
    """
    found = source if isinstance(source, Mapping) else getattr(source, "weights", None)
    if not isinstance(found, Mapping) or not found:
        raise InputError(
            f"expected a Mode or a non-empty state_dict (name → tensor), got {type(source).__name__}: "
            "pass the mode, or model.state_dict()"
        )
    weights = {}
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise InputError(
                f"the value of {name!r} is a {type(value).__name__}, not a tensor: pass a flat state_dict "
                "(for a checkpoint that wraps one, pass its inner dict)"
            )
        weights[str(name)] = value.detach()
    return weights


def require_matching(a: Weights, b: Weights, a_name: str = "the first", b_name: str = "the second") -> None:
    """Raise InputError, naming tensors and both shapes, unless two weights have equal names and shapes."""
    problems = [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''} only in {which}"
        for which, names in ((a_name, [n for n in a if n not in b]), (b_name, [n for n in b if n not in a]))
        if names
    ]
    problems += [
        f"{name}: {tuple(a[name].shape)} in {a_name}, {tuple(b[name].shape)} in {b_name}"
        for name in a
        if name in b and a[name].shape != b[name].shape
    ]
    if problems:
        more = f" (and {len(problems) - 4} more)" if len(problems) > 4 else ""
        raise InputError(f"weights do not match: {'; '.join(problems[:4])}{more}{_prefix_hint(a, b)}")


def clone(weights: Weights) -> dict[str, Tensor]:
    """A copy that shares no memory with the original."""
    return {name: value.detach().clone() for name, value in weights.items()}


def to_device(weights: Weights, device: torch.device) -> dict[str, Tensor]:
    """The weights on `device`; tensors that are there already are shared, not copied."""
    return {name: value.to(device) for name, value in weights.items()}


def combine(points: Sequence[Weights], coefficients: Sequence[float], nearest: int) -> dict[str, Tensor]:
    """Σ_j c_j·P_j for floating-point entries; other entries are those of `points[nearest]`, never combined.

    A coefficient of exactly 0 drops its point and a single coefficient of exactly 1 gives a copy, so that the ends of
    a path are bit-equal to what was given, even where another point is not finite.
    """
    kept = [(float(c), point) for c, point in zip(coefficients, points, strict=True) if float(c) != 0.0]
    combined = {}
    for name, value in points[nearest].items():
        if not value.is_floating_point():
            combined[name] = value.clone()
        elif not kept:
            combined[name] = torch.zeros_like(value)
        elif len(kept) == 1 and kept[0][0] == 1.0:
            combined[name] = kept[0][1][name].clone()
        else:
            total = kept[0][1][name] * kept[0][0]
            for coefficient, point in kept[1:]:
                total = total.add(point[name], alpha=coefficient)
            combined[name] = total
    return combined


def distance(a: Weights, b: Weights, names: Iterable[str] | None = None) -> float:
    """Euclidean distance over the floating-point entries `names` (all by default), summed in float64."""
    chosen = [name for name in (a if names is None else names) if a[name].is_floating_point()]
    square = sum(float((a[name].double() - b[name].double()).square().sum()) for name in chosen)
    return float(square) ** 0.5


def finite(weights: Weights) -> bool:
    """Whether every floating-point entry is finite."""
    return all(_finite(value) for value in weights.values() if value.is_floating_point())


def _finite(value: Tensor) -> bool:
    # A finite sum has finite terms, and is much sooner found; the sum of finite terms may be too large for a number.
    return bool(value.sum().isfinite()) or bool(value.isfinite().all())


def digest(weights: Weights) -> str:
    """sha256 over names, shapes, types and bytes: equal if and only if two weights are bit-equal."""
    total = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        total.update(f"{name}|{tuple(value.shape)}|{value.dtype}|".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _prefix_hint(a: Weights, b: Weights) -> str:
    """What to do about the prefix that DistributedDataParallel and torch.compile put before every name."""
    for prefix in ("module.", "_orig_mod."):
        for one, other in ((a, b), (b, a)):
            if set(one) != set(other) and {name.removeprefix(prefix) for name in one} == set(other):
                return f" (the names begin with {prefix!r}: save the wrapped module's own state_dict)"
    return ""
