"""Groups in one line each, to compare."""

from collections import Counter

from gnnmc.symmetry import SymmetryClass

LETTERS = dict(zip("pmgsoi", SymmetryClass, strict=True))


def told(symmetry):
    """Every group that moves: "SIZE[xCOPIES] CLASSES: axes", the axes sorted."""
    lines = Counter()
    for group in symmetry.groups.values():
        if group.classes:
            letters = "".join(letter for letter, kind in LETTERS.items() if kind in group.classes)
            copies = f"x{group.copies}" if group.copies > 1 else ""
            axes = " ".join(sorted(f"{tensor}[{axis}]" for tensor, axis in symmetry.axes(group.name)))
            lines[f"{group.size}{copies} {letters}: {axes}"] += 1
    return lines


def expected(groups):
    """The same of what is written by hand."""
    lines = Counter()
    for line in groups:
        head, _, axes = line.partition(": ")
        lines[f"{head}: {' '.join(sorted(axes.split()))}"] += 1
    return lines
