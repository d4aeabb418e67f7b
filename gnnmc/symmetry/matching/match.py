"""What a matching method is given, what it finds, and the registry of methods."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gnnmc.errors import InputError
from gnnmc.registry import Registry, unknown_name
from gnnmc.symmetry.classes import SymmetryClass, classes_of
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.find import ReadModel
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights


@dataclass(frozen=True, eq=False)
class Match:
    """Pairs of weights of one model; of each pair the second is to be moved onto the first.

    model: the function and what was read off it. symmetry: with the classes that may be used only. pairs: (a, b), on
    the device. counted: the tensors that count in distances: parameters that receive gradients, each once. seed: of the
    random stream "matching". restarts: how often to start anew, the best is kept.
    """

    model: ReadModel
    symmetry: Symmetry
    pairs: Sequence[tuple[Weights, Weights]]
    counted: Sequence[str]
    seed: int = 0
    restarts: int = 1


@dataclass(frozen=True, eq=False)
class Found:
    """What moves b onto a; before, after: what the method lowers, for b as it is and for b moved (its objective).

    figures: what else the method saw on the way, by name.
    """

    element: Element
    before: float
    after: float
    figures: Mapping[str, Any]

    @classmethod
    def of(cls, element: Element, before: float, after: float, **figures: Any) -> "Found":
        """With both values of the objective among the figures of `Alignment.figures`."""
        return cls(element, before, after, {"objective_before": before, "objective_after": after, **figures})


@dataclass(frozen=True)
class NoSettings:
    """Of a method that has none."""


# For each pair what moves b onto a; the second argument is of the method's settings.
Find: TypeAlias = Callable[[Match, Any], Sequence[Found]]


@dataclass(frozen=True, eq=False)
class Method:
    """One way of matching. find: the function. settings: a frozen dataclass of its options. classes: those that it
    finds elements of by itself. usual: those that it uses where none are asked for; None: all that it can use. fitted:
    whether it lowers the training loss between the modes, so that their train barrier is no news.
    """

    name: str
    find: Find
    settings: type
    classes: frozenset[SymmetryClass]
    usual: frozenset[SymmetryClass] | None
    fitted: bool = False

    def chosen(self, options: Mapping[str, Any]) -> Any:
        """The settings. Raises InputError for an option that there is not, and as the settings do."""
        known = list(inspect.signature(self.settings).parameters)
        for name in options:
            if name not in known:
                if not known:
                    raise InputError(f"method {self.name!r} has no option {name!r}: it has none")
                raise unknown_name(f"option of {self.name}", name, known)
        return self.settings(**options)

    def usable(self, options: Mapping[str, Any]) -> frozenset[SymmetryClass]:
        """The classes that it can use: its own, and those of the method that it starts from; all with an Element."""
        start = getattr(self.chosen(options), "start", None)
        if start is None:
            return self.classes
        return self.classes | (METHODS[start].usable({}) if isinstance(start, str) else frozenset(SymmetryClass))

    def used(self, asked: Collection[SymmetryClass | str] | None, options: Mapping[str, Any]) -> list[SymmetryClass]:
        """The classes asked for, or the usual ones. A single name is one class.

        Raises InputError for a class that there is not, or that the method cannot use.
        """
        allowed = self.usable(options)
        if asked is None:
            return _listed(allowed if self.usual is None else self.usual)
        kinds = classes_of(asked)
        for kind in kinds:
            if kind not in allowed:
                able = ", ".join(sorted(name for name in METHODS if kind in METHODS[name].usable({})))
                names = ", ".join(_listed(allowed))
                raise InputError(
                    f"method {self.name!r} cannot use class {kind.value!r}: it uses {names}; {kind.value} is used by "
                    f"{able}"
                )
        return kinds


METHODS: Registry[Method] = Registry("matching method")


def register(
    name: str,
    *,
    classes: Collection[SymmetryClass],
    usual: Collection[SymmetryClass] | None = (SymmetryClass.PERMUTATION,),
    settings: type = NoSettings,
    fitted: bool = False,
) -> Callable[[Find], Find]:
    """Make a function a method of this name; the others as in `Method`."""

    def registered(find: Find) -> Find:
        chosen = None if usual is None else frozenset(usual)
        METHODS.add(name, Method(name, find, settings, frozenset(classes), chosen, fitted))
        return find

    return registered


def found_by(method: str, match: Match, options: Mapping[str, Any] | None = None) -> Sequence[Found]:
    """What a method finds for each pair. Raises InputError for an unknown one, and for options that it has not."""
    entry = METHODS[method]
    return entry.find(match, entry.chosen(options or {}))


def _listed(kinds: Collection[SymmetryClass]) -> list[SymmetryClass]:
    """In the order in which they are defined."""
    return [kind for kind in SymmetryClass if kind in kinds]
