"""Results that were truncated, emptied, flipped or lost, and folders of other versions or of somebody else."""

import hashlib
import json
import random
import shutil
import threading

import pytest
from gnnmc_toy_processes import half_written, log, tables, wait_for

from gnnmc.run.planned import planned_cells
from gnnmc.store import Store


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)


def lose_result(path):
    shutil.rmtree(path.parent)


@pytest.fixture
def ran(undisturbed, tmp_path):
    """A finished run without tables and report, to be spoiled."""
    folder = tmp_path / "run"
    shutil.copytree(undisturbed, folder)
    return folder


@pytest.mark.parametrize(
    "harm",
    [flip, *(pytest.param(harm, marks=pytest.mark.slow) for harm in (truncate, empty, lose_result))],
    ids=lambda harm: harm.__name__,
)
def test_one_result_of_every_stage_is_spoiled(call, config, undisturbed, ran, harm):
    dice = random.Random(harm.__name__)
    spoiled = 0
    for stage in sorted((ran / "artifacts").iterdir()):
        result = dice.choice(sorted(stage.iterdir()))
        harm(dice.choice(sorted(path for path in result.iterdir() if path.stat().st_size)))
        spoiled += 1
    ended = call("run", config, "--out", ran)
    assert ended.code == 0
    assert "0 failed" in ended.out
    if harm in (truncate, empty, flip):  # a result that is gone, or whose manifest is, is simply missing
        said = [line for line in ended.err.splitlines() if "is damaged" in line]
        assert len(said) == spoiled
        assert all("it counts as missing and will be computed anew" in line for line in said)
        assert all(line in log(ran) for line in said)
        assert len(list((ran / "damaged").iterdir())) == spoiled
    assert tables(ran) == tables(undisturbed)
    for cell in planned_cells(ran):
        Store(ran).verify(cell)


@pytest.mark.slow
def test_spoiled_tables_and_report_are_written_anew(call, config, undisturbed, ran):
    for path in [*(ran / "tables").iterdir(), ran / "report.html"]:
        truncate(path)
    (ran / "written.json").write_bytes(b"")
    assert call("run", config, "--out", ran, "--quiet").code == 0
    assert tables(ran) == tables(undisturbed)
    assert (ran / "report.html").stat().st_size > 0.9 * (undisturbed / "report.html").stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("harm", [flip, lose_result], ids=lambda harm: harm.__name__)
def test_an_input_is_spoiled_while_the_run_goes_on(call, config, undisturbed, tmp_path, harm):
    """After it was checked, before it is read: what needs it fails with the reason, and the next run mends it."""
    folder = tmp_path / "run"
    shutil.copytree(undisturbed / "artifacts" / "graph", folder / "artifacts" / "graph")
    _, second = [cell for cell in planned_cells(undisturbed) if cell.stage == "graph"]

    def spoil():
        wait_for(lambda: "start " in log(folder))  # all was checked, and the first graph has its turn
        harm(folder / "artifacts" / "graph" / second.key / "data.safetensors")

    spoiler = threading.Thread(target=spoil)
    spoiler.start()
    first = call("run", config, "--out", folder, "--quiet")
    spoiler.join()
    assert (first.code, first.err.count("\n")) == (1, 1)
    assert ("is damaged: data.safetensors" if harm is flip else "no result of graph/") in first.err
    assert "what is done is kept, the same command goes on" in first.err
    assert call("run", config, "--out", folder, "--quiet").code == 0
    assert tables(folder) == tables(undisturbed)
    assert not half_written(folder)


def reseal(manifest, **changes):
    """A manifest as another version would write it, its checksum right."""
    body = json.loads(manifest.read_bytes())
    del body["sha256"]
    text = json.dumps(body | changes, separators=(",", ":"))
    manifest.write_text(f'{text[:-1]},"sha256":"{hashlib.sha256(text.encode()).hexdigest()}"}}')


@pytest.mark.slow
@pytest.mark.parametrize("schema", [2])
def test_results_of_another_layout_are_computed_anew_and_kept_aside(call, config, undisturbed, ran, schema):
    """A folder of a version of gnnmc that stored results in another way."""
    manifests = list((ran / "artifacts").glob("*/*/manifest.json"))
    for manifest in manifests:
        reseal(manifest, schema=schema)
    ended = call("run", config, "--out", ran)
    assert ended.code == 0
    said = [line for line in ended.err.splitlines() if f"has schema {schema}, this version reads 1" in line]
    assert len(said) == len(manifests) == len(list((ran / "damaged").iterdir()))
    assert "is damaged" not in said[0]
    assert "14 cells done, 0 there before" in ended.out
    assert tables(ran) == tables(undisturbed)


@pytest.mark.slow
def test_results_of_earlier_stage_versions_are_not_used_and_that_is_said(
    call, config, undisturbed, tmp_path, monkeypatch
):
    """A folder of a version of gnnmc in which a stage meant something else."""
    from gnnmc.studies.stages import graph

    folder = tmp_path / "run"
    with monkeypatch.context() as earlier:
        earlier.setattr(graph, "VERSION", graph.VERSION - 1)
        assert call("run", config, "--out", folder, "--quiet").code == 0
    ended = call("run", config, "--out", folder)
    assert "14 cells done, 0 there before" in ended.out
    assert (
        f"stage graph: 2 results here are of version {graph.VERSION - 1}, this gnnmc has version {graph.VERSION}: "
        "they are left as they are, and what is needed is computed anew"
    ) in ended.err.splitlines()
    assert tables(folder) == tables(undisturbed)
    assert "results here are of version" not in call("run", config, "--out", folder).err


@pytest.mark.parametrize("plan", ['{"cells": [], "layout": 7}', "", "[1, 2]"])
def test_a_folder_whose_plan_is_of_another_version_is_refused(call, config, ran, plan):
    (ran / "plan.json").write_text(plan)
    before = {path: path.stat().st_mtime_ns for path in ran.rglob("*")}
    for command in (["run", config, "--out", ran], ["status", ran]):
        ended = call(*command)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert "is no run folder" in ended.err
    assert {path: path.stat().st_mtime_ns for path in ran.rglob("*")} == before


def test_a_report_of_a_config_that_this_version_does_not_know(call, ran):
    (ran / "config.yaml").write_text((ran / "config.yaml").read_text() + "invented_later: 3\n")
    ended = call("report", ran)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "invented_later" in ended.err
