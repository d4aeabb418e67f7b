"""What the study says of tables with a known answer, and the diagnostics of alignments, each made to fire."""

from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.diagnostics import Diagnostic
from gnnmc.store import Execution, Request
from gnnmc.studies.alignment_findings import alignment_findings
from gnnmc.studies.findings import common_findings
from gnnmc.studies.pages import Page
from gnnmc.studies.symmetry.config import SymmetryStudy
from gnnmc.studies.symmetry.page import make_page
from gnnmc.studies.symmetry.survive import survive
from gnnmc.symmetry import align

LEFT = {"weights": 0.1, "learned": 0.02}


@pytest.fixture
def tables(planted: Any) -> dict[str, pd.DataFrame]:
    """A planted fall of the barrier with homophily, of which weights leave a tenth and learned ones a fiftieth."""
    return aligned(planted())


def aligned(made: dict[str, pd.DataFrame], left: dict[str, float] = LEFT) -> dict[str, pd.DataFrame]:
    for name in ("barriers", "profiles"):
        lines = made[name][made[name]["path"] == "linear"]
        frames = [made[name]]
        for method, share in left.items():
            moved = lines.assign(aligned=method)
            frames.append(moved.assign(barrier=share * moved["barrier"]) if name == "barriers" else moved)
        made[name] = pd.concat(frames, ignore_index=True)
    labels = ["graph", "model", "endpoint", "path", "a", "b", "aligned"]
    rows = made["barriers"].drop_duplicates(labels)
    rows = rows[rows["aligned"] != "none"][labels]
    alignments = rows.assign(status="ok", distance_before=5.0, distance_after=2.0, share_moved=0.9)
    misaligned = pd.DataFrame(columns=["code", "message"])
    return made | {"alignments": alignments, "groups": pd.DataFrame(), "misaligned": misaligned}


def survived(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    about = {"width": 64, "depth": 2, "others": ""}
    models = [about | {"model": name, "architecture": name} for name in ("gcn", "mlp")]
    config = {"models": models, "least_train_accuracy": 0.9}
    gathered = {name: tables[name] for name in ("alignments", "groups", "misaligned")}
    (result,) = survive([Request(config, {"tables": tables, "alignments": gathered})], Execution())
    return tables | dict(result)


def page_of(tables: dict[str, pd.DataFrame]) -> Page:
    config = {"problems": [{"data": {"csbm": {}}, "models": ["gcn"]}], "seeds": [0, 1], "alignments": [*LEFT]}
    return make_page(survived(tables), SymmetryStudy.model_validate(config))


def test_the_answer_says_how_much_is_left_and_for_whom_a_relation_is_found(tables: Any) -> None:
    page = page_of(tables)
    left, relation, slope, test = page.answer
    assert left.startswith("Train split: of the mean barrier of a straight line, 0.35 nats as trained, there is left ")
    assert "after weights 10 % [10, 10]; after learned 2 % [2, 2] (gcn; 15 graphs in 15 clusters; in" in left
    assert test.startswith("Test split: ")
    assert "; gcn) as trained for gcn; after weights for gcn; after learned for gcn." in relation
    assert relation.endswith(
        "With the ends' loss and accuracy controlled for it is still found in 3 of these 3 combinations."
    )
    assert slope.endswith("is left after weights 10 % [10, 10]; after learned 2 % [2, 2].")


def test_of_several_models_the_least_and_the_most_are_told(planted: Any) -> None:
    one, two = aligned(planted()), aligned(planted(), {"weights": 0.3, "learned": 0.02})
    both = {
        name: pd.concat([one[name], two[name].assign(model="mlp")], ignore_index=True)
        for name in ("barriers", "profiles", "endpoints", "alignments")
    }
    answer = page_of(one | both).answer
    assert "after weights 10 to 30 % [10, 30]; after learned 2 % [2, 2] (gcn and mlp; 15 graphs" in answer[0]
    assert answer[0].endswith("in brackets all that their 95 % intervals span).")
    assert "as trained for gcn and mlp; after weights for gcn and mlp" in answer[1]


def test_nothing_found_is_nothing_claimed(planted: Any) -> None:
    page = page_of(aligned(planted(slope=0.0)))
    relation = page.answer[1]
    assert "as trained for none; after weights for none; after learned for none" in relation
    assert len(page.answer) == 3


def test_a_run_without_levels_of_homophily_describes(planted: Any) -> None:
    tables = planted()
    kept = tables["graphs"].iloc[:1]
    tables["graphs"] = kept
    for name in ("barriers", "profiles", "endpoints"):
        tables[name] = tables[name][tables[name]["graph"] == kept["graph"].iloc[0]]
    page = page_of(aligned(tables))
    assert page.answer[-1].startswith("Nothing is tested here")
    assert "homophily" not in page.question
    assert page.answer[0].startswith(
        "gcn on csbm, train split, mean over 1 pair of modes on one problem: barrier in nats"
    )
    assert "after weights" in page.answer[0]


def test_of_a_barrier_of_nothing_no_share_is_told_anywhere(planted: Any) -> None:
    one, two = (aligned(planted()) for _ in range(2))
    two["barriers"]["barrier"] *= 0.02
    both = {
        name: pd.concat([one[name], two[name].assign(model="mlp")], ignore_index=True)
        for name in ("barriers", "profiles", "endpoints", "alignments")
    }
    page = page_of(one | both)
    of_share, of_nothing = (line for line in page.answer if line.startswith("Train split"))
    assert "after weights 10 % [10, 10]; after learned 2 % [2, 2] (gcn; 15 graphs" in of_share
    assert of_nothing == (
        "Train split: the mean barrier of a straight line is 0.01 nats as trained; after weights 0.00; after learned "
        "0.00 (mlp; 15 graphs in 15 clusters): of so little (up to 0.02) no share is told."
    )
    glance = page.at_a_glance.frame.set_index("model")  # type: ignore[union-attr]
    assert "%" not in " ".join(glance.loc["mlp"].astype(str).to_numpy().ravel())
    survival = next(view for section in page.sections for view in section.tables if view.name == "survival").frame
    assert set(survival.loc[survival["model"] == "mlp", "mean left"]) == {""}
    assert all("[" in left for left in survival.loc[survival["model"] == "gcn", "mean left"])


def test_the_numbers_at_a_glance_are_the_means(tables: Any) -> None:
    page = page_of(tables)
    frame = page.at_a_glance.frame  # type: ignore[union-attr]
    rows = tables["barriers"].query("split == 'test' and path == 'linear'").groupby("aligned")["barrier"].mean()
    shown = frame[frame["split"] == "test"].iloc[0]
    assert [shown["as trained"], shown["weights"]] == [f"{rows['none']:.2f}", f"{rows['weights']:.2f} (10 %)"]


def codes(found: list[Diagnostic]) -> list[str]:
    return [diagnostic.code for diagnostic in found]


def test_nothing_was_aligned_is_told_of_pairs_that_were_not(planted: Any) -> None:
    assert "GMC005" in codes(common_findings(planted(), 0.9))
    tables = aligned(planted())
    assert "GMC005" not in codes(common_findings(tables, 0.9))
    first = tables["barriers"]["graph"].iloc[0]
    alone = (tables["barriers"]["graph"] == first) & (tables["barriers"]["aligned"] != "none")
    (told,) = [
        each
        for each in common_findings(tables | {"barriers": tables["barriers"][~alone]}, 0.9)
        if each.code == "GMC005"
    ]
    assert told.message.startswith("1 pairs")


def test_an_alignment_that_raises_the_barrier_is_told(planted: Any) -> None:
    found = alignment_findings(aligned(planted(), {"weights": 0.1, "worse": 1.5}))
    assert codes(found) == ["GMC021"]
    assert found[0].message.startswith("worse: higher on 15 of 15 cells, most by 0.2")
    assert str(found[0]).startswith("GMC021 alignment did not help")


def test_a_moved_end_with_another_loss_is_told(tables: Any) -> None:
    assert not alignment_findings(tables)
    profiles = tables["profiles"]
    wrong = (profiles["aligned"] == "weights") & (profiles["t"] == 1) & (profiles["split"] == "test")
    for change, expected in ((5e-5, []), (2e-3, ["GMC022"]), (float("nan"), ["GMC022"])):
        changed = profiles.assign(loss=profiles["loss"].where(~wrong, profiles["loss"] + change))
        found = alignment_findings(tables | {"profiles": changed})
        assert codes(found) == expected
        for each in found:
            assert each.message.startswith("weights: 15 ends, most csbm homophily=0.1") and "test loss" in each.message
            assert str(each).startswith("GMC022 a moved mode computes something else")


def test_an_end_that_is_shown_with_repair_keeps_its_loss_as_well(tables: Any) -> None:
    profiles = tables["profiles"]
    repaired = profiles[profiles["aligned"] == "weights"].assign(aligned="weights + repair")
    wrong = (repaired["t"] == 1) & (repaired["split"] == "test")
    for change, expected in ((0.0, []), (2e-3, ["GMC022"])):
        changed = repaired.assign(loss=repaired["loss"].where(~wrong, repaired["loss"] + change))
        found = alignment_findings(tables | {"profiles": pd.concat([profiles, changed])})
        assert codes(found) == expected
        assert all(each.message.startswith("weights + repair: 15 ends") for each in found)


def test_what_alignments_told_is_told_once_per_model(tables: Any) -> None:
    fired = [
        {"graph": f"g{i}", "model": "gcn", "aligned": "activations", "code": "GMC020", "message": "layers.0: 1 of …"}
        for i in range(3)
    ]
    found = alignment_findings(tables | {"misaligned": pd.DataFrame(fired)})
    assert [str(each) for each in found] == [
        "GMC020 dead units in activation matching: gcn (3 alignments, such as activations on g0): layers.0: 1 of …"
    ]


class Waves(nn.Module):
    """Units are waves: what may be done to them, no rule knows."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 3)

    def reset_parameters(self) -> None:
        self.first.reset_parameters()
        self.last.reset_parameters()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.fft.fft(self.first(x), dim=1).real)


@pytest.fixture
def problem() -> gnnmc.Problem:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 4, generator=generator), torch.arange(40) % 3
    splits = {"train": torch.arange(0, 20), "val": torch.arange(20, 30), "test": torch.arange(30, 40)}
    return gnnmc.Problem.arrays(x, y, splits)


def test_units_that_are_not_understood_are_named(problem: gnnmc.Problem) -> None:
    a, b = gnnmc.train(Waves(), problem, seeds=[0, 1], epochs=2, device="cpu")
    found = align(Waves(), problem, a, b, device="cpu").diagnostics()
    assert "GMC019" in codes(found)
    assert any("first.weight[0]" in each.message and "fft" in each.message for each in found)
    assert str(found[0]).startswith("GMC019 units were left as they are")


def test_dead_units_and_modes_that_come_no_nearer_are_told(problem: gnnmc.Problem) -> None:
    model = gnnmc.build_model("mlp", problem, hidden=6)
    a, b = gnnmc.train(model, problem, seeds=[0, 1], epochs=2, device="cpu")
    bias = a.weights["layers.0.bias"].clone()
    bias[2] = -100.0
    dead = dict(a.weights) | {"layers.0.bias": bias}
    found = align(model, problem, dead, b, method="activations", device="cpu").diagnostics()
    assert codes(found) == ["GMC020"]
    assert found[0].message.endswith("1 of the first mode, 0 of the second")
    (same,) = align(model, problem, b, b, device="cpu").diagnostics()
    assert str(same) == "GMC021 alignment did not help: weights: objective 0 before and 0 after"


def test_a_method_that_is_fitted_on_the_training_loss_is_said_to_be(tables: Any) -> None:
    told = [line for line in page_of(tables).rests_on if "in-sample" in line]
    assert told == [
        "Alignment by learned is fitted on the training loss: its train barrier is in-sample, its test barrier is not."
    ]
