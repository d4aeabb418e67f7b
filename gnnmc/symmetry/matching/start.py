"""Where descent over elements starts from, and the best element that it has seen."""

from collections.abc import Sequence
from typing import TypeAlias

from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.matching.match import Found, Match, found_by
from gnnmc.symmetry.matching.objectives import Objective

# The name of a method, an element for every pair, one for all of them, or None for b as it is.
Start: TypeAlias = str | Element | Sequence[Element] | None


def starts(match: Match, given: Start) -> list[Element]:
    """The element that each pair starts from. Raises InputError for what is none of `Start`."""
    if given is None:
        return [Element() for _ in match.pairs]
    if isinstance(given, str):
        return [one.element for one in found_by(given, match)]
    if isinstance(given, Element):
        return [given for _ in match.pairs]
    elements = list(given) if isinstance(given, Sequence) else []
    if not elements or not all(isinstance(one, Element) for one in elements):
        raise InputError(
            f"start is a {type(given).__name__}: expected a method's name, an Element, one a pair, or None"
        )
    if len(elements) != len(match.pairs):
        raise InputError(f"start has {len(elements)} elements for {len(match.pairs)} pairs: give one each")
    return [one for one in elements if isinstance(one, Element)]


class Best:
    """Of each pair the element of least score; the start, where nothing is below it. before: score of b as it is."""

    def __init__(self, match: Match, places: Sequence[int], elements: Sequence[Element], objective: Objective) -> None:
        given = [match.pairs[k][1] for k in places]
        moved = [element.apply(match.symmetry, b) for element, b in zip(elements, given, strict=True)]
        self.elements = list(elements)
        self.before = objective.score(given).tolist()
        self.scores = objective.score(moved).tolist()

    def found(self) -> list[Found]:
        """The best of each pair, with its score as the objective."""
        each = zip(self.elements, self.before, self.scores, strict=True)
        return [Found.of(element, before, after) for element, before, after in each]

    def see(self, elements: Sequence[Element], scores: Tensor) -> None:
        """Keep those that are better. A score that is not a number is no better than any."""
        for k, (element, score) in enumerate(zip(elements, scores.tolist(), strict=True)):
            if score < self.scores[k] or (score == score and self.scores[k] != self.scores[k]):
                self.elements[k], self.scores[k] = element, score
