"""What is noted of the units while a model is read: equations between factors, and what happens to each set."""

from collections.abc import Collection, Sequence

from gnnmc.symmetry.reading.relations import Equation, Flag, Key, Relation
from gnnmc.symmetry.reading.spaces import Space, root


class Facts:
    """scale, sign: equations, by set. flags: by set. gauges: the tensors that multiply units one by one, by set.
    behind: by set, the tensors of a normalization over its units that multiply (True) or shift (False) what it gives.

    reads: keys of operands that a product sums over. unshared: sets that a product of two values sums over, so that no
    tensor says how much is taken of a unit. seen: by set, the values after a function of each unit; read: by set, those
    that a product sums over. came: of a result that has its factors from one operand alone, from where.
    """

    def __init__(self) -> None:
        self.scale: dict[Space, list[Equation]] = {}
        self.sign: dict[Space, list[Equation]] = {}
        self.flags: dict[Space, set[Flag]] = {}
        self.gauges: dict[Space, dict[Key, str]] = {}
        self.behind: dict[Space, dict[str, bool]] = {}
        self.reads: set[Key] = set()
        self.unshared: set[Space] = set()
        self.came: dict[Key, Key] = {}
        self.seen: dict[Space, list[int]] = {}
        self.read: dict[Space, list[int]] = {}

    def note(self, space: Space, relation: Relation, given: Sequence[Key], made: Sequence[Key]) -> None:
        """One operation along one axis (or part of one): keys of its operands and results that have it."""
        self.scale.setdefault(root(space), []).extend(relation.scale(given, made))
        self.sign.setdefault(root(space), []).extend(relation.sign(given, made))
        self.flag(space, relation.flag)
        if len(given) == 1:
            self.came.update(dict.fromkeys(made, given[0]))

    def carry_reads(self, plain: Collection[int]) -> None:
        """What is read of a view of a tensor is read of the tensor. plain: numbers of views, and of tensors."""
        for key in list(self.reads):
            while key[0] in plain and key in self.came:  # type: ignore[index]
                key = self.came[key]
                self.reads.add(key)

    def note_sum(
        self, read: Sequence[tuple[int | None, Sequence[tuple[Space, Key]]]], tensors: Collection[int]
    ) -> None:
        """A product sums over these sets of each of its operands. tensors: the numbers that stand for some."""
        by_tensor = any(number in tensors for number, _ in read)
        for number, keys in read:
            for space, key in keys:
                self.reads.add(key)
                if not by_tensor:
                    self.unshared.add(root(space))
                if number is not None and number not in tensors:
                    self.read.setdefault(root(space), []).append(number)

    def flag(self, space: Space, flag: Flag) -> None:
        """What happens to a set."""
        self.flags.setdefault(root(space), set()).add(flag)
