"""`gnnmc compare`: runs side by side."""

from pathlib import Path

import pandas as pd
import pytest

from gnnmc.cli import main

TINY = """
study: homophily_barrier
title: tiny
graphs:
  - csbm: {num_nodes: 60, num_classes: 2, num_features: 4, homophily: [0.2, 0.8], train_per_class: 5, seed: SEEDS}
models: [{name: gcn, hidden: 4}]
seeds: [0, 1]
train: {epochs: 4}
profile: {points: 3}
run: {runner: serial}
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that differ in the length of training, and one of other graphs."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seeds, epochs in (
        ("short", "[0, 1, 2, 3, 4]", 4),
        ("long", "[0, 1, 2, 3, 4]", 30),
        ("other", "[8, 9]", 4),
    ):
        config = folder / f"{name}.yaml"
        config.write_text(TINY.replace("SEEDS", seeds))
        with pytest.raises(SystemExit) as ended:
            main(["run", str(config), "--out", str(folder / name), "--set", f"train.epochs={epochs}", "--quiet"])
        assert not ended.value.code
    return folder


def test_runs_on_the_same_graphs_are_compared_graph_by_graph(capsys, runs: Path, tmp_path: Path) -> None:
    code, out, _ = call(capsys, "compare", str(runs / "short"), str(runs / "long"), "--out", str(tmp_path / "page"))
    assert code == 0
    configs, answer = out.splitlines()[:2]
    assert configs == "The configs differ in train.epochs."
    assert answer.startswith(
        "long against short, on up to 10 common graphs, over 3 combinations of model, path and split."
    )
    assert " Train split: the barrier is lower in " in answer and "; test split: the barrier is " in answer
    assert "train.epochs     4   30" in out
    differences = pd.read_csv(tmp_path / "page" / "shown" / "differences.csv")
    tables = {name: pd.read_parquet(runs / name / "tables" / "barriers.parquet") for name in ("short", "long")}
    for name, column in (("short", "short"), ("long", "this run")):
        rows = tables[name].query("metric == 'loss' and barrier_kind == 'chord' and split == 'train'")
        shown = differences.query("split == 'train'")[column].item()
        assert shown == pytest.approx(rows.groupby("graph")["barrier"].mean().mean())
    assert (tmp_path / "page" / "report.html").is_file()
    assert call(capsys, "compare", str(runs / "short"), str(runs / "long"), "--out", str(tmp_path / "page"))[0] == 0


def test_runs_of_other_graphs_are_only_set_side_by_side(capsys, runs: Path) -> None:
    code, out, _ = call(capsys, "compare", str(runs / "short"), str(runs / "other"))
    assert code == 0
    assert out.splitlines()[1] == "other shares no graph with short: the means below are of different graphs."
    assert "On the same graphs" not in out


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["short"], "1 run to compare: give two or more run folders"),
        (["short", "short"], "the same run folder is given twice"),
        (["short", "nowhere"], "nowhere has no finished run"),
    ],
)
def test_what_cannot_be_compared_is_one_line(capsys, runs: Path, folders: list[str], message: str) -> None:
    code, _, err = call(capsys, "compare", *[str(runs / name) for name in folders])
    assert code == 2 and message in err and err.count("\n") == 1


def test_a_comparison_replaces_nothing_of_anybodys(capsys, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    both = [str(runs / "short"), str(runs / "long")]
    for out in (tmp_path, runs / "short"):
        code, _, err = call(capsys, "compare", *both, "--out", str(out))
        assert code == 2 and "is no comparison" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


ALIGNED = """
study: symmetry
title: aligned
problems:
  - data:
      csbm: {num_nodes: 60, num_features: 4, train_per_class: 5, homophily: [0.2, 0.5, 0.8], seed: [0, 1]}
    models: [{name: gcn, hidden: 4}]
seeds: [0, 1]
train: {epochs: 4}
alignments: [{method: weights, repair: true}]
profile: {points: 3}
run: {runner: serial}
"""


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that aligned their modes, and one that did not, on the same graphs."""
    folder = tmp_path_factory.mktemp("aligned")
    (folder / "aligned.yaml").write_text(ALIGNED)
    (folder / "plain.yaml").write_text(
        TINY.replace("num_classes: 2, ", "")
        .replace("[0.2, 0.8]", "[0.2, 0.5, 0.8]")
        .replace("SEEDS", "[0, 1]")
        .replace("epochs: 4", "epochs: 8")
    )
    for name, config, epochs in (("short", "aligned", 4), ("long", "aligned", 8), ("plain", "plain", 8)):
        with pytest.raises(SystemExit) as ended:
            asked = ["--out", str(folder / name), "--set", f"train.epochs={epochs}", "--quiet"]
            main(["run", str(folder / f"{config}.yaml"), *asked])
        assert not ended.value.code
    return folder


def test_every_alignment_is_compared_with_itself(capsys, aligned: Path, tmp_path: Path) -> None:
    code, out, _ = call(capsys, "compare", str(aligned / "short"), str(aligned / "long"), "--out", str(tmp_path / "p"))
    assert code == 0
    assert "of model, path, alignment and split" in out
    shown = {name: pd.read_csv(tmp_path / "p" / "shown" / f"{name}.csv") for name in ("side_by_side", "associations")}
    for table in shown.values():
        assert list(table["alignment"].unique()) == ["as trained", "weights", "weights + repair"]
        assert table.notna().any().all()
    lines = pd.read_parquet(aligned / "long" / "tables" / "aligned.parquet")
    of_weights = lines.query("aligned == 'weights' and split == 'train'").groupby("graph")["barrier"].mean().mean()
    row = shown["side_by_side"].query("alignment == 'weights' and split == 'train'")
    assert row["long"].item() == pytest.approx(of_weights)


def test_runs_of_different_studies_meet_in_what_both_measured(capsys, aligned: Path, tmp_path: Path) -> None:
    code, _, _ = call(capsys, "compare", str(aligned / "plain"), str(aligned / "long"), "--out", str(tmp_path / "p"))
    assert code == 0
    table = pd.read_csv(tmp_path / "p" / "shown" / "associations.csv")
    both = table.dropna(subset=["plain, ρ", "long, ρ"])
    assert len(both) and set(both["alignment"]) == {"as trained"}
    assert both["plain, ρ"].tolist() == pytest.approx(both["long, ρ"].tolist())
