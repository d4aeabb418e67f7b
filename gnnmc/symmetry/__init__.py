"""Symmetries of a model, read off the model, and alignment of modes by them."""

from gnnmc.symmetry.align import align, align_many
from gnnmc.symmetry.alignment import Alignment, load_alignment
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.find import find_symmetry
from gnnmc.symmetry.matching.match import METHODS
from gnnmc.symmetry.random import random_element
from gnnmc.symmetry.symmetry import Symmetry

__all__ = [
    "METHODS",
    "Alignment",
    "Element",
    "Symmetry",
    "SymmetryClass",
    "align",
    "align_many",
    "find_symmetry",
    "load_alignment",
    "random_element",
]
