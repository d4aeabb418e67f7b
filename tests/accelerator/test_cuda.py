"""The same on a real accelerator, where there is one."""

import pytest
import torch

from gnnmc.connectivity import LinearPath, fit_path, profile
from gnnmc.models import build_model
from gnnmc.seeding import forked
from gnnmc.training import train
from gnnmc.weights import digest

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and there is none"),
]


@pytest.mark.parametrize("name, norm", [("gcn", "none"), ("gat", "layer"), ("mlp", "none")])
def test_every_result_equals_that_of_the_cpu(toy_problem, name, norm):
    found = {}
    for device in ("cpu", "cuda"):
        model = build_model(name, toy_problem, norm=norm, dropout=0.0)
        modes = train(model, toy_problem, seeds=[0, 1], epochs=8, device=device)
        curve = fit_path(model, toy_problem, *modes, steps=8, device=device)
        paths = (LinearPath(*modes), curve)
        found[device] = [torch.tensor(profile(model, toy_problem, p, points=5, device=device).values) for p in paths]
    for ours, theirs in zip(found["cpu"], found["cuda"], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_devices_generator_is_forked_and_restored():
    before = torch.cuda.get_rng_state()
    draws = []
    for _ in range(2):
        with forked("probe", device="cuda:0"):
            draws.append(torch.rand(4, device="cuda"))
    assert torch.equal(*draws)
    assert torch.equal(before, torch.cuda.get_rng_state())


def test_dropout_on_the_device_repeats_by_seed(toy_problem):
    model = build_model("mlp", toy_problem, dropout=0.5)
    first, again = (train(model, toy_problem, seeds=[0], epochs=3, device="cuda")[0] for _ in range(2))
    assert digest(first.last) == digest(again.last)
