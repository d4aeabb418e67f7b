"""An adversary that tells domains apart, and the layer that turns its gradient against the model."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradient, None


def reversed_gradient(x: Tensor, strength: float) -> Tensor:
    """x itself, whose gradient is −strength times that of x (Ganin et al. 2016, section 4.2). Shapes: (…) → (…)."""
    return _Reversal.apply(x, strength)


def domain_classifier(width: int, hidden: int, dropout: float = 0.0) -> nn.Module:
    """Two layers: of which of two domains an embedding is. Shapes: (n, F) → (n, 2)."""
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 2))


def domain_loss(classifier: nn.Module, source: Tensor, target: Tensor, strength: float) -> Tensor:
    """Cross-entropy of telling the domains apart, both weighing the same, in nats; log 2 where they are alike.

    The classifier learns to lower it; whatever made the embeddings to raise it, with that strength.

    Shapes: source (n, F), target (m, F); a scalar.
    """
    losses = []
    for domain, rows in enumerate((source, target)):
        said = classifier(reversed_gradient(rows, strength))
        truth = torch.full((len(rows),), domain, device=rows.device)
        losses.append(functional.cross_entropy(said, truth))
    return torch.stack(losses).mean()
