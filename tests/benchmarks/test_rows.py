"""Every row runs with everything small, and its limit does."""

import argparse
import json

import pytest

from benchmarks.command import chosen, main
from benchmarks.rows import GROUPS, ROWS
from benchmarks.surveys import SURVEYS

# One of each kind; the others with the slow tests.
QUICK = ["profile-gcn-csbm", "plane-gcn-cora", "train-gcn-csbm", "fit-bezier-cora"]
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ROWS]


def test_rows_are_chosen_by_name_and_by_group():
    parser = argparse.ArgumentParser()
    assert chosen([], parser) == (list(ROWS.values()), list(SURVEYS))
    rows, surveys = chosen(["fitting", "plane-gcn-cora", "memory"], parser)
    assert [row.name for row in rows] == ["plane-gcn-cora", "fit-bezier-cora"]
    assert surveys == ["memory"]
    with pytest.raises(SystemExit):
        chosen(["no-such-row"], parser)
    assert set(GROUPS) == {row.group for row in ROWS.values()}


@pytest.mark.parametrize("name", CASES)
def test_a_row_runs_small(name, tmp_path, capsys):
    main([name, "--quick", "--repeats", "1", "--out", str(tmp_path)])
    record = json.loads((tmp_path / "results.json").read_text("utf-8"))["rows"][name]
    assert record["quick"]
    assert all(len(each) == 1 and each[0] > 0 for each in record["each"].values())
    assert set(record["agreement"]) == set(record["each"]) - {"baseline", "limit"}
    assert name in capsys.readouterr().out
