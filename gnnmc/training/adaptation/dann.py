"""Domain-adversarial training: embeddings of which no classifier can tell the domain."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from gnnmc.training.adaptation.adaptation import Adaptation, Numbers, embeddings
from gnnmc.training.adaptation.adversary import domain_classifier, domain_loss
from gnnmc.training.objective import Forward, Step


@dataclass(frozen=True, kw_only=True)
class DannSettings(Numbers):
    """weight: of the domain loss. sharpness: how fast the reversed gradient rises. hidden: the classifier's width."""

    weight: float = 1.0
    sharpness: float = 10.0
    hidden: int = 100


class DannObjective(Adaptation[DannSettings]):
    """Source loss + weight · loss of a domain classifier, whose gradient reaches the model reversed.

    The reversed gradient is multiplied by λ = 2/(1 + e^(−sharpness·p)) − 1, p the share of the training done, so that
    the classifier learns before the model is turned against it.

    Numbers: weight 1, sharpness 10, hidden 100. Reports: source, domain (nats, log 2 where the domains are alike), λ
    as strength.

    As in the paper: gradient reversal, the schedule, a classifier of two layers. Ours: one optimizer and one learning
    rate for all (the paper anneals it), all nodes of both graphs, the domains weighing the same.

    Source: Ganin et al. 2016 (arXiv 1505.07818), sections 4.2 and 5.2.2.
    """

    name = "dann"
    Settings = DannSettings

    def parts(self, step: Step) -> nn.Module:
        return domain_classifier(step.source().hidden.shape[-1], self.settings.hidden)

    def discrepancy(self, step: Step, source: Forward, target: Forward) -> Tensor:
        strength = rising(step.progress, self.settings.sharpness)
        loss = domain_loss(step.parts, embeddings(source), embeddings(target), strength)
        step.report(domain=loss, strength=strength)
        return self.settings.weight * loss


def rising(progress: float, sharpness: float) -> float:
    """From 0 to 1 over the training: 2/(1 + e^(−sharpness·progress)) − 1."""
    return 2.0 / (1.0 + math.exp(-sharpness * progress)) - 1.0
