"""`gnnmc symmetry`: groups, what stays and why, in lines that fit."""

import json
from pathlib import Path

import pytest

from gnnmc.cli import main
from gnnmc.commands.symmetry import shortened

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
