"""Runs to be disturbed, and what they give when nothing disturbs them."""

import contextlib
import importlib
import io
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from gnnmc_toy_processes import Starter, tables

from gnnmc.cli import main

STUDY = {
    "study": "homophily_barrier",
    "graphs": [
        {"csbm": {"num_nodes": 60, "num_classes": 3, "num_features": 6, "homophily": [0.3, 0.8], "train_per_class": 5}}
    ],
    "models": [{"name": "gcn", "hidden": 4}],
    "train": {"epochs": 2},
    "seeds": [0, 1],
    "paths": [{"kind": "linear"}],
    "profile": {"points": 5},
    "run": {"runner": "serial", "workers": 1},
}


@pytest.fixture
def starter():
    """Starts toy runs and `gnnmc run` in processes of their own."""
    starter = Starter()
    yield starter
    starter.close()


@pytest.fixture
def toy():
    """The stages of the toy run."""
    return importlib.import_module("gnnmc_toy_stages")


@pytest.fixture(scope="session")
def toy_tables(tmp_path_factory):
    """The tables of a toy run that nothing disturbed, by the serial runner and without pauses."""
    folder = tmp_path_factory.mktemp("toy") / "run"
    assert importlib.import_module("gnnmc_toy_run").run(folder, 0.0, "serial").ok
    return tables(folder)


def call(*arguments):
    """`gnnmc ARGUMENTS` in this process: the exit code and what it printed to both streams."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return SimpleNamespace(code=int(ended.value.code or 0), out=out.getvalue(), err=err.getvalue())


@pytest.fixture(name="call", scope="session")
def call_fixture():
    """`call`."""
    return call


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    """The file of a study that takes a second: two graphs, one model, one path."""
    file = tmp_path_factory.mktemp("config") / "tiny.yaml"
    file.write_text(yaml.safe_dump(STUDY))
    return file


@pytest.fixture(scope="session")
def undisturbed(config, tmp_path_factory):
    """The folder of that study, run by nothing disturbed; not to be written into."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    ended = call("run", config, "--out", folder, "--quiet")
    assert (ended.code, ended.err) == (0, "")
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a tmpfs of a size such as "512k" at a new folder; skips where mounting is not permitted."""
    mounted = []

    def mount(size):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        except OSError as error:
            pytest.skip(f"there is no mount here: {error}")
        if done.returncode:
            pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Change the options of a mounted tmpfs."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@pytest.fixture(name="remount", scope="session")
def remount_fixture():
    """`remount`."""
    return remount
