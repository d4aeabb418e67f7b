"""Symmetries of a model, read off the model, and alignment of modes by them."""

from gnnmc.symmetry.align import align, align_many
from gnnmc.symmetry.alignment import Alignment, load_alignment
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.find import find_symmetry
from gnnmc.symmetry.folding import Folding, fold_layer_norms
from gnnmc.symmetry.matching.match import METHODS
from gnnmc.symmetry.random import random_element
from gnnmc.symmetry.repair import Repair, repair
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.symmetry.widen import Widening, widen

__all__ = [
    "METHODS",
    "Alignment",
    "Element",
    "Folding",
    "Repair",
    "Symmetry",
    "SymmetryClass",
    "Widening",
    "align",
    "align_many",
    "find_symmetry",
    "fold_layer_norms",
    "load_alignment",
    "random_element",
    "repair",
    "widen",
]
