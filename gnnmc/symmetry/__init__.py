"""Symmetries of a model, read off the model, and alignment of modes by them."""

from gnnmc.symmetry.align import align, align_many
from gnnmc.symmetry.alignment import Alignment
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.find import find_symmetry
from gnnmc.symmetry.matching.match import METHODS
from gnnmc.symmetry.random import random_element
from gnnmc.symmetry.repair import Repair, repair
from gnnmc.symmetry.symmetry import Symmetry

__all__ = [
    "METHODS",
    "Alignment",
    "Element",
    "Repair",
    "Symmetry",
    "SymmetryClass",
    "align",
    "align_many",
    "find_symmetry",
    "random_element",
    "repair",
]
