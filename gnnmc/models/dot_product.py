"""Scaled dot-product attention of several heads (Vaswani et al. 2017), with a map of its own for queries, keys, values.

Whoever derives from it says who attends to whom.
"""

from torch import Tensor, nn
from torch.nn import functional


class DotProductAttention(nn.Module):
    """Four linear maps of the width of the stream, and what is between them.

    heads: must divide `hidden`; head number k has the k-th of equal parts of the channels.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, hidden)

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, causal: bool = False
    ) -> Tensor:
        """Values mixed by the likeness of queries and keys. causal: each place sees itself and those before alone.

        Shapes: (G, M, H) each, mask (G, 1, 1, M) → (G, M, H).
        """
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (query, key, value))
        mixed = functional.scaled_dot_product_attention(query, key, value, mask, is_causal=causal)
        return mixed.transpose(1, 2).flatten(2)


class SequenceAttention(DotProductAttention):
    """Attention among the places of each item. causal: each place sees itself and those before alone.

    Shapes: x (N, T, H) → (N, T, H).
    """

    def __init__(self, hidden: int, heads: int, *, causal: bool) -> None:
        super().__init__(hidden, heads)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.attend(self.query(x), self.key(x), self.value(x), causal=self.causal))
