"""Two runs in one folder at once."""

import pytest
from gnnmc_toy_processes import log, tables, wait_for


@pytest.mark.slow
def test_of_two_runs_in_one_folder_the_second_is_refused_and_the_first_ends(
    call, config, undisturbed, starter, tmp_path
):
    folder = tmp_path / "run"
    first = starter.study(config, folder, "--quiet")
    wait_for(lambda: "run of" in log(folder))
    second = call("run", config, "--out", folder, "--quiet")
    remade = call("report", folder)
    out, err = first.communicate(timeout=120)
    for refused in (second, remade) if "has no finished run" not in remade.err else (second,):
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert f"{folder} is being written by process {first.pid} on " in refused.err
        assert "wait for its end or choose another folder" in refused.err
    assert (first.returncode, out, err) == (0, "", "")
    assert log(folder).count("run of") == 1
    assert tables(folder) == tables(undisturbed)
