"""What every store promises, run over every store."""

import pandas as pd
import pytest
import torch

from gnnmc.errors import InputError, StoreError
from gnnmc.store import Address, Cell, Store

GRAPH = Cell("graph", 1, {"seed": 0})
MODE = Cell("mode", 2, {"lr": 0.1}, {"graph": GRAPH, "others": (GRAPH,)}, {"raw.npz": "ab" * 32}, label="gcn, seed 0")
RESULT = {
    "weights": {"b": torch.arange(3.0), "a": torch.ones(2, 2, dtype=torch.float64)},
    "log": pd.DataFrame({"epoch": [0, 1], "loss": [1.5, float("nan")], "split": ["train", "val"]}),
    "status": {"converged": True, "loss": float("inf"), "notes": ["x", None]},
}


@pytest.fixture(params=[Store], ids=["directory"])
def open_store(request, tmp_path):
    return lambda: request.param(tmp_path / "run")


class TestStore:
    def test_a_result_comes_back_as_it_was(self, open_store):
        open_store().save(MODE, RESULT, {"seconds": 1.25})
        back = open_store().load(MODE)
        assert list(back) == list(RESULT)
        assert list(back["weights"]) == ["b", "a"]
        assert all(torch.equal(back["weights"][name], tensor) for name, tensor in RESULT["weights"].items())
        assert back["weights"]["a"].dtype == torch.float64
        pd.testing.assert_frame_equal(back["log"], RESULT["log"])
        assert back["status"] == RESULT["status"]

    def test_every_load_gives_fresh_objects(self, open_store):
        store = open_store()
        store.save(MODE, RESULT)
        store.load(MODE)["weights"]["b"].zero_()
        assert torch.equal(store.load(MODE)["weights"]["b"], RESULT["weights"]["b"])

    def test_what_is_there_and_what_is_not(self, open_store):
        store = open_store()
        assert not store.has(MODE)
        assert store.keys() == []
        store.save(MODE, RESULT)
        store.save(GRAPH, {"seed": 0})
        assert store.has(MODE)
        assert store.has(Address("mode", MODE.key))
        assert open_store().keys() == sorted([MODE.key, GRAPH.key])
        assert not store.has(Cell("mode", 3, {"lr": 0.1}))
        for read in (store.load, store.metadata, store.verify):
            with pytest.raises(StoreError, match="no result"):
                read(Cell("mode", 3, {"lr": 0.1}))

    def test_reading_an_empty_store_creates_nothing(self, open_store, tmp_path):
        open_store().has(MODE)
        assert list(tmp_path.iterdir()) == []

    def test_metadata_says_when_where_and_with_what(self, open_store):
        store = open_store()
        store.save(GRAPH, {"seed": 0}, {"seconds": 1.25, "device": "cpu", "peak": float("nan")})
        metadata = store.metadata(GRAPH)
        assert {"when", "host", "processor", "python", "torch", "gnnmc", "seconds", "device"} <= set(metadata)
        assert metadata["seconds"] == 1.25
        assert metadata["torch"] == torch.__version__

    def test_a_stored_result_is_never_changed(self, open_store):
        store = open_store()
        store.save(GRAPH, {"seed": 0})
        store.save(GRAPH, {"seed": 1})
        assert store.load(GRAPH) == {"seed": 0}

    def test_saving_changes_nothing_of_the_callers(self, open_store):
        weights = {"w": torch.ones(3, 2).t()}
        open_store().save(GRAPH, {"weights": weights})
        assert not weights["w"].is_contiguous()

    def test_a_refused_value_leaves_nothing(self, open_store):
        store = open_store()
        with pytest.raises(InputError, match="odd"):
            store.save(GRAPH, {"fine": 1, "odd": object()})
        assert not store.has(GRAPH)
        assert store.keys() == []

    @pytest.mark.parametrize("stage", ["../../etc", "a/b", "", ".hidden", "/tmp/x"])
    def test_a_stage_cannot_lead_out_of_the_folder(self, open_store, stage):
        store = open_store()
        for call in (lambda c: store.save(c, {"a": 1}), store.has, store.load):
            with pytest.raises(InputError, match="not allowed"):
                call(Cell(stage, 1))

    def test_a_config_without_a_stable_text_is_refused_in_one_line(self, open_store):
        for config in ({"a": float("nan")}, {"a": object()}):
            with pytest.raises(InputError, match="stage 'graph'") as error:
                open_store().save(Cell("graph", 1, config), {"a": 1})
            assert "\n" not in str(error.value)

    def test_bytes_depend_on_the_result_alone(self, open_store):
        store = open_store()
        other = Cell("mode", 9)
        store.save(MODE, RESULT)
        store.save(other, RESULT)
        assert store.load_members(MODE) == store.load_members(other)
