"""The garbage collector: held back while a block runs, and left as it was."""

import gc
import sys

import pytest

from gnnmc.collector import held_back, importing
from gnnmc.run import worker


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("block", [held_back, importing])
def test_it_does_not_run_in_a_block_and_is_left_as_it_was(block, on):
    was = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        with block():
            assert not gc.isenabled()
        assert gc.isenabled() == on
        with pytest.raises(ZeroDivisionError), block():
            _ = 1 / 0
        assert gc.isenabled() == on
    finally:
        gc.unfreeze()
        (gc.enable if was else gc.disable)()


def test_what_was_imported_is_left_out_of_later_walks_and_what_follows_is_not():
    try:
        with importing():
            before = gc.get_freeze_count()
            kept = [[] for _ in range(1000)]
        assert gc.get_freeze_count() >= before + len(kept)
        frozen = gc.get_freeze_count()
        with held_back():
            kept.append([])
        assert gc.get_freeze_count() == frozen
    finally:
        gc.unfreeze()


def test_a_worker_makes_no_garbage_stay_when_it_imports_what_a_task_needs(monkeypatch):
    monkeypatch.delitem(sys.modules, "gnnmc_toy_stages", raising=False)
    before = gc.get_freeze_count()
    worker._import("gnnmc_toy_stages")
    assert "gnnmc_toy_stages" in sys.modules
    assert gc.get_freeze_count() == before
