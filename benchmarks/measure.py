"""Time ours, the baseline and the limit in one process, alternating, on inputs that are new in every repeat."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BASELINE, OURS, OWN_MODULE, LIMIT = "baseline", "ours", "ours, the user's module", "limit"


@dataclass(frozen=True)
class Bench:
    """One piece of work, ready to be timed.

    fresh: number of a repeat → its inputs, which nobody has seen before. contenders: name → inputs → what came out, the
    baseline among them. check: what one contender and the baseline gave, repeat by repeat → what there is to say about
    how they agree; raises Disagreement where they do not. limit: a function that does the unavoidable products alone.
    warm: inputs of the first call, where that is better short: of the same kind, and less work.
    """

    fresh: Callable[[int], Any]
    contenders: Mapping[str, Callable[[Any], Any]]
    check: Callable[[Sequence[Any], Sequence[Any]], dict[str, float]]
    limit: Callable[[], None] | None = None
    warm: Any = None


@dataclass
class Times:
    """Seconds by contender. first: of the very first call, preparation included; each: of one call a repeat."""

    first: dict[str, float] = field(default_factory=dict)
    each: dict[str, list[float]] = field(default_factory=dict)
    agreement: dict[str, dict[str, float]] = field(default_factory=dict)


def measure(bench: Bench, repeats: int) -> Times:
    """One call of every contender to warm up, then `repeats` rounds; in turns, forwards and backwards."""
    calls: dict[str, Callable[[Any], Any]] = dict(bench.contenders)
    limit = bench.limit
    if limit is not None:
        calls[LIMIT] = lambda _: limit()
    times = Times(each={name: [] for name in calls})
    results: dict[str, list[Any]] = {name: [] for name in bench.contenders}
    names = list(calls)
    for repeat in range(-1, repeats):
        gc.collect()
        inputs = bench.warm if repeat < 0 and bench.warm is not None else bench.fresh(repeat + 1)
        for name in _order(names, repeat):
            spent, result = _timed(calls[name], inputs)
            if repeat < 0:
                times.first[name] = spent
                continue
            times.each[name].append(spent)
            if name in results:
                results[name].append(result)
    for name in results:
        if name != BASELINE:
            times.agreement[name] = bench.check(results[name], results[BASELINE])
    return times


def _order(names: Sequence[str], repeat: int) -> list[str]:
    """Another begins from round to round, and of two neighbors each comes first every other time: what went before has
    left its own data in the caches."""
    turn = repeat // 2 % len(names)
    turned = [*names[turn:], *names[:turn]]
    return turned if repeat % 2 else turned[::-1]


def _timed(call: Callable[[Any], Any], inputs: Any) -> tuple[float, Any]:
    # As `timeit` does: a collection in the midst of a call belongs to no contender.
    gc.disable()
    try:
        start = time.perf_counter()
        result = call(inputs)
        return time.perf_counter() - start, result
    finally:
        gc.enable()
