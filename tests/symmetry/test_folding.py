"""LayerNorms folded to RMSNorms: outputs stay, and the residual stream may be turned at will."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import SymmetryClass, find_symmetry, random_element
from gnnmc.symmetry.folding import fold_layer_norms
from gnnmc.symmetry.folding.modules import Rms
from gnnmc.weights import Mode

ITEMS, LENGTH, WORDS, WIDTH = 12, 5, 11, 16


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def splits():
    return {name: torch.arange(ITEMS) for name in ("train", "val", "test")}


class Encoder(nn.Module):
    """torch's own layers, pre-norm, on items of several tokens."""

    def __init__(self, bias=True):
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 24, 0.1, batch_first=True, norm_first=True, bias=bias)
        self.enter = nn.Linear(6, WIDTH)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.leave = nn.Linear(WIDTH, 3)

    def forward(self, x):
        return self.leave(self.encoder(self.enter(x)).mean(1))


class Projection(nn.Module):
    """GPT-2's linear map: weights are (in, out)."""

    def __init__(self, given, made):
        super().__init__()
        self.weight, self.bias = nn.Parameter(0.2 * torch.randn(given, made)), nn.Parameter(torch.zeros(made))

    def forward(self, x):
        return x @ self.weight + self.bias


class GptBlock(nn.Module):
    """Causal attention from one matrix for queries, keys and values, then a GELU perceptron."""

    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.c_attn, self.c_proj = Projection(WIDTH, 3 * WIDTH), Projection(WIDTH, WIDTH)
        self.c_fc, self.c_out = Projection(WIDTH, 32), Projection(32, WIDTH)

    def forward(self, x):
        parts = [one.unflatten(2, (4, -1)).transpose(1, 2) for one in self.c_attn(self.ln_1(x)).split(WIDTH, 2)]
        mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.c_proj(mixed.transpose(1, 2).flatten(2))
        return x + self.c_out(functional.gelu(self.c_fc(self.ln_2(x))))


class Gpt(nn.Module):
    """Token and position embeddings, blocks, a last norm, and the token embeddings once more (tied)."""

    def __init__(self, tied=True):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(WORDS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.h = nn.ModuleList([GptBlock(), GptBlock()])
        self.ln_f = nn.LayerNorm(WIDTH)
        self.lm_head = nn.Linear(WIDTH, WORDS, bias=False)
        if tied:
            self.lm_head.weight = self.wte.weight

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))[:, -1]


def moved(model, seed=0):
    """The same module in general position: γ far from 1, β and biases far from 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.25 * torch.randn(parameter.shape, generator=generator)
    return model


def graph_case(toy_graph):
    problem = Problem.node_classification(toy_graph)
    return build_model("transformer", problem, hidden=WIDTH, layers=2, heads=4), problem


def encoder_case(toy_graph):
    return Encoder(), Problem.arrays(normal(ITEMS, LENGTH, 6), torch.arange(ITEMS) % 3, splits())


def gpt_problem():
    tokens = torch.randint(0, WORDS, (ITEMS, LENGTH), generator=torch.Generator().manual_seed(0))
    loss = functional.cross_entropy
    return Problem.custom(tokens, loss, targets=torch.arange(ITEMS) % WORDS, splits=splits(), num_outputs=WORDS)


CASES = {
    "graph transformer": (graph_case, 5, ("blocks.0.attention_norm", "blocks.1.attention_norm")),
    "torch encoder": (encoder_case, 5, ()),
    "torch encoder, no biases": (lambda graph: (Encoder(bias=False), encoder_case(graph)[1]), 5, ()),
    "GPT, tied": (lambda graph: (Gpt(), gpt_problem()), 5, ()),
    "GPT, untied": (lambda graph: (Gpt(tied=False), gpt_problem()), 5, ()),
}


@pytest.fixture(params=CASES, ids=str)
def case(request, toy_graph):
    make, norms, kept = CASES[request.param]
    torch.manual_seed(0)
    model, problem = make(toy_graph)
    return SimpleNamespace(model=moved(model), problem=problem, norms=norms, kept=kept, name=request.param)


def outputs(model, problem, weights=None):
    function = ModelFunction(model, problem, "cpu")
    return function(function.reference if weights is None else function.load(weights)).detach()


def apart(one, other):
    return float((one - other).abs().max())


def test_outputs_stay(case):
    folding = fold_layer_norms(case.model, case.problem)
    assert len(folding.norms) == case.norms
    assert folding.kept == case.kept
    assert not folding.left
    before = outputs(case.model, case.problem)
    assert float(before.abs().max()) > 0.5
    assert apart(before, outputs(folding.model, case.problem)) < 1e-4
    assert folding.difference < 1e-4
    assert not any(isinstance(module, nn.LayerNorm) for module in folding.model.modules())
    assert sum(isinstance(module, Rms) for module in folding.model.modules()) == case.norms


def test_other_weights_of_the_model_are_moved_over(case):
    folding = fold_layer_norms(case.model, case.problem)
    other = {name: value.clone() for name, value in moved(case.model, seed=7).state_dict().items()}
    before = {name: value.clone() for name, value in other.items()}
    folded = folding.apply(other)
    assert folded.keys() == folding.model.state_dict().keys()
    assert {value.dtype for value in folded.values()} == {torch.float32}
    assert apart(outputs(case.model, case.problem, other), outputs(folding.model, case.problem, folded)) < 1e-4
    assert folding.difference_at(other) < 1e-4
    assert all(torch.equal(other[name], before[name]) for name in other)


def test_the_stream_of_the_folded_model_turns_freely(case):
    folding = fold_layer_norms(case.model, case.problem)
    found = find_symmetry(folding.model, case.problem)
    (group,) = found.moving(SymmetryClass.ORTHOGONAL)
    assert (group.size, group.centered, group.gauges) == (WIDTH, False, ())
    element = random_element(found, torch_generator("turn", 1), [SymmetryClass.ORTHOGONAL])
    matrix = element.matrices[group.name]
    # It does not keep the vector of ones: what LayerNorms would ask for.
    assert float((matrix.sum(1) - 1).abs().max()) > 0.1
    weights = dict(folding.model.state_dict())
    turned = element.apply(found, weights)
    written = group.name.rpartition("[")[0]
    assert apart(weights[written], turned[written]) > 0.1
    assert apart(outputs(folding.model, case.problem, turned), outputs(case.model, case.problem)) < 1e-4


def test_the_given_model_is_not_changed(case):
    before = {name: value.clone() for name, value in case.model.state_dict().items()}
    shown = repr(case.model)
    case.model.train()
    folding = fold_layer_norms(case.model, case.problem)
    assert repr(case.model) == shown
    assert case.model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in case.model.state_dict().items())
    assert case.model.training
    assert folding.model.training
    with torch.no_grad():
        for parameter in folding.model.parameters():
            parameter.zero_()
    assert all(torch.equal(value, before[name]) for name, value in case.model.state_dict().items())


def test_the_folded_encoder_is_right_where_torch_would_take_its_fast_path(toy_graph):
    model, problem = encoder_case(toy_graph)
    folded = fold_layer_norms(moved(model), problem).model.eval()
    x = normal(ITEMS, LENGTH, 6)
    with torch.no_grad():
        assert apart(model.eval()(x), folded(x)) < 1e-4


def test_a_tied_embedding_is_untied_and_a_reader_given_a_bias(toy_graph):
    folding = fold_layer_norms(moved(Gpt()), gpt_problem())
    assert folding.untied == ("lm_head.weight",)
    assert folding.biases == ("lm_head.bias",)
    held = dict(folding.model.named_parameters())
    assert not torch.equal(held["lm_head.weight"], held["wte.weight"])


def test_writers_have_mean_zero_and_norms_no_factor(toy_graph):
    folding = fold_layer_norms(moved(Gpt()), gpt_problem())
    weights = folding.model.state_dict()
    for name in ("wte.weight", "wpe.weight", "h.0.c_proj.weight", "h.1.c_out.weight", "h.1.c_out.bias"):
        assert float(weights[name].mean(-1).abs().max()) < 1e-6
    assert not [name for name in weights if "ln_" in name]


def test_modes_are_folded_at_both_ends():
    model = moved(Gpt(tied=False))
    folding = fold_layer_norms(model, gpt_problem())
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    best = {name: 1.1 * value for name, value in weights.items()}
    folded = folding.apply(Mode(weights, best, seed=3))
    assert (type(folded), folded.seed) == (Mode, 3)
    for one, other in ((weights, folded.last), (best, folded.best)):
        assert apart(outputs(model, gpt_problem(), one), outputs(folding.model, gpt_problem(), other)) < 1e-4


class Stream(nn.Module):
    """A small residual stream. norm: makes norms. beside: adds what reads the stream without a norm."""

    def __init__(self, norm, beside=False):
        super().__init__()
        self.enter, self.inner = nn.Linear(6, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.first, self.second = norm(WIDTH), norm(WIDTH)
        self.leave = nn.Linear(WIDTH, 3)
        self.beside = nn.Linear(WIDTH, 3) if beside else None

    def forward(self, x):
        x = self.enter(x)
        x = x + self.inner(self.first(x))
        out = self.leave(self.second(x))
        return out if self.beside is None else out + self.beside(x)


def stream_problem():
    return Problem.arrays(normal(ITEMS, 6), torch.arange(ITEMS) % 3, splits())


def test_norms_without_factors_or_shifts_are_folded():
    for options in ({"elementwise_affine": False}, {"bias": False}):
        model = moved(Stream(lambda width, options=options: nn.LayerNorm(width, **options)))
        folding = fold_layer_norms(model, stream_problem())
        assert folding.norms == ("first", "second")
        assert apart(outputs(model, stream_problem()), outputs(folding.model, stream_problem())) < 1e-4


def test_entries_of_zero_in_gamma_are_folded_where_the_shift_goes_to_biases():
    model = moved(Stream(nn.LayerNorm))
    folding = fold_layer_norms(model, stream_problem())
    with torch.no_grad():
        model.first.weight[3] = 0
    assert folding.difference_at(model.state_dict()) < 1e-4


def test_a_shift_that_would_be_divided_by_zero_is_an_error(toy_graph):
    model, problem = graph_case(toy_graph)
    folding = fold_layer_norms(moved(model), problem)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    weights["blocks.0.attention_norm.weight"][3] = 0
    with pytest.raises(InputError, match=r"attention_norm.weight has an entry of zero where .*attention_norm.bias"):
        folding.apply(weights)


def test_a_stream_that_is_read_beside_its_norms_is_an_error():
    with pytest.raises(InputError, match="read beside its norms"):
        fold_layer_norms(moved(Stream(nn.LayerNorm, beside=True)), stream_problem())


@pytest.mark.parametrize("norm", [nn.RMSNorm, lambda width: nn.Sequential(nn.LayerNorm(width), nn.ReLU())])
def test_a_model_without_such_a_stream_is_an_error(norm):
    with pytest.raises(InputError, match="nothing to fold"):
        fold_layer_norms(moved(Stream(norm)), stream_problem())


class Beside(Stream):
    """A norm inside the perceptron as well, before a ReLU: its γ, if it has any, cannot be moved."""

    def __init__(self, **options):
        super().__init__(nn.LayerNorm)
        self.third, self.last = nn.LayerNorm(WIDTH, **options), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        x = self.enter(x)
        x = x + self.last(torch.relu(self.third(self.inner(self.first(x)))))
        return self.leave(self.second(x))


@pytest.mark.parametrize("affine", [True, False])
def test_other_norms_stay_and_are_told(affine):
    model = moved(Beside(elementwise_affine=affine))
    folding = fold_layer_norms(model, stream_problem())
    assert folding.norms == ("first", "second")
    assert folding.left == {"third": "it is not between the stream and linear maps alone"}
    assert isinstance(folding.model.third, nn.LayerNorm)
    assert apart(outputs(model, stream_problem()), outputs(folding.model, stream_problem())) < 1e-4


def test_a_norm_used_twice_is_folded_in_both_places():
    model = Stream(nn.LayerNorm)
    model.second = model.first
    folding = fold_layer_norms(moved(model), stream_problem())
    assert folding.model.first is folding.model.second
    assert apart(outputs(model, stream_problem()), outputs(folding.model, stream_problem())) < 1e-4


def test_weights_of_another_model_are_an_error():
    folding = fold_layer_norms(moved(Stream(nn.LayerNorm)), stream_problem())
    with pytest.raises(InputError, match=r"enter\.weight"):
        folding.apply({"enter.weight": torch.zeros(3, 3)})


class ByKeyword(Stream):
    def forward(self, x):
        x = self.enter(x)
        x = x + self.inner(self.first(input=x))
        return self.leave(self.second(input=x))


def test_norms_that_are_called_by_keyword_are_folded():
    model = moved(ByKeyword(nn.LayerNorm))
    folding = fold_layer_norms(model, stream_problem())
    assert folding.norms == ("first", "second")
    assert apart(outputs(model, stream_problem()), outputs(folding.model, stream_problem())) < 1e-4


def test_double_weights_that_are_folded_share_no_memory():
    problem = Problem.arrays(normal(ITEMS, 6).double(), torch.arange(ITEMS) % 3, splits())
    model = moved(Beside().double())
    folding = fold_layer_norms(model, problem)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    for value in folding.apply(weights).values():
        value.zero_()
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_wrong_arguments_are_told_in_one_line():
    with pytest.raises(InputError, match=r"expected a torch\.nn\.Module"):
        fold_layer_norms("model", stream_problem())
    with pytest.raises(InputError, match="expected a Problem"):
        fold_layer_norms(Stream(nn.LayerNorm), None)
