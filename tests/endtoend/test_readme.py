"""What the README says is what happens: its Python runs, its commands parse, its two lines are what CI runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def marked(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```bash\n(.*?)\n```", README)
    assert found, f"the README has no block marked {name}"
    return found.group(1)


def test_the_python_runs_and_the_shell_line_after_it(tmp_path: Path) -> None:
    code, *others = blocks("python")
    (tmp_path / "readme.py").write_text("import torch\ntorch.set_num_threads(1)\n" + code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "readme.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(others) == 2  # run by the next tests
    assert [line[0] for line in lines] == ["train", "val", "test"]
    assert (tmp_path / "curve.png").stat().st_size > 5000
    (tmp_path / "yourmodel.py").write_text(
        "from torch_geometric.nn import GCN\n\n"
        "def make():\n    return GCN(32, 64, num_layers=2, out_channels=5, dropout=0.5)\n"
    )
    (connect,) = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("gnnmc connect")]
    shown = subprocess.run(
        [sys.executable, "-m", "gnnmc.cli", *shlex.split(connect)[1:]],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    # The same numbers as the Python above: one graph, the same checkpoints.
    train = next(line for line in shown.stdout.splitlines() if line.split()[:1] == ["train"])
    assert any(abs(float(lines[0][2]) - float(value)) < 6e-4 for value in train.split()[1:])


def test_alignment_removes_most_of_a_barrier_as_the_readme_shows(tmp_path: Path) -> None:
    (tmp_path / "readme.py").write_text("import torch\ntorch.set_num_threads(1)\n" + blocks("python")[1])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "readme.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after = map(float, done.stdout.splitlines()[-2:])
    assert 0 <= after < before / 2


def test_what_a_barrier_tells_prints_what_the_readme_says(tmp_path: Path) -> None:
    code = blocks("python")[2]
    (tmp_path / "readme.py").write_text("import torch\ntorch.set_num_threads(1)\n" + code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "readme.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = re.search(r"# (Bound\([\d.]+ at ρ = 0)", code)
    assert told and done.stdout.startswith(told.group(1))
    assert "GMC007" in done.stdout and "local_homophily_w1" in done.stdout


def test_the_two_lines_make_their_own_environment_and_are_what_ci_runs() -> None:
    for name in ("run", "test"):
        line = marked(name)
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install")
        assert "-c constraints.txt" in line
        assert "\n" not in line
        assert f"readme_line {name}" in (ROOT / ".ci" / "run").read_text()


def test_every_command_and_config_that_is_named_exists() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "gnnmc.cli", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in set(re.findall(r"`gnnmc (\w+)", README)):
        assert f"  {command} " in listed
    for config in set(re.findall(r"(?:configs/|`)(\w+\.yaml)", README)):
        assert (ROOT / "configs" / config).is_file()


def test_every_file_that_is_linked_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.slow
def test_every_config_has_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    from gnnmc.commands.run import load_study
    from gnnmc.config import read_config

    for file in sorted((ROOT / "configs").glob("*.yaml")):
        if "real:" in file.read_text() and not os.environ.get("GNNMC_DATA"):
            continue
        study, config = load_study(read_config(file))
        plan = study.plan(config)
        assert len(plan.tasks) > 3
        assert len({cell.key for task in plan.tasks for cell in task.cells}) == sum(
            len(task.cells) for task in plan.tasks
        )
