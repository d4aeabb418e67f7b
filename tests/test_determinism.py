"""Torch's deterministic kernels, for a block alone."""

import pytest
import torch

import gnnmc
from gnnmc.determinism import deterministic


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )


@pytest.mark.parametrize("before", [(False, False, False), (True, True, True)])
def test_torchs_settings_are_as_before_whatever_happens_in_the_block(before):
    default = settings()
    try:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = before[2]
        with deterministic():
            assert settings() == (True, False, False)
        assert settings() == before
        with pytest.raises(KeyError), deterministic():
            raise KeyError
        assert settings() == before
    finally:
        torch.use_deterministic_algorithms(default[0], warn_only=default[1])
        torch.backends.cudnn.benchmark = default[2]


@pytest.mark.parametrize("name", ["gcn", "gat", "gatv2", "transformer"])
def test_everything_can_be_done_by_them(toy_problem, name):
    model = gnnmc.build_model(name, toy_problem, hidden=8)
    with deterministic():
        modes = gnnmc.train(model, toy_problem, [0, 1], epochs=2, device="cpu")
        curve = gnnmc.fit_path(model, toy_problem, *modes, steps=2, device="cpu")
        for engine in ("loop", "stacked"):
            gnnmc.profile(model, toy_problem, curve, points=3, engine=engine, device="cpu")


def test_where_cublas_was_not_told_it_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with pytest.raises(gnnmc.InputError, match="export CUBLAS_WORKSPACE_CONFIG=:4096:8"), deterministic():
        pass
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with deterministic():
        pass
