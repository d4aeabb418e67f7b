"""How points of weight space are evaluated, by name."""

from dataclasses import dataclass

from gnnmc.registry import Registry


@dataclass(frozen=True)
class Engine:
    """many_at_once: whether points are evaluated together where the model allows, else by a forward each."""

    many_at_once: bool


ENGINES: Registry[Engine] = Registry("engine")
ENGINES.add("loop", Engine(many_at_once=False))
ENGINES.add("stacked", Engine(many_at_once=True))
