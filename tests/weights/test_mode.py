"""Modes: which weights are meant, and a file that brings everything back."""

import pandas as pd
import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.weights import Mode, digest, load_mode, load_weights, save_weights


@pytest.fixture
def mode():
    values = [0.1 + 0.2, 1e-17 / 3, float("nan"), 2.0]
    return Mode(
        last={"w": torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), "steps": torch.tensor(5)},
        best={"w": torch.zeros(3, 2), "steps": torch.tensor(2)},
        seed=4,
        metrics=pd.DataFrame({"endpoint": ["last", "best_val"] * 2, "epoch": [3, 1, 3, 1], "loss": values}),
        log=pd.DataFrame({"epoch": [1, 2], "last_updated_at": [0.1, 1 / 3]}),
        status="ok",
        init_digest="abc",
        unused=["v"],
        settings={"lr": 0.01, "optimizer": "adam"},
    )


def test_weights_are_those_of_the_endpoint(mode):
    assert mode.weights is mode.last
    assert mode.at("best_val").weights is mode.best
    assert mode.endpoint == "last"
    assert mode.at("best_val").at("last").weights is mode.last


def test_an_unknown_endpoint_is_refused(mode):
    with pytest.raises(InputError, match="unknown endpoint 'best': allowed: last, best_val"):
        mode.at("best")


@pytest.mark.parametrize("endpoint", ["last", "best_val"])
def test_a_round_trip_loses_no_bit(mode, tmp_path, endpoint):
    mode = mode.at(endpoint)
    read = load_mode(mode.save(tmp_path / "mode.safetensors"))
    assert digest(read.last) == digest(mode.last)
    assert digest(read.best) == digest(mode.best)
    assert digest(read.weights) == digest(mode.weights)
    pd.testing.assert_frame_equal(read.metrics, mode.metrics, check_exact=True)
    pd.testing.assert_frame_equal(read.log, mode.log, check_exact=True)
    for name in ("seed", "endpoint", "status", "init_digest", "unused", "settings"):
        assert getattr(read, name) == getattr(mode, name)


def test_a_mode_without_tables_makes_the_round_trip(tmp_path):
    bare = Mode(last={"w": torch.ones(1)}, best={"w": torch.ones(1)}, seed=0)
    assert load_mode(bare.save(tmp_path / "m.safetensors")).metrics.empty


def test_a_file_of_another_origin_is_no_mode(tmp_path):
    path = save_weights(tmp_path / "w.safetensors", {"w": torch.ones(2)})
    with pytest.raises(InputError, match=r"holds weights but no mode: open it with gnnmc\.load_weights"):
        load_mode(path)
    assert list(load_weights(path)) == ["w"]


def test_a_folder_that_is_not_there_is_named(mode, tmp_path):
    for write in (mode.save, lambda path: save_weights(path, mode.last)):
        with pytest.raises(InputError, match=r"cannot write m\.safetensors: there is no folder .*absent: make"):
            write(tmp_path / "absent" / "m.safetensors")
