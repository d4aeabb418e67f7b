"""SpecReg-style training: embeddings whose response over the frequencies of the graph is smooth and not too large."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.training.adaptation.adaptation import Adaptation, Numbers, embeddings, require_graphs
from gnnmc.training.adaptation.adversary import domain_classifier, domain_loss
from gnnmc.training.adaptation.dann import rising
from gnnmc.training.adaptation.entropy import mean_entropy
from gnnmc.training.objective import Forward, Step


@dataclass(frozen=True, kw_only=True)
class SpecRegSettings(Numbers):
    """smooth, smooth_above: weight of the spectral smoothness, and what of it is free. response, response_above: the
    same of the maximum frequency response. frequencies: how many, the highest first, at least 2. adversarial: weight of
    the domain loss. sharpness, hidden: of the reversed gradient and of the domain classifier, as of DANN. entropy:
    weight of the target's entropy at the end of the training, 0 at its beginning.
    """

    smooth: float = 0.01
    smooth_above: float = 0.01
    response: float = 0.01
    response_above: float = 0.75
    frequencies: int = 100
    adversarial: float = 0.1
    sharpness: float = 10.0
    hidden: int = 100
    entropy: float = 0.01

    def __post_init__(self) -> None:
        # Smoothness is of differences between one frequency and the next.
        whole_number("frequencies", self.frequencies, least=2)
        super().__post_init__()


class SpecRegObjective(Adaptation[SpecRegSettings]):
    """Source loss + spectral regularization of both graphs' embeddings + domain-adversarial loss + entropy on target.

    With x̂ = U·H, the embeddings H in the basis U of the graph's frequencies (eigenvectors of D − A, highest first):
    smoothness is the mean of max(0, ||x̂_k| − |x̂_(k+1)|| − smooth_above), the maximum frequency response that of
    max(0, |x̂_k| − response_above), each summed over source and target.

    Numbers: those of `SpecRegSettings`. Reports: source, smooth, response, domain, entropy.

    As in the paper and its code: both regularizers with thresholds, on an adversarial training, the entropy. Ours: the
    difference of the sizes |x̂| (the sign of an eigenvector is arbitrary, and with it the code's difference); both
    regularizers at once, where the paper uses one or the other (weight 0 turns one off), with thresholds that its code
    names; the 100 highest frequencies (1,000 there); the reversed gradient of a domain classifier in place of a
    Wasserstein critic with five steps and an optimizer of its own; the local view alone.

    Source: You et al. 2023 (ICLR), lemmas 1 and 2 and section 3, and the code of its authors.
    """

    name = "specreg"
    aligns = False
    Settings = SpecRegSettings

    def prepare_views(self, source: Problem, target: Problem) -> tuple[Tensor, Tensor]:
        require_graphs(self.name, source, target)
        return self._basis(source), self._basis(target)

    def parts(self, step: Step) -> nn.Module:
        return domain_classifier(step.source().hidden.shape[-1], self.settings.hidden)

    def discrepancy(self, step: Step, source: Forward, target: Forward) -> Tensor:
        chosen = self.settings
        rows = [embeddings(source), embeddings(target)]
        sizes = [(basis @ each).abs() for basis, each in zip(step.prepared, rows, strict=True)]
        smooth = _above([each.diff(dim=0).abs() for each in sizes], chosen.smooth_above)
        response = _above(sizes, chosen.response_above)
        domain = domain_loss(step.parts, rows[0], rows[1], rising(step.progress, chosen.sharpness))
        entropy = mean_entropy(target.outputs)
        step.report(smooth=smooth, response=response, domain=domain, entropy=entropy)
        return (
            chosen.smooth * smooth
            + chosen.response * response
            + chosen.adversarial * domain
            + chosen.entropy * step.progress * entropy
        )

    def _basis(self, problem: Problem) -> Tensor:
        """The highest frequencies of its graph. Shapes: → (K, N)."""
        from gnnmc.training.adaptation.spectrum import high_frequencies  # scipy's solvers load when first used

        (data,) = problem.batches if len(problem.batches) == 1 else (None,)
        if data is None:
            count = len(problem.batches)
            raise InputError(f"{problem.name!r} has {count} batches: objective {self.name!r} needs one graph")
        rows = high_frequencies(data.edge_index.cpu().numpy(), data.x.shape[0], self.settings.frequencies)
        return torch.tensor(rows, dtype=data.x.dtype, device=problem.device)


def _above(values: Sequence[Tensor], threshold: float) -> Tensor:
    """What lies above the threshold, the mean of each, summed."""
    return torch.stack([torch.relu(each - threshold).mean() for each in values]).sum()
