"""Objectives for domain adaptation: a labeled source, and a target whose labels are not used."""

from typing import Any

from gnnmc.registry import Registry
from gnnmc.training.adaptation.adaptation import Adaptation, Numbers
from gnnmc.training.adaptation.adversary import domain_classifier, domain_loss, reversed_gradient
from gnnmc.training.adaptation.coral import CoralObjective, CoralSettings
from gnnmc.training.adaptation.dann import DannObjective, DannSettings
from gnnmc.training.adaptation.mmd import MmdObjective, MmdSettings
from gnnmc.training.adaptation.specreg import SpecRegObjective, SpecRegSettings
from gnnmc.training.adaptation.udagcn import UdagcnObjective, UdagcnSettings

# name → class, made with (target, **numbers); `.Settings` are the numbers that it has.
OBJECTIVES: Registry[type[Adaptation[Any]]] = Registry("objective")
for _objective in (CoralObjective, MmdObjective, DannObjective, UdagcnObjective, SpecRegObjective):
    OBJECTIVES.add(_objective.name, _objective)

__all__ = [
    "OBJECTIVES",
    "Adaptation",
    "CoralObjective",
    "CoralSettings",
    "DannObjective",
    "DannSettings",
    "MmdObjective",
    "MmdSettings",
    "Numbers",
    "SpecRegObjective",
    "SpecRegSettings",
    "UdagcnObjective",
    "UdagcnSettings",
    "domain_classifier",
    "domain_loss",
    "reversed_gradient",
]
