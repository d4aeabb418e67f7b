"""Deep adaptation by maximum mean discrepancy: embeddings of both domains with one distribution."""

from dataclasses import dataclass

from torch import Tensor

from gnnmc.similarity.mmd import squared_mmd
from gnnmc.training.adaptation.adaptation import Adaptation, Numbers, embeddings, some
from gnnmc.training.objective import Forward, Step


@dataclass(frozen=True, kw_only=True)
class MmdSettings(Numbers):
    """weight: of the squared MMD. most: items of each domain that are compared in a step, drawn anew."""

    weight: float = 1.0
    most: int = 1000


class MmdObjective(Adaptation[MmdSettings]):
    """Source loss + weight · MMD² of the embeddings, with five Gaussian kernels around the median distance.

    Numbers: weight 1, most 1000. Reports: source, mmd (without unit).

    As in the paper: multi-kernel MMD, bandwidths about the median distance of the step's own embeddings. Ours: kernels
    that weigh the same (the paper learns their weights), one layer (it takes three), the biased estimate, which is
    never negative, of at most so many items at once in place of its linear-time one.

    Source: Long et al. 2015 (arXiv 1502.02791), section 3.
    """

    name = "mmd"
    Settings = MmdSettings

    def discrepancy(self, step: Step, source: Forward, target: Forward) -> Tensor:
        most = self.settings.most
        rows = [some(embeddings(shown), most, step.generator) for shown in (source, target)]
        distance = squared_mmd(*rows, unbiased=False).value
        step.report(mmd=distance)
        return self.settings.weight * distance.to(source.hidden.dtype)
