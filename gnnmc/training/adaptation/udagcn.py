"""UDAGCN-style training: domain-adversarial embeddings of a local and a global view of each graph."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnnmc.problem import Problem
from gnnmc.training.adaptation.adaptation import Adaptation, Numbers, embeddings, require_graphs
from gnnmc.training.adaptation.adversary import domain_classifier, domain_loss
from gnnmc.training.adaptation.entropy import mean_entropy
from gnnmc.training.adaptation.ppmi import ppmi
from gnnmc.training.objective import Forward, Step


@dataclass(frozen=True, kw_only=True)
class UdagcnSettings(Numbers):
    """adversarial: weight of the domain loss. strength: of the reversed gradient, reached linearly with the share of
    the training done. entropy: weight of the target's entropy at the end of the training, 0 at its beginning.
    global_view: weight of the source's loss on the global view. hidden, dropout: of the domain classifier. walks,
    length: random walks from every node, and how long they are at most. neighbors: the strongest pairs of a node.
    """

    adversarial: float = 1.0
    strength: float = 0.05
    entropy: float = 0.01
    global_view: float = 1.0
    hidden: int = 40
    dropout: float = 0.1
    walks: int = 40
    length: int = 10
    neighbors: int = 10


class UdagcnObjective(Adaptation[UdagcnSettings]):
    """Source loss + domain-adversarial loss of embeddings of two views + entropy on the target.

    The local view of a graph is its edges, the global one the pairs of nodes with positive mutual information on random
    walks; one set of weights works on both, and attention, which is the objective's own, joins their embeddings.

    Numbers: those of `UdagcnSettings`. Reports: source, global, domain, entropy.

    As in the paper: weights shared by both views, attention between them, gradient reversal with a classifier of two
    layers, the entropy of the target's predictions. As in its code: the schedules of the last two, widths, walks.
    Ours: any model in place of two GCN layers; what a mode keeps are the model's weights, so that the classes are
    predicted from the local view, where the paper predicts from the joined embedding: the source's loss is therefore
    taken on both views; information below 0 is dropped, as the name says (the code keeps it), and the strongest pairs
    of every node are kept; a model whose forward takes no `edge_weight` sees the pairs and not their values. The code's
    penalty on the mean of the weights is left out: weight decay is the optimizer's.

    Source: Wu et al. 2020 (WWW), sections 4.1 to 4.4, and the code of its authors.
    """

    name = "udagcn"
    Settings = UdagcnSettings

    def prepare_views(self, source: Problem, target: Problem) -> tuple[Sequence[Any], Sequence[Any]]:
        require_graphs(self.name, source, target)
        return self._global_view(source), self._global_view(target)

    def parts(self, step: Step) -> nn.Module:
        width = step.source().hidden.shape[-1]
        classifier = domain_classifier(width, self.settings.hidden, self.settings.dropout)
        return nn.ModuleDict({"domain": classifier, "attention": nn.Linear(width, 1)})

    def discrepancy(self, step: Step, source: Forward, target: Forward) -> Tensor:
        chosen = self.settings
        views = zip((step.problem, *step.further), step.prepared, strict=True)
        global_source, global_target = (step.view(problem, batches) for problem, batches in views)
        joined = [
            _attended(step.parts["attention"], embeddings(local), embeddings(other))
            for local, other in ((source, global_source), (target, global_target))
        ]
        domain = domain_loss(step.parts["domain"], joined[0], joined[1], min(step.progress, chosen.strength))
        on_global, entropy = step.loss_of(global_source), mean_entropy(target.outputs)
        step.report(domain=domain, entropy=entropy, **{"global": on_global})
        return chosen.global_view * on_global + chosen.adversarial * domain + chosen.entropy * step.progress * entropy

    def _global_view(self, problem: Problem) -> list[Any]:
        chosen = self.settings
        views = []
        for data in problem.batches:
            edges, nodes = data.edge_index.cpu().numpy(), data.x.shape[0]
            pairs = ppmi(edges, nodes, walks=chosen.walks, length=chosen.length, neighbors=chosen.neighbors).tocoo()
            view = copy.copy(data)
            view.edge_index = torch.tensor(np.stack([pairs.row, pairs.col]), device=problem.device).long()
            view.edge_weight = torch.tensor(pairs.data, dtype=data.x.dtype, device=problem.device)
            view.edge_attr = None
            views.append(view)
        return views


def _attended(attention: nn.Module, *views: Tensor) -> Tensor:
    """The views of each node, weighed against one another. Shapes: (n, F) each → (n, F)."""
    stacked = torch.stack(views, dim=1)
    return (torch.softmax(attention(stacked), dim=1) * stacked).sum(dim=1)
