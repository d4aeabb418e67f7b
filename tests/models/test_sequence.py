"""Transformers on sequences: what sees what, how they start, how images are cut."""

import math

import pytest
import torch
from torch import nn

from gnnmc.models import build_model
from gnnmc.models.options import NORMS
from gnnmc.models.vit import cut
from gnnmc.problem import Problem
from gnnmc.training import initialize


@pytest.fixture
def text():
    windows = torch.randint(0, 9, (20, 13), generator=torch.Generator().manual_seed(0))
    return Problem.language_modeling(windows, {"train": torch.arange(20)})


@pytest.fixture
def digits():
    x = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return Problem.arrays(x, torch.arange(6) % 2, {"train": torch.arange(6)})


def test_no_token_sees_a_later_one_and_all_see_those_before(text):
    model = build_model("gpt", text, hidden=16).eval()
    x = text.batches[0].x[:1]
    other = x.clone()
    other[0, 5] = (other[0, 5] + 1) % 9
    changed = (model(x) - model(other)).abs().amax(2)[0]
    assert changed[:5].tolist() == [0] * 5
    assert bool((changed[5:] > 0).all())


def test_places_and_their_order_count(text, digits):
    model = build_model("gpt", text, hidden=16).eval()
    same = torch.zeros(1, 12, dtype=torch.long)
    assert not torch.allclose(model(same)[0, 0], model(same)[0, 1], atol=1e-4)
    seen = build_model("vit", digits, hidden=16).eval()
    x = digits.batches[0].x
    assert not torch.allclose(seen(x), seen(x.flip(2)), atol=1e-6)


def test_patches_are_squares_row_by_row():
    image = torch.arange(2 * 4 * 6).reshape(1, 2, 4, 6).float()
    patches = cut(image, 2)
    assert patches.shape == (1, 6, 8)
    assert torch.equal(patches[0, 4], image[0, :, 2:4, 2:4].flatten())
    padded = cut(image, 4)
    assert padded.shape == (1, 2, 32)
    assert padded[0, 1].reshape(2, 4, 4)[:, :, 2:].abs().sum() == 0


def test_images_are_cut_into_seven_patches_a_side_or_a_few_more():
    for pixels, side in ((8, 2), (28, 4), (32, 4), (64, 8), (3, 2)):
        x = torch.rand(4, 1, pixels, pixels)
        problem = Problem.arrays(x, torch.arange(4) % 2, {"train": torch.arange(4)})
        model = build_model("vit", problem, hidden=4)
        assert model.patches.in_features == side**2
        assert len(model.stream.positions.weight) == math.ceil(pixels / side) ** 2


@pytest.mark.parametrize("name", ["gpt", "vit"])
def test_a_start_is_that_of_gpt2(text, digits, name):
    model = initialize(build_model(name, text if name == "gpt" else digits, hidden=128, layers=2), 3)
    block = model.stream.blocks[1]
    for part in (block.attention.query, block.widen, model.output, model.stream.positions):
        assert float(part.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    for writer in (block.attention.out, block.narrow):
        assert float(writer.weight.detach().std()) == pytest.approx(0.02 / math.sqrt(2 * 2), rel=0.1)
        assert not writer.bias.any()
    assert bool((block.attention_norm.weight == 1).all())


def test_the_root_mean_square_norm_is_a_layer_norm_of_centered_values():
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0)) * 1e-2
    centered = x - x.mean(1, keepdim=True)
    torch.testing.assert_close(NORMS["rms"](8)(centered), NORMS["layer"](8)(x))


@pytest.mark.parametrize("name", ["gpt", "vit"])
def test_every_norm_of_the_stream_is_the_chosen_one(text, digits, name):
    problem = text if name == "gpt" else digits
    for norm, kind in (("layer", nn.LayerNorm), ("rms", nn.RMSNorm)):
        model = build_model(name, problem, hidden=16, layers=3, norm=norm)
        assert sum(isinstance(part, kind) for part in model.modules()) == 7
    default = build_model(name, problem)
    assert sum(isinstance(part, nn.LayerNorm) for part in default.modules()) == 9
    assert default.stream.positions.weight.shape[1] == {"gpt": 96, "vit": 64}[name]
