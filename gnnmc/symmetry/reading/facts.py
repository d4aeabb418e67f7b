"""What is noted of the units while a model is read: equations between factors, and what happens to each set."""

from collections.abc import Sequence

from gnnmc.symmetry.reading.relations import Equation, Flag, Key, Relation
from gnnmc.symmetry.reading.spaces import Space, root


class Facts:
    """scale, sign: equations, by set. flags: by set. gauges: the tensors that multiply units one by one, by set.

    reads: keys of operands that a product sums over. seen: by set, the values after a function of each unit; read: by
    set, those that a product sums over.
    """

    def __init__(self) -> None:
        self.scale: dict[Space, list[Equation]] = {}
        self.sign: dict[Space, list[Equation]] = {}
        self.flags: dict[Space, set[Flag]] = {}
        self.gauges: dict[Space, dict[Key, str]] = {}
        self.reads: set[Key] = set()
        # Axes of a view of a tensor of the model → the same axes of what it is a view of.
        self.views: dict[Key, Key] = {}
        self.seen: dict[Space, list[int]] = {}
        self.read: dict[Space, list[int]] = {}

    def note(self, space: Space, relation: Relation, given: Sequence[Key], made: Sequence[Key]) -> None:
        """One operation along one axis (or part of one): keys of its operands and results that have it."""
        self.scale.setdefault(root(space), []).extend(relation.scale(given, made))
        self.sign.setdefault(root(space), []).extend(relation.sign(given, made))
        self.flag(space, relation.flag)

    def note_read(self, number: int | None, keys: Sequence[tuple[Space, Key]], *, of_model: bool) -> None:
        """A product sums over these sets of a value; of_model: it is a tensor of the model."""
        for space, key in keys:
            self.reads.add(key)
            viewed: Key = key
            while viewed in self.views:
                viewed = self.views[viewed]
                self.reads.add(viewed)
            if number is not None and not of_model:
                self.read.setdefault(root(space), []).append(number)

    def flag(self, space: Space, flag: Flag) -> None:
        """What happens to a set."""
        self.flags.setdefault(root(space), set()).add(flag)
