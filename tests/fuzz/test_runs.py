"""Tiny runs with hostile words in them: they end, stay in their folder, and their report shows words as words."""

import collections
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gnnmc.cli import main
from gnnmc.commands.run import load_study
from gnnmc.config import read_config
from gnnmc.errors import InputError

SCRIPT = '<script>alert(1)</script><img src=x onerror="alert(1)">\'"&{{7*7}}{%x%}$x_1$'
TITLES = [
    SCRIPT, "{{7*7}}", "a\nb", "x" * 5000, "../../etc/x", "/etc/passwd", "..", "NUL", "\u202eabc", "é" * 300, "",
    "</style>",
    "</title><script>alert(1)</script>", "${x} $\\frac$ \\input{x} % #",
]  # fmt: skip
NAMES = [
    "../../etc/x",
    "/etc/x",
    "..",
    "a/../../b",
    "x" * 300,
    "NUL",
    "con.txt",
    "\x00",
    "a\x00b",
    "\\\\host\\x",
    SCRIPT,
    "",
]


def tiny(**changes: Any) -> dict[str, Any]:
    graph = {"num_nodes": 40, "num_classes": 2, "num_features": 3, "train_per_class": 3, "homophily": [0.2, 0.8]}
    config: dict[str, Any] = {"study": "homophily_barrier", "graphs": [{"csbm": graph}], "seeds": [0, 1]}
    config |= {"models": [{"name": "gcn", "hidden": 4}], "train": {"epochs": 2}, "profile": {"points": 3}}
    return config | {"run": {"runner": "serial"}} | changes


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0), capsys.readouterr().err


def files_of(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def escaped(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for forbidden in ("<script>alert", "<img src=x", 'onerror="alert(1)">\'', "</title><script>"):
        assert forbidden not in text
    assert len(re.findall(r"<title>", text)) == len(re.findall(r"</title>", text))


RUNS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(TITLES),
        "train": st.fixed_dictionaries(
            {"epochs": st.integers(1, 2)},
            optional={
                "lr": st.sampled_from([1e-30, 0.1, 1e3, 1e30, 1e300]),
                "weight_decay": st.sampled_from([0, 1e-30, 1e30, 1e300]),
                "optimizer": st.sampled_from(["adam", "sgd"]),
                "batch_size": st.sampled_from([1, 10**9, 2**70]),
                "warmup": st.sampled_from([0, 0.99]),
                "vary": st.sampled_from(["init", "data_order", "all"]),
            },
        ),
        "paths": st.lists(
            st.one_of(
                st.just("linear"),
                st.fixed_dictionaries(
                    {"kind": st.sampled_from(["bezier", "polygonal"]), "steps": st.integers(1, 2)},
                    optional={
                        "lr": st.sampled_from([1e-30, 1e30, 1e300]),
                        "l2": st.sampled_from([0, 1e30, 1e300]),
                        "seed": st.sampled_from([-1, 2**70]),
                        "batch_size": st.sampled_from([1, 2**70]),
                    },
                ),
            ),
            min_size=1,
            max_size=2,
        ),
        "seeds": st.sampled_from([[0, 2**70], [-1, -(2**70)], [1, 2, 3]]),
        "graphs": st.fixed_dictionaries(
            {
                "num_nodes": st.sampled_from([20, 40]),
                "num_classes": st.just(2),
                "num_features": st.sampled_from([1, 3]),
            },
            optional={
                "train_fraction": st.sampled_from([0.01, 0.5, 1e-30]),
                "homophily": st.sampled_from([0, 1, [0, 0.5, 1]]),
                "mean_degree": st.sampled_from([0.1, 2, 19, 1e-30]),
                "separation": st.sampled_from([0, 1e-30, 1e15]),
                "noise_by_class": st.sampled_from([[0, 0], [1e15, 0], [1e-30, 1e-30]]),
                "class_proportions": st.sampled_from([[0.1, 0.9], [0.5, 0.5]]),
                "degree_exponent": st.sampled_from([2.0001, 1e30]),
                "seed": st.sampled_from([2**70, -1, [0, 1]]),
            },
        ).map(lambda values: [{"csbm": {"train_per_class": 1} | values}]),
        "endpoint": st.just("best_val"),
        "least_train_accuracy": st.sampled_from([0, 1]),
    },
)


@pytest.mark.parametrize("examples", [2, pytest.param(12, marks=pytest.mark.slow)])
def test_any_tiny_run_ends_in_its_folder(
    examples: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: collections.Counter[int] = collections.Counter()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a run takes too long to look for the shortest that fails
    )
    @given(changes=RUNS)
    def check(changes: dict[str, Any]) -> None:
        around = tmp_path / f"{sum(codes.values())}"
        around.mkdir()
        monkeypatch.chdir(around)
        (around / "c.yaml").write_text(yaml.safe_dump(tiny(**changes)), encoding="utf-8")
        before = files_of(around)
        code, err = called(capsys, "run", "c.yaml", "--out", "runs/c", "--quiet")
        codes[code] += 1
        if code:
            assert len(err.splitlines()) == 1, err
            for record in (around / "runs/c/failures").glob("*.json"):
                # The reason of an error that is not gnnmc's own begins with its name.
                reason = json.loads(record.read_bytes())["reason"]
                assert not re.match(r"\w+(Error|Warning|Exception): ", reason), reason
        else:
            escaped(around / "runs/c/report.html")
        stayed = {
            name: held for name, held in files_of(around).items() if not Path(name).is_relative_to(around / "runs")
        }
        assert stayed == before

    check()
    assert codes[0]


@pytest.mark.slow
@pytest.mark.parametrize("study", ["homophily_barrier", "architectures"])
@pytest.mark.parametrize("lost", ["train", "paths"])
def test_a_run_of_which_nothing_is_left_has_a_report(
    study: str, lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = {"kind": "bezier", "steps": 1, "l2": 1e300}
    config = tiny(**({"paths": [path]} if lost == "paths" else {"train": {"epochs": 2, "lr": 1e300}}), study=study)
    if study == "architectures":
        config["problems"] = [{"data": config.pop("graphs")[0], "models": config.pop("models")}]
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert called(capsys, "run", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "out"), "--quiet") == (0, "")
    assert "diverged" in (tmp_path / "out/tables/diagnostics.csv").read_text(encoding="utf-8")


def test_hostile_words_of_a_config_are_shown_as_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    around = tmp_path / "a"
    around.mkdir()
    monkeypatch.chdir(around)
    name = "<b>{{7*7}}'&.yaml"  # the command that was given is on the page, too
    Path(name).write_text(yaml.safe_dump(tiny(title=SCRIPT)), encoding="utf-8")
    assert called(capsys, "run", name, "--out", "out")[0] == 0
    escaped(Path("out/report.html"))
    text = Path("out/report.html").read_text(encoding="utf-8")
    assert html.escape(SCRIPT, quote=False)[:40] in text
    assert "{{7*7}}" in text
    assert "<b>{{7" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
    assert sorted(path.name for path in around.iterdir()) == sorted([name, "out"])
    # What is on the page is made from text files in the folder: words that get in there are words, too.
    about = json.loads(Path("out/run.json").read_bytes())
    about["command"], about["versions"] = SCRIPT, {SCRIPT: SCRIPT}
    Path("out/run.json").write_text(json.dumps(about), encoding="utf-8")
    assert called(capsys, "report", "out")[0] == 0
    escaped(Path("out/report.html"))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    file = tmp_path / "inside" / "c.yaml"
    file.parent.mkdir()
    for key in ("real", "rewired", "collection", "images", "text"):
        config = {"study": "architectures", "problems": [{"data": {key: {"name": name}}, "models": ["mlp"]}]}
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        with pytest.raises(InputError, match="unknown") as caught:
            study, found = load_study(read_config(file))
            study.plan(found)
        assert str(caught.value).isprintable()
    for changes in ({"models": [name]}, {"paths": [name]}, {"endpoint": name}, {"study": name}):
        file.write_text(yaml.safe_dump(tiny(**changes)), encoding="utf-8")
        with pytest.raises(InputError, match="unknown"):
            load_study(read_config(file))
    assert [path.name for path in tmp_path.rglob("*")] == ["inside", "c.yaml"]


@pytest.mark.parametrize("name", ["..yaml", "...yaml"])
def test_a_config_without_a_name_asks_for_a_folder(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "configs" / name).write_text(yaml.safe_dump(tiny()), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "work")
    code, err = called(capsys, "run", f"../configs/{name}")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "choose one with --out" in err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("out", ["x" * 300, "a\x00b", "file", "file/below", "loop"])
def test_a_folder_that_cannot_be_is_one_line(
    out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(yaml.safe_dump(tiny()), encoding="utf-8")
    Path("file").write_text("mine")
    Path("loop").symlink_to("loop")
    before = sorted(path.name for path in tmp_path.iterdir())
    for arguments in (["run", "c.yaml", "--out", out], ["status", out], ["report", out], ["run", out]):
        code, err = called(capsys, *arguments)
        assert code in (1, 2)
        assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert Path("file").read_text() == "mine"
