"""Tasks that go on part by part when the whole fails or is blocked."""

import pytest

from gnnmc.errors import InputError
from gnnmc.run import Quiet, execute, make_plan, status
from gnnmc.store import Cell, Store, Task


def parted(function, cells):
    """A task of which each cell is a part."""
    return Task(function, tuple(cells), parts=tuple((cell,) for cell in cells))


def study(toy, bad, more=()):
    """Three graphs (those in `bad` cannot be made) → their modes, one task → a path each, one task → a table."""
    graphs = [Cell("graph", 1, {"seed": seed, "bad": bad}) for seed in range(3)]
    modes = [Cell("mode", 1, {"seed": seed, "bad": list(more)}, {"graph": graph}) for seed, graph in enumerate(graphs)]
    paths = [Cell("path", 1, {"seed": seed, "bad": []}, {"mode": mode}) for seed, mode in enumerate(modes)]
    table = Cell("table", 1, {"seed": 0, "bad": []}, {"paths": tuple(paths)})
    tasks = [Task(toy.picky, (graph,)) for graph in graphs]
    return [*tasks, parted(toy.picky, modes), parted(toy.picky, paths), Task(toy.picky, (table,))]


class Listening(Quiet):
    def __init__(self):
        self.said, self.counted = [], []

    def say(self, line):
        self.said.append(line)

    def show(self, tally):
        assert all(count.open >= 0 for count in tally.stages.values())
        self.counted.append((tally.ended, tally.total))


def run(tasks, folder, **options):
    shown = Listening()
    outcome = execute(tasks, Store(folder), runner="serial", progress=shown, **options)
    return outcome, shown


def names(cells):
    return [f"{cell.stage} {cell.config['seed']}" for cell in cells]


def test_an_input_that_fails_costs_only_the_parts_that_need_it(toy, tmp_path):
    outcome, shown = run(study(toy, bad=[1]), tmp_path)
    assert names(failure.cell for failure in outcome.failed) == ["graph 1"]
    assert names(outcome.blocked) == ["mode 1", "path 1", "table 0"]
    assert names(outcome.done) == ["graph 0", "graph 2", "mode 0", "mode 2", "path 0", "path 2"]
    assert shown.counted[-1] == (10, 10)
    (first, second) = (line for line in shown.said if "part by part" in line)
    assert first.startswith("goes on part by part: mode/")
    assert ": blocked by graph/" in first
    assert second.startswith("goes on part by part: path/")
    assert first in (tmp_path / "log.txt").read_text()


def test_what_raises_over_one_part_fails_alone_and_with_its_own_reason(toy, tmp_path):
    tasks = study(toy, bad=[], more=[1, 2])
    outcome, shown = run(tasks, tmp_path)
    assert [(*names([f.cell]), f.reason) for f in outcome.failed] == [
        ("mode 1", "ValueError: seed 1 is bad"),
        ("mode 2", "ValueError: seed 2 is bad"),
    ]
    assert names(outcome.blocked) == ["path 1", "path 2", "table 0"]
    assert names(outcome.done) == ["graph 0", "graph 1", "graph 2", "mode 0", "path 0"]
    assert shown.said[0].startswith("goes on part by part: mode/")
    assert shown.said[0].endswith(": ValueError: seed 1 is bad")
    assert "and 2 more" in shown.said[0]
    assert [line.startswith("failed: mode/") for line in shown.said[1:3]] == [True, False]  # then the paths' whole
    frame = status([cell for task in tasks for cell in task.cells], Store(tmp_path)).set_index("stage")
    assert frame.loc["mode"].tolist() == [1, 0, 2, 0, 3]
    assert len(list((tmp_path / "failures").iterdir())) == 2


def test_the_next_run_tries_the_whole_again_and_reuses_the_parts_that_are_stored(toy, tmp_path):
    tasks = study(toy, bad=[], more=[1])
    run(tasks, tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "artifacts" / "mode").glob("*/*")}
    outcome, shown = run(tasks, tmp_path)
    assert names(failure.cell for failure in outcome.failed) == ["mode 1"]
    assert (names(outcome.done), len(outcome.reused)) == ([], 7)
    assert shown.counted[-1] == (10, 10)
    assert any("part by part" in line for line in shown.said)
    assert {path: path.read_bytes() for path in before} == before


def test_a_whole_that_succeeds_again_is_computed_whole(toy, tmp_path):
    cells = [Cell("until", 1, {"seed": seed, "path": str(tmp_path / f"go{seed}")}) for seed in range(2)]
    (tmp_path / "go1").touch()
    outcome, _ = run([parted(toy.fails_until, cells)], tmp_path / "run")
    assert (names(outcome.done), names(f.cell for f in outcome.failed)) == (["until 1"], ["until 0"])
    (tmp_path / "go0").touch()
    outcome, shown = run([parted(toy.fails_until, cells)], tmp_path / "run")
    assert (names(outcome.done), shown.said) == (["until 0", "until 1"], [])
    assert Store(tmp_path / "run").metadata(cells[0])["cells_in_task"] == 2
    assert not list((tmp_path / "run" / "failures").iterdir())


def test_parts_that_failed_are_kept_and_the_others_go_on_when_failures_are_not_retried(toy, tmp_path):
    tasks = study(toy, bad=[], more=[1])
    first, _ = run(tasks, tmp_path)
    gone = next(cell for cell in first.done if names([cell]) == ["mode 2"])
    (tmp_path / "artifacts" / "mode" / gone.key / "manifest.json").unlink()
    outcome, _ = run(tasks, tmp_path, retry_failed=False)
    assert [(*names([f.cell]), f.reason) for f in outcome.failed] == [("mode 1", "ValueError: seed 1 is bad")]
    assert names(outcome.blocked) == ["path 1", "table 0"]
    assert (names(outcome.done), len(outcome.reused)) == (["mode 2"], 6)
    assert "start mode" in (tmp_path / "log.txt").read_text()


def test_a_whole_that_kills_its_worker_twice_goes_on_part_by_part(toy, tmp_path):
    (tmp_path / "deaths").mkdir()
    cells = [Cell("dies", 1, {"seed": n, "path": str(tmp_path / "deaths"), "times": 2}) for n in range(2)]
    shown = Listening()
    outcome = execute([parted(toy.dies, cells)], Store(tmp_path / "run"), workers=1, progress=shown)
    assert outcome.ok
    assert names(outcome.done) == ["dies 0", "dies 1"]
    assert "part by part" in shown.said[0]
    assert "died 2 times" in shown.said[0]
    assert not (tmp_path / "run" / "failures").exists()


def test_parts_are_made_of_the_cells_of_the_task(toy):
    a, b = (Cell("numbers", 1, {"seed": seed}) for seed in range(2))
    for parts in [((a,),), ((a,), (b, Cell("numbers", 1, {"seed": 2})))]:
        with pytest.raises(InputError, match="parts of a task of stage 'numbers' are not made of its cells"):
            make_plan([Task(toy.numbers, (a, b), parts=parts)])
    (work,) = make_plan([Task(toy.numbers, (a, b, a), parts=((a, b), (a,)))]).works
    assert work.parts == ()
    (work,) = make_plan([Task(toy.numbers, (a, b, a), parts=((a,), (b, a)))]).works
    assert [[cell.key for cell in part] for part in work.parts] == [[a.key], [b.key]]
