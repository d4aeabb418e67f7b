"""Models as users write them, each with the groups that it has, found by thinking and not by running.

A group is written "SIZE[xCOPIES] CLASSES: axes"; classes by letter: p permutation, m semi, g signed, s scaling,
o orthogonal, i invertible.
"""

import warnings

import torch
import torch.nn.functional as F
from torch import nn

from gnnmc.problem import Problem

CASES = {}
IN, OUT = 8, 3


def case(*groups, of="nodes"):
    """Register a module with its groups; of: what it is asked about (nodes, images or tokens)."""

    def register(module):
        CASES[module.__name__] = (module, groups, of)
        return module

    return register


def problem_of(kind, count=24):
    """A problem whose inputs say nothing of interest."""
    generator = torch.Generator().manual_seed(0)
    splits = {"train": torch.arange(count)}
    if kind == "images":
        return Problem.arrays(torch.randn(count, 1, 6, 6, generator=generator), torch.arange(count) % OUT, splits)
    if kind == "tokens":
        x = torch.randint(0, 11, (count, 5), generator=generator)
        return Problem.arrays(x.float(), torch.arange(count) % OUT, splits)
    return Problem.arrays(torch.randn(count, IN, generator=generator), torch.arange(count) % OUT, splits)


class Hidden(nn.Module):
    """One hidden layer; its function is for others to say."""

    def __init__(self, width=16):
        super().__init__()
        self.a, self.b = nn.Linear(IN, width), nn.Linear(width, OUT)

    def act(self, h):
        return h

    def forward(self, x):
        return self.b(self.act(self.a(x)))


ONE = "a.weight[0] a.bias[0] b.weight[1]"


@case(f"16 pms: {ONE}")
class Relu(Hidden):
    def act(self, h):
        return torch.relu(h)


@case(f"16 pms: {ONE}")
class LeakyInPlace(Hidden):
    def act(self, h):
        return F.leaky_relu_(h, 0.1)


@case(f"16 pg: {ONE}")
class Tanh(Hidden):
    def act(self, h):
        return torch.tanh(h)


@case(f"16 pg: {ONE}")
class Sine(Hidden):
    def act(self, h):
        return torch.sin(3 * h)


@case(f"16 p: {ONE}")
class Gelu(Hidden):
    def act(self, h):
        return F.gelu(h)


@case(f"16 pi: {ONE}")
class Linears(Hidden):
    pass


@case(f"16 pmgs: {ONE}")
class Magnitude(Hidden):
    def act(self, h):
        return h.abs()


@case(f"16 pmgs: {ONE}")
class Squared(Hidden):
    def act(self, h):
        return h**2


@case(f"16 pmgs: {ONE}")
class Cubed(Hidden):
    def act(self, h):
        return h * h * h


@case(f"16 pms: {ONE}")
class ReluSquared(Hidden):
    def act(self, h):
        return torch.relu(h) ** 2


@case(f"16 p: {ONE}")
class Softmaxed(Hidden):
    def act(self, h):
        return h.softmax(-1)


@case(f"16 p: {ONE}")
class Shifted(Hidden):
    """A number added to all units passes no factor."""

    def act(self, h):
        return torch.relu(h + 1.0)


@case()
class ShiftedUnevenly(Hidden):
    """Numbers that tell the units apart."""

    def act(self, h):
        return torch.relu(h + torch.arange(16.0))


@case()
class Pruned(Hidden):
    def __init__(self):
        super().__init__()
        self.mask = (torch.rand(16, IN, generator=torch.Generator().manual_seed(1)) > 0.5).float()

    def forward(self, x):
        return self.b(torch.relu(F.linear(x, self.a.weight * self.mask, self.a.bias)))


@case(f"16 pms: {ONE}")
class InputsPruned(Hidden):
    def forward(self, x):
        mask = torch.tensor([1.0, 0, 1, 1, 0, 1, 0, 1])
        return self.b(torch.relu(F.linear(x, self.a.weight * mask, self.a.bias)))


@case(f"16 pms: {ONE} slope[0]")
class Prelu(Hidden):
    """A slope for each unit."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.rand(16))

    def act(self, h):
        return F.prelu(h, self.slope)


@case(f"16 pms: {ONE}")
class PreluOfAll(Hidden):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.rand(1))

    def act(self, h):
        return F.prelu(h, self.slope)


@case(f"16 pms: {ONE}")
class Rows(Hidden):
    """Written row by row, by einsum."""

    def forward(self, x):
        h = torch.relu(torch.einsum("nf,hf->nh", x, self.a.weight) + self.a.bias[None])
        return torch.einsum("nh,ch->nc", h, self.b.weight) + self.b.bias


@case(f"16 p: {ONE}")
class Branching(Hidden):
    """What is done depends on a value, which must therefore stay."""

    def act(self, h):
        h = torch.relu(h)
        return h * 2 if float(h.detach().amax()) > -1 else h


@case("16 pms: a.weight[0] a.bias[0] w.weight[0] w.weight[1] w.bias[0] b.weight[1]")
class Shared(Hidden):
    def __init__(self):
        super().__init__()
        self.w = nn.Linear(16, 16)

    def act(self, h):
        return torch.relu(self.w(torch.relu(self.w(torch.relu(h)))))


@case("16 pms: a.weight[0] a.bias[0] w.weight[0] w.weight[1] b.weight[1]")
class BiasTwice(Hidden):
    def __init__(self):
        super().__init__()
        self.w = nn.Linear(16, 16, bias=False)

    def act(self, h):
        return torch.relu(self.w(torch.relu(h)) + self.a.bias)


@case(f"16 pms: {ONE}")
class Unused(Hidden):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(16, 16)

    def act(self, h):
        return torch.relu(h)


@case(f"16 pmgs: {ONE} g.weight[0] g.bias[0]")
class Gated(Hidden):
    """A gate for each unit: a function without symmetry times the unit."""

    def __init__(self):
        super().__init__()
        self.g = nn.Linear(IN, 16)

    def forward(self, x):
        return self.b(self.a(x) * torch.sigmoid(self.g(x)))


@case(f"16 pmgs: {ONE} g.weight[0] g.bias[0]")
class SwiGlu(Hidden):
    def __init__(self):
        super().__init__()
        self.g = nn.Linear(IN, 16)

    def forward(self, x):
        return self.b(F.silu(self.g(x)) * self.a(x))


@case("16 pmgs: a.weight[0] a.bias[0] b.weight[1]")
class Glu(nn.Module):
    """Values and gates in one map, first and second half."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(IN, 32), nn.Linear(16, OUT)

    def forward(self, x):
        return self.b(F.glu(self.a(x)))


@case("16 pms: a.weight[0] a.bias[0] c.weight[0] c.weight[1] c.bias[0] b.weight[1]")
class Residual(Hidden):
    """The layer of a residual reads what it adds to: both its axes are of one group."""

    def __init__(self):
        super().__init__()
        self.c = nn.Linear(16, 16)
        self.b = nn.Linear(16, OUT)

    def act(self, h):
        h = torch.relu(h)
        return h + torch.relu(self.c(h))


@case(
    "16 pms: a.weight[0] a.bias[0] c.weight[1] b.weight[1]",
    "12 pms: c.weight[0] c.bias[0] b.weight[1]",
)
class Concatenated(Hidden):
    def __init__(self):
        super().__init__()
        self.c, self.b = nn.Linear(16, 12), nn.Linear(28, OUT)

    def act(self, h):
        h = torch.relu(h)
        return torch.cat([h, torch.relu(self.c(h))], 1)


@case("16 pgs: a.weight[0] a.bias[0] n.weight[0] n.bias[0] b.weight[1]")
class LayerNormed(Hidden):
    """γ and β after the norm: factors and signs pass to what reads them; before it stands a ReLU."""

    def __init__(self):
        super().__init__()
        self.n = nn.LayerNorm(16)

    def act(self, h):
        return self.n(torch.relu(h))


@case("16 pgso: a.weight[0] a.bias[0] n.weight[0] n.bias[0] b.weight[1]")
class LayerNormedLinears(Hidden):
    def __init__(self):
        super().__init__()
        self.n = nn.LayerNorm(16)

    def act(self, h):
        return self.n(h)


@case("16 pgso: a.weight[0] a.bias[0] n.weight[0] b.weight[1]")
class RmsNormedLinears(Hidden):
    def __init__(self):
        super().__init__()
        self.n = nn.RMSNorm(16)

    def act(self, h):
        return self.n(h)


@case("16 pgso: a.weight[0] a.bias[0] g[0] b.weight[1]")
class RmsByHand(Hidden):
    def __init__(self):
        super().__init__()
        self.g = nn.Parameter(torch.rand(16))

    def act(self, h):
        return h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6) * self.g


@case("16 pmgso: a.weight[0] a.bias[0] g[0] b.weight[1]")
class Factored(Hidden):
    """As γ, but with no norm before it: writers may be given factors too, which are no rotation."""

    def __init__(self):
        super().__init__()
        self.g = nn.Parameter(torch.rand(16) + 0.5)

    def act(self, h):
        return h * self.g


@case("16 pmgso: a.weight[0] a.bias[0] c.weight[0] c.bias[0] g[0] k[0] b.weight[1] d.weight[1]")
class FactoredTwice(Factored):
    """Two writers, and two readers, each behind factors of its own."""

    def __init__(self):
        super().__init__()
        self.k, self.c, self.d = nn.Parameter(torch.rand(16) + 0.5), nn.Linear(IN, 16), nn.Linear(16, OUT)

    def forward(self, x):
        h = self.a(x) + self.c(x)
        return self.b(h * self.g) * self.d(h * self.k)


@case(f"16 pgo: {ONE}")
class Normalized(Hidden):
    """To length 1: a rotation passes, its signs included."""

    def act(self, h):
        return F.normalize(h)


@case("16 pmgs: a.weight[0] a.bias[0] n.weight[0] n.bias[0] n.running_mean[0] n.running_var[0] b.weight[1]")
class BatchNormed(Hidden):
    """Signs before the norm are undone by γ; factors pass after it."""

    def __init__(self):
        super().__init__()
        self.n = nn.BatchNorm1d(16)

    def act(self, h):
        return torch.relu(self.n(h))


@case(
    "4 p: a.weight[0] a.bias[0] n.weight[0] n.bias[0] b.weight[1]",
    "4x4 ps: a.weight[0] a.bias[0] n.weight[0] n.bias[0] b.weight[1]",
)
class GroupNormed(Hidden):
    def __init__(self):
        super().__init__()
        self.n = nn.GroupNorm(4, 16)

    def act(self, h):
        return torch.relu(self.n(h))


@case("16 pg: r.weight_ih_l0[0] r.weight_hh_l0[0] r.weight_hh_l0[1] r.bias_ih_l0[0] r.bias_hh_l0[0] b.weight[1]")
class Recurrent(nn.Module):
    """Hidden state and cell of an LSTM change sign together."""

    def __init__(self):
        super().__init__()
        self.r, self.b = nn.LSTM(2, 16, batch_first=True), nn.Linear(16, OUT)

    def forward(self, x):
        return self.b(self.r(x.view(-1, 4, 2))[0][:, -1])


@case("16 pg: r.weight_ih_l0[0] r.weight_hh_l0[0] r.weight_hh_l0[1] r.bias_ih_l0[0] r.bias_hh_l0[0] b.weight[1]")
class GatedRecurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.r, self.b = nn.GRU(2, 16, batch_first=True), nn.Linear(16, OUT)

    def forward(self, x):
        return self.b(self.r(x.view(-1, 4, 2))[1][0])


@case("16 pi: e.weight[1] w.weight[1] v.weight[0] v.bias[0]", "12 pms: w.weight[0] w.bias[0] v.weight[1]", of="tokens")
class TiedHead(nn.Module):
    """Rows of the embedding are read again as those of the output: tokens are fixed, units are not."""

    def __init__(self):
        super().__init__()
        self.e, self.w, self.v = nn.Embedding(11, 16), nn.Linear(16, 12), nn.Linear(12, 16)

    def forward(self, x):
        h = self.e(x.long()).mean(1)
        return F.linear(self.v(torch.relu(self.w(h))), self.e.weight)[:, :OUT]


@case("16 pgo: e.weight[1] w.weight[1] v.weight[0] v.bias[0]", "12 pms: w.weight[0] w.bias[0] v.weight[1]", of="tokens")
class TiedResidual(TiedHead):
    """With a residual what is written and what is read move alike: a rotation at most."""

    def forward(self, x):
        h = self.e(x.long()).mean(1)
        return F.linear(h + self.v(torch.relu(self.w(h))), self.e.weight)[:, :OUT]


@case(
    "8 pms: c.weight[0] c.bias[0] d.weight[0] d.bias[0] p.weight[1]",
    "12 pms: p.weight[0] p.bias[0] o.weight[1]",
    of="images",
)
class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.d = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.p, self.o = nn.Conv2d(8, 12, 1), nn.Linear(12, OUT)

    def forward(self, x):
        x = torch.relu(self.d(torch.relu(self.c(x))))
        return self.o(torch.relu(self.p(x)).mean((2, 3)))


@case(
    "3 p: c.weight[0] c.bias[0] g.weight[0] g.bias[0] o.weight[1]",
    "4x3 ps: c.weight[0] c.bias[0] g.weight[1]",
    "2x3 pms: g.weight[0] g.bias[0] o.weight[1]",
    of="images",
)
class Grouped(nn.Module):
    """Groups of channels change places, and channels within each; the flattened positions stay."""

    def __init__(self):
        super().__init__()
        self.c, self.g = nn.Conv2d(1, 12, 3), nn.Conv2d(12, 6, 3, groups=3)
        self.o = nn.Linear(6 * 4, OUT)

    def forward(self, x):
        return self.o(torch.relu(self.g(torch.relu(self.c(x)))).flatten(1))


@case("8 pms: c.weight[0] c.bias[0] l.weight[1]", "10 pg: l.weight[0] l.bias[0] o.weight[1]", of="images")
class FlatCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.l, self.o = nn.Conv2d(1, 8, 3), nn.Linear(8 * 4, 10), nn.Linear(10, OUT)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.c(x)), 2)
        return self.o(torch.tanh(self.l(torch.flatten(x, 1))))


@case("6 pms: c.weight[0] c.bias[0] t.weight[0]", "5 pms: t.weight[1] t.bias[0] o.weight[1]", of="images")
class Transposed(nn.Module):
    """A convolution that widens."""

    def __init__(self):
        super().__init__()
        self.c, self.t, self.o = nn.Conv2d(1, 6, 3), nn.ConvTranspose2d(6, 5, 2), nn.Linear(5, OUT)

    def forward(self, x):
        return self.o(torch.relu(self.t(torch.relu(self.c(x)))).amax((2, 3)))


class Attention(nn.Module):
    """One layer of attention over five tokens, after an embedding; how heads are laid out is for others to say."""

    WIDTH, HEADS = 12, 3

    def __init__(self):
        super().__init__()
        self.e, self.qkv = nn.Embedding(11, self.WIDTH), nn.Linear(self.WIDTH, 3 * self.WIDTH)
        self.p, self.o = nn.Linear(self.WIDTH, self.WIDTH), nn.Linear(self.WIDTH, OUT)

    def heads(self, x):
        """(B, L, 3D) → three of (B, H, L, d)"""
        return x.unflatten(-1, (3, self.HEADS, -1)).permute(2, 0, 3, 1, 4)

    def forward(self, x):
        q, k, v = self.heads(self.qkv(self.e(x.long())))
        mixed = (q @ k.mT / 2).softmax(-1) @ v
        return self.o(self.p(mixed.transpose(1, 2).flatten(2)).mean(1))


STREAM = "12 pi: e.weight[1] qkv.weight[1]"
QKV = "qkv.weight[0] qkv.bias[0]"
AFTER = "12 pi: p.weight[0] p.bias[0] o.weight[1]"
HEADED = (STREAM, f"3 p: {QKV} p.weight[1]", f"4x3 pi: {QKV}", f"4x3 pi: {QKV} p.weight[1]", AFTER)


@case(*HEADED, of="tokens")
class OneByOne(Attention):
    """(3, H, d)"""


@case(*HEADED, of="tokens")
class HeadByHead(Attention):
    """(H, 3, d)"""

    def heads(self, x):
        return x.unflatten(-1, (self.HEADS, 3, -1)).permute(3, 0, 2, 1, 4)


@case(STREAM, f"3 p: {QKV} p.weight[1]", f"4x3 pgo: {QKV} p.weight[1]", AFTER, of="tokens")
class ChannelByChannel(Attention):
    """(H, d, 3): queries, keys and values are the innermost axis, so that they share the channels around it."""

    def heads(self, x):
        return x.unflatten(-1, (self.HEADS, -1, 3)).permute(4, 0, 2, 1, 3)


@case(STREAM, f"3 pmgs: {QKV} p.weight[1]", f"4 pi: {QKV}", f"4 pi: {QKV} p.weight[1]", AFTER, of="tokens")
class HeadsLast(Attention):
    """(3, d, H): heads stand within channels, which all of them share; each head has a factor of its own."""

    def heads(self, x):
        return x.unflatten(-1, (3, -1, self.HEADS)).permute(2, 0, 4, 1, 3)


@case(*HEADED, of="tokens")
class Chunked(Attention):
    def heads(self, x):
        return [one.view(*one.shape[:2], self.HEADS, -1).transpose(1, 2) for one in x.chunk(3, -1)]


@case(*HEADED, of="tokens")
class HeadsThenChunks(Attention):
    """Each head's queries, keys and values stand together, as in GPT-NeoX."""

    def heads(self, x):
        return x.view(*x.shape[:2], self.HEADS, -1).transpose(1, 2).chunk(3, -1)


@case(*HEADED, of="tokens")
class Fused(Attention):
    def forward(self, x):
        q, k, v = self.heads(self.qkv(self.e(x.long())))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(self.p(mixed.transpose(1, 2).reshape(*x.shape, -1)).mean(1))


@case(STREAM, f"3 p: {QKV} p.weight[1]", f"4x3 pi: {QKV} p.weight[1]", AFTER, of="tokens")
class Rotary(Attention):
    """Queries and keys are turned by angles of their own: their channels are told apart; values are not."""

    def turned(self, x):
        angle = torch.arange(5.0)[:, None] * torch.tensor([1.0, 0.1]).repeat(2)
        half = torch.cat([-x[..., 2:], x[..., :2]], -1)
        return x * angle.cos() + half * angle.sin()

    def forward(self, x):
        q, k, v = self.heads(self.qkv(self.e(x.long())))
        mixed = (self.turned(q) @ self.turned(k).mT / 2).softmax(-1) @ v
        return self.o(self.p(mixed.transpose(1, 2).flatten(2)).mean(1))


@case(
    STREAM,
    f"3 p: {QKV} p.weight[1]",
    f"4 pgs: {QKV} nq.weight[0] nk.weight[0]",
    f"4x3 pi: {QKV} p.weight[1]",
    AFTER,
    of="tokens",
)
class QkNorm(Attention):
    """γ of queries and keys is one for all heads: so are their channels."""

    def __init__(self):
        super().__init__()
        self.nq, self.nk = nn.RMSNorm(4), nn.RMSNorm(4)

    def forward(self, x):
        q, k, v = self.heads(self.qkv(self.e(x.long())))
        mixed = (self.nq(q) @ self.nk(k).mT / 2).softmax(-1) @ v
        return self.o(self.p(mixed.transpose(1, 2).flatten(2)).mean(1))


@case(
    "12 pi: e.weight[1] q.0.weight[1] k.0.weight[1] v.0.weight[1] q.1.weight[1] k.1.weight[1] v.1.weight[1]",
    "4 pi: q.0.weight[0] k.0.weight[0] q.0.bias[0] k.0.bias[0]",
    "4 pi: q.1.weight[0] k.1.weight[0] q.1.bias[0] k.1.bias[0]",
    "4 pi: v.0.weight[0] v.0.bias[0] p.weight[1]",
    "4 pi: v.1.weight[0] v.1.bias[0] p.weight[1]",
    AFTER,
    of="tokens",
)
class Loop(nn.Module):
    """Heads as modules of their own."""

    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(11, 12)
        self.q, self.k, self.v = (nn.ModuleList(nn.Linear(12, 4) for _ in range(2)) for _ in range(3))
        self.p, self.o = nn.Linear(8, 12), nn.Linear(12, OUT)

    def forward(self, x):
        h = self.e(x.long())
        made = []
        for q, k, v in zip(self.q, self.k, self.v, strict=True):
            made.append((q(h) @ k(h).mT).softmax(-1) @ v(h))
        return self.o(self.p(torch.cat(made, -1)).mean(1))


@case("16 p: e.weight[1] t[1] o.weight[1]", of="tokens")
class Positions(nn.Module):
    """Learned tokens and positions, gelu."""

    def __init__(self):
        super().__init__()
        self.e, self.o, self.t = nn.Embedding(11, 16), nn.Linear(16, OUT), nn.Parameter(torch.randn(5, 16))

    def forward(self, x):
        return self.o(F.gelu(self.e(x.long()) + self.t).mean(1))


@case("8 pms: a.weight[0] a.bias[0] b.weight[1]")
class Repeated(Hidden):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(IN, 8), nn.Linear(16, OUT)

    def act(self, h):
        return torch.relu(h.repeat(1, 2))


@case("16 p: a.weight[0] a.bias[0] b.weight[1]")
class Noisy(Hidden):
    """Numbers drawn when it is evaluated tell the units apart."""

    def act(self, h):
        return torch.relu(h + torch.randn(len(h), 1))


@case()
class NoisyUnits(Hidden):
    def act(self, h):
        return torch.relu(h + torch.randn_like(h))


@case()
class HalvesWritten(Hidden):
    """Parts written into a tensor of zeros, through views: not followed."""

    def act(self, h):
        made = torch.zeros_like(h)
        made[:, :8] = torch.relu(h[:, :8])
        made[:, 8:] = torch.relu(h[:, 8:])
        return made


@case(f"8 pms: {ONE}", f"8 pg: {ONE}")
class TwoFunctions(Hidden):
    def act(self, h):
        return torch.cat([torch.relu(h[:, :8]), torch.tanh(h[:, 8:])], 1)


@case("16 pms: a.weight[0] a.bias[0] c.weight[0] c.weight[1] b.weight[1]")
class Twice(Hidden):
    """One map before and after: its axes are of one group."""

    def __init__(self):
        super().__init__()
        self.c = nn.Linear(16, 16, bias=False)

    def act(self, h):
        return torch.relu(self.c(torch.relu(self.c(torch.relu(h)))))


@case("3 p: a[0] b[0]", "4x3 pms: a[2] b[1]")
class Mixture(nn.Module):
    """Three experts in one tensor, added: they change places, and the units of each by themselves."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(3, IN, 4)), nn.Parameter(torch.randn(3, 4, OUT))

    def forward(self, x):
        h = torch.relu(torch.einsum("nf,efh->neh", x, self.a))
        return torch.einsum("neh,ehc->nc", h, self.b)


@case()
class Chosen(Hidden):
    """Which unit is the largest is told by its number: the order of units is held."""

    def act(self, h):
        return F.one_hot(h.argmax(1), 16).to(h) * 2


@case()
class Winners(Hidden):
    """The largest units, in order of size."""

    def __init__(self):
        super().__init__()
        self.b = nn.Linear(4, OUT)

    def act(self, h):
        return h.topk(4, 1)[0]


@case("16 p: a.weight[0] a.bias[0] f.weight[1]")
class Foreign(Hidden):
    """An operation that nobody foresaw stops what goes into it, and nothing else."""

    def __init__(self):
        super().__init__()
        self.f = nn.Linear(16, 4)
        self.b = nn.Linear(4, OUT)

    def act(self, h):
        return torch.fft.rfft(self.f(F.gelu(h)).repeat(1, 2))[:, :4].real


@case("16 pms: a.weight[0] a.bias[0] b.weight[1]")
class BestRows(Hidden):
    """Rows picked by what is computed."""

    def forward(self, x):
        h = torch.relu(self.a(x))
        best = self.b(h)[:, 0].topk(3)[1]
        return self.b(h + h[best].mean(0))


@case("16 ps: q.weight[0] q.bias[0] k.weight[0] k.bias[0]")
class LinearAttention(nn.Module):
    """Units that no tensor reads, but other units: none can be shared."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(IN, 16), nn.Linear(IN, 16), nn.Linear(IN, OUT)

    def forward(self, x):
        return torch.relu(self.q(x)) @ self.k(x).T @ self.v(x) / len(x)


@case("16 p: a.weight[0] a.bias[0] be[0] b.weight[1]")
class LayerNormedByOnes(Hidden):
    """γ is a constant, β is learned: what is added to a norm that no factor passes has none."""

    def __init__(self):
        super().__init__()
        self.be = nn.Parameter(torch.randn(16))

    def act(self, h):
        return torch.relu(F.layer_norm(h, (16,), torch.ones(16), self.be))


@case("16 p: a.weight[0] a.bias[0] ga[0] b.weight[1]")
class LayerNormedAndShifted(Hidden):
    """γ is learned, β is one number for all."""

    def __init__(self):
        super().__init__()
        self.ga = nn.Parameter(torch.randn(16))

    def act(self, h):
        return torch.relu(F.layer_norm(h, (16,), self.ga, torch.full((16,), 0.5)))


@case("16 p: a.weight[0] a.bias[0] ga[0] b.weight[1]")
class BatchNormedAndShifted(LayerNormedAndShifted):
    """Means and β are one number for all."""

    def act(self, h):
        return torch.relu(F.batch_norm(h, torch.ones(16), torch.ones(16), self.ga, torch.full((16,), 0.5)))


@case("16 pi: a.weight[0] a.bias[0] w[0]")
class AddedTimesNothing(Hidden):
    def __init__(self):
        super().__init__()
        self.w, self.c = nn.Parameter(torch.randn(16, OUT)), nn.Parameter(torch.randn(OUT))

    def forward(self, x):
        return torch.addmm(self.c, self.a(x), self.w, beta=0)


@case("4 p: w[0] c[0] o[0]", "5x4 pms: w[2] c[2] o[1]")
class AddedToBatches(nn.Module):
    """What is added to a product has the factors of the product, not one more of its own."""

    def __init__(self):
        super().__init__()
        self.w, self.c = nn.Parameter(torch.randn(4, IN, 5)), nn.Parameter(torch.randn(4, 1, 5))
        self.o = nn.Parameter(torch.randn(4, 5, OUT))

    def forward(self, x):
        h = torch.baddbmm(self.c, x.expand(4, *x.shape), self.w)
        return torch.bmm(torch.relu(h), self.o).sum(0)


@case()
class Multiplied(Hidden):
    """Rows that come to one place are multiplied: not followed."""

    def act(self, h):
        rows = torch.arange(len(h)).flip(0)[:, None].expand_as(h)
        with warnings.catch_warnings(action="ignore"):  # of the argument's end
            return torch.ones_like(h).scatter(0, rows, torch.relu(h), reduce="multiply")


@case("3 p: a[0] b[0] c[0]", "4 p: a[2] b[1]", "5x3 p: b[2] c[1]")
class Experts(nn.Module):
    """Experts of two hidden layers each: one of these is moved expert by expert, the other alike, which is said."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(3, IN, 4)), nn.Parameter(torch.randn(3, 4, 5))
        self.c = nn.Parameter(torch.randn(3, 5, OUT))

    def forward(self, x):
        h = F.gelu(torch.einsum("nf,efh->enh", x, self.a))
        return torch.bmm(F.gelu(torch.bmm(h, self.b)), self.c).sum(0)


@case("3 p: a[0] b[0] c[0] s[0]", "4x3 p: a[2] b[1] s[1]", "5 p: b[2] c[1] g[0]")
class ExpertsNormed(Experts):
    """A slope for each unit of the second layer is one for all experts, so that its units are moved alike."""

    def __init__(self):
        super().__init__()
        self.s, self.g = nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5))

    def forward(self, x):
        h = F.gelu(torch.einsum("nf,efh->enh", x, self.a) + self.s[:, None])
        return torch.bmm(F.gelu(torch.bmm(h, self.b) + self.g), self.c).sum(0)


@case(
    "2 p: e.weight[0] e.bias[0] m.0.weight[0] m.0.weight[1] s[0] o.weight[1]",
    "4 p: e.weight[0] e.bias[0] m.0.weight[0] m.0.weight[1] s[1] o.weight[1]",
)
class ResidualHeads(nn.Module):
    """Channels within heads on both axes of one map: moved alike in all heads, which is less than may be, and said."""

    def __init__(self):
        super().__init__()
        self.e, self.m, self.o = nn.Linear(IN, 8), nn.ModuleList([nn.Linear(8, 8, bias=False)]), nn.Linear(8, OUT)
        self.s = nn.Parameter(torch.randn(2, 4))

    def forward(self, x):
        h = self.e(x)
        heads = self.m[0](h).view(-1, 2, 4)
        h = h + (heads * (heads * self.s).sum(-1, keepdim=True).sigmoid()).flatten(1)
        return self.o(F.gelu(h))
