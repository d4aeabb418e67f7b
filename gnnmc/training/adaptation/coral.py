"""Deep CORAL: embeddings of both domains with one covariance."""

from dataclasses import dataclass

from torch import Tensor

from gnnmc.similarity.coral import coral
from gnnmc.training.adaptation.adaptation import Adaptation, Numbers, embeddings
from gnnmc.training.objective import Forward, Step


@dataclass(frozen=True, kw_only=True)
class CoralSettings(Numbers):
    """weight: of the CORAL loss."""

    weight: float = 1.0


class CoralObjective(Adaptation[CoralSettings]):
    """Source loss + weight · ‖C_s − C_t‖²_F / 4F², C the covariances of the embeddings.

    Numbers: weight 1. Reports: source, coral.

    As in the paper: the loss, on the input of the last layer, whose width they choose as the number of classes. Ours:
    the layer (the paper takes the last one's outputs), a weight that is not tuned, and all nodes of both graphs.

    Source: Sun & Saenko 2016 (arXiv 1607.01719), equations 1 to 6.
    """

    name = "coral"
    Settings = CoralSettings

    def discrepancy(self, step: Step, source: Forward, target: Forward) -> Tensor:
        distance = coral(embeddings(source), embeddings(target))
        step.report(coral=distance)
        return self.settings.weight * distance
