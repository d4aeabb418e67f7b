"""`gnnmc symmetry`: groups, what stays and why, in lines that fit."""

import json
import re
import sys
from pathlib import Path

import pytest

from gnnmc.analysis.wording import shortened
from gnnmc.cli import main

OWN = """
import torch

class Foreign(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(8, 16), torch.nn.Linear(16, 3)

    def forward(self, x, edge_index):
        h = self.a(x)
        return self.b(torch.cumprod(h, 1))

class Weighted(Foreign):
    def forward(self, x, edge_index):
        return self.b(self.a(x) * torch.arange(16))

class Failing(Foreign):
    def forward(self, x, edge_index):
        return self.b(x)
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["symmetry", *arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("columns", [80, 120])
def test_what_moves_together_and_what_stays(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = call(capsys, "gcn", "--set", "hidden=8")
    assert code == 0
    assert max(map(len, out.splitlines())) <= columns
    assert "layers.0.lin.weight[0]: 8 units: permutation, semi, scaling" in out
    assert "meets the data: layers.0.lin.weight[1]" in out
    assert "NOT UNDERSTOOD" not in out
    assert "1 group of 8 units; 3 of 6 axes move, none is not understood" in " ".join(out.split())


@pytest.mark.parametrize("model", ["vgg", "vit", "gpt"])
def test_a_model_is_asked_about_what_it_needs(capsys, model):
    assert "GROUPS" in call(capsys, model, "--set", "layers=3")[1]


def test_json(capsys):
    code, out, _ = call(capsys, "gat", "--set", "heads=2", "--set", "hidden=8", "--json")
    found = json.loads(out)
    assert code == 0
    assert [(group["units"], group["copies"]) for group in found["groups"]] == [(2, 1), (4, 2)]
    assert {row["status"] for row in found["axes"]} == {"moves", "fixed"}


def test_a_module_of_ones_own_with_an_operation_that_nobody_foresaw(capsys, tmp_path: Path):
    (tmp_path / "own.py").write_text(OWN)
    code, out, _ = call(capsys, f"{tmp_path}/own.py:Foreign")
    assert code == 0
    assert "cumprod" in out[out.index("NOT UNDERSTOOD") :]
    code, _, err = call(capsys, f"{tmp_path}/own.py:Failing")
    assert code == 2
    assert len(err.strip().splitlines()) == 1


def test_units_that_meet_a_constant_are_no_inputs(capsys, tmp_path: Path):
    (tmp_path / "own.py").write_text(OWN)
    _, out, _ = call(capsys, f"{tmp_path}/own.py:Weighted")
    said = " ".join(out.split())
    assert "meets a constant in aten.mul: a.{weight,bias}[0], b.weight[1]" in said[said.index("NOT UNDERSTOOD") :]
    assert "3 are not understood" in said


def test_an_unknown_name_is_one_line(capsys):
    code, _, err = call(capsys, "gnc")
    assert code == 2
    assert "gcn" in err
    assert len(err.strip().splitlines()) == 1


def test_axes_are_written_together():
    axes = [("n.weight", 0), ("n.bias", 0), ("l.0.w", 0), ("l.0.w", 1), ("l.1.w", 0), ("l.1.w", 1), ("t", 2)]
    assert shortened(axes) == ["n.{weight,bias}[0]", "l.{0,1}.w[0,1]", "t[2]"]


PASSING = """
import torch
from torch_geometric.nn import MessagePassing

class Passing(MessagePassing):
    def __init__(self, features, units):
        super().__init__(aggr="add")
        self.lin = torch.nn.Linear(features, units)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        return self.propagate(edge_index, x=self.lin(x))

    def message(self, x_j: torch.Tensor) -> torch.Tensor:
        return x_j

class Net(torch.nn.Module):
    def __init__(self, features=8):
        super().__init__()
        self.first, self.second = Passing(features, 6), Passing(6, 3)

    def forward(self, x, edge_index):
        return self.second(torch.relu(self.first(x, edge_index)), edge_index)

def wide():
    return Net(21)
"""


def test_a_file_may_define_message_passing_of_its_own_and_hides_no_module(capsys, tmp_path: Path):
    (tmp_path / "random.py").write_text(PASSING)  # also the name of a module of Python's
    before = sys.modules["random"]
    code, out, err = call(capsys, f"{tmp_path}/random.py:Net")
    assert (code, err) == (0, "")
    assert "1 group of 6 units" in " ".join(out.split())
    assert sys.modules["random"] is before
    assert call(capsys, f"{tmp_path}/random.py:Net", "--json")[0] == 0


def test_a_file_that_cannot_be_run_leaves_no_module(capsys, tmp_path: Path):
    (tmp_path / "own.py").write_text("1 / 0\n")
    before = set(sys.modules)
    assert call(capsys, f"{tmp_path}/own.py:Net")[0] == 2
    assert not {name for name in set(sys.modules) - before if "own_" in name}


def test_a_model_that_takes_other_data_is_told_how_to_say_so(capsys, tmp_path: Path):
    (tmp_path / "own.py").write_text(PASSING)
    code, _, err = call(capsys, f"{tmp_path}/own.py:wide")
    assert code == 2 and len(err.strip().splitlines()) == 1
    assert "a graph with 8 features and 3 classes, and its first matrix is 6 × 21" in err
    graph = re.search(r"--graph (csbm:\S+),", err).group(1)  # type: ignore[union-attr]
    assert graph == "csbm:num_features=21,num_classes=3"
    assert call(capsys, f"{tmp_path}/own.py:wide", "--graph", graph)[0] == 0
    code, _, err = call(capsys, f"{tmp_path}/own.py:wide", "--graph", "csbm:num_features=9,num_classes=3")
    assert code == 2 and "--graph" not in err
