import io
import re
import time

import pytest

from gnnmc.run import Live, Plain, Verbose, execute
from gnnmc.run.tally import StageCount, Tally, duration
from gnnmc.store import Cell, Store, Task


def tally(**stages):
    return Tally(workers=2, stages=dict(stages), started=0.0)


class TestTimeLeft:
    def test_each_stage_is_counted_with_its_own_mean_over_all_workers(self):
        state = tally(
            graph=StageCount(total=10, done=8, measured=8, seconds=4.0),
            mode=StageCount(total=4, done=2, measured=2, seconds=20.0),
        )
        assert state.left() == pytest.approx(((2 * 0.5 + 2 * 10.0) / 2, False))

    def test_a_stage_that_nobody_has_timed_makes_it_a_lower_bound(self):
        state = tally(graph=StageCount(total=2, done=1, measured=1, seconds=60.0), mode=StageCount(total=4))
        assert state.left() == (30.0, True)
        assert state.left_in_words() == "at least 30 s left"

    def test_nothing_is_said_when_nothing_is_known_or_left(self):
        assert tally(graph=StageCount(total=2)).left_in_words() == ""
        assert tally(graph=StageCount(total=2, done=2, measured=2, seconds=5.0)).left_in_words() == ""

    def test_failed_and_blocked_cells_are_not_to_come(self):
        assert StageCount(total=10, done=3, failed=2, blocked=1).open == 4


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_plain_lines_are_few_and_the_last_one_is_there(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    plain = Plain(stream)
    state = tally(mode=StageCount(total=1000))
    for _ in range(1000):  # 100 s of work
        now[0] += 0.1
        state.stages["mode"].done += 1
        state.measure("mode", 1, 0.2)
        plain.show(state)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 20
    assert lines[0] == "50 of 1000 cells · mode 50/1000 · 5 s elapsed · about 1 min 35 s left"
    assert lines[-1].startswith("1000 of 1000 cells")
    for _ in range(610):  # two minutes of nothing
        now[0] += 0.2
        plain.show(state)
    assert len(stream.getvalue().splitlines()) == 22


def test_live_bars_show_every_stage_and_keep_what_was_said(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    live = Live(stream)
    state = tally(
        graph=StageCount(total=2, done=2), mode=StageCount(total=4, done=1, failed=1, measured=1, seconds=120.0)
    )
    live.show(state)
    live.say("failed: mode/abc [red]: it was [/bold] singular")
    live.close()
    text = stream.getvalue()
    assert "failed: mode/abc [red]: it was [/bold] singular" in text
    for part in ("graph", "2/2", "mode", "1 failed", "2/4", "elapsed", "about 2 min 00 s left"):
        assert part in text


def lines_of(toy, tmp_path, wrap):
    stream = io.StringIO()
    cells = tuple(Cell("graph", 1, {"n": 4, "seed": seed}, label=f"seed {seed}") for seed in range(2))
    execute([Task(toy.numbers, cells)], Store(tmp_path), runner="serial", progress=wrap(Plain(stream)))
    return stream.getvalue().splitlines()


def test_each_task_is_told_where_that_is_wanted(toy, tmp_path):
    start, done, *rest = lines_of(toy, tmp_path / "verbose", Verbose)
    assert start == "start graph seed 0 and 1 more"
    assert re.fullmatch(r"done  graph seed 0 and 1 more in \d+\.\d s, at most \d+ MiB", done)
    assert rest == [line for line in rest if line.startswith("2 of 2 cells")]
    assert not [line for line in lines_of(toy, tmp_path / "plain", lambda shown: shown) if "graph seed" in line]
