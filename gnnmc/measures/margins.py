"""By how much training items are classified: output margins."""

import torch

from gnnmc.measures.measure import MEASURES, Measure, Measured

# Of the margins of the training items: the least one is a matter of one item.
QUANTILE = 0.1


def _margin(at: Measured) -> float:
    """The 10th percentile over training items of logit of the class − largest other logit."""
    problem = at.function.problem
    if not problem.loss.classification or problem.num_outputs < 2:
        return float("nan")
    logits, targets = at.outputs[at.train].flatten(0, -2), problem.targets[at.train].flatten()
    kept = targets >= 0
    logits, targets = logits[kept], targets[kept]
    own = logits.gather(1, targets[:, None])[:, 0]
    others = logits.scatter(1, targets[:, None], -torch.inf).amax(1)
    return float(torch.quantile((own - others).double(), QUANTILE))


MEASURES.add(
    "margin",
    Measure(_margin, -1, "output margin, 10th percentile", "logits", "Jiang et al. 2020, appendix C (margin)"),
)
