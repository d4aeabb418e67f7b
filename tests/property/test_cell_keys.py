"""Keys: what they depend on, what they do not, and that they stay what they are."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gnnmc
from gnnmc.config.block import Block
from gnnmc.store import Cell, Description

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
configs = st.dictionaries(st.text(), json_values, max_size=5)


def chain():
    graph = Cell("graph", 1, {"homophily": 0.3, "seed": 0}, files={"cora.npz": "ab" * 32})
    modes = tuple(Cell("mode", 2, {"seed": seed, "name": "é"}, {"graph": graph}) for seed in (0, 1))
    return Cell("profile", 1, {"points": 25}, {"ends": modes, "graph": graph}, label="never in the key")


# Committed: a change of these digits makes every stored result of every user unfindable.
GOLDEN = {"graph": "de203678d797dc2a8a47bf2d72d63d0f", "profile": "9a06b8de0d2fd1b8066aa678e2d20f38"}


def test_keys_stay_what_they_are():
    profile = chain()
    assert profile.key == GOLDEN["profile"]
    assert profile.inputs["graph"].key == GOLDEN["graph"]


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_keys_are_equal_in_every_process(hash_seed):
    script = """
        from gnnmc.store import Cell
        config = {name: {name, "x"} and 1 for name in {"b", "a", "c", "homophily"}}
        print(Cell("graph", 1, config).key)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(gnnmc.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == Cell("graph", 1, {"homophily": 1, "a": 1, "b": 1, "c": 1}).key


@given(configs, st.randoms())
def test_the_order_of_fields_does_not_matter(config, random):
    names = list(config)
    random.shuffle(names)
    assert Cell("s", 1, config).key == Cell("s", 1, {name: config[name] for name in names}).key


@given(configs, configs)
def test_different_configs_have_different_keys(a, b):
    def text(config):
        import json

        return json.dumps(config, sort_keys=True)

    assert (Cell("s", 1, a).key == Cell("s", 1, b).key) == (text(a) == text(b))


def test_everything_that_is_in_the_key_changes_it():
    a, b = Cell("graph", 1, {"seed": 0}), Cell("graph", 1, {"seed": 1})
    cells = [
        Cell("s", 1),
        Cell("t", 1),
        Cell("s", 2),
        Cell("s", 1, {"x": 1}),
        Cell("s", 1, {"x": 1.5}),
        Cell("s", 1, {}, {"graph": a}),
        Cell("s", 1, {}, {"graph": b}),
        Cell("s", 1, {}, {"other": a}),
        Cell("s", 1, {}, {"graph": (a,)}),
        Cell("s", 1, {}, {"graph": (a, b)}),
        Cell("s", 1, {}, {"graph": (b, a)}),
        Cell("s", 1, {}, {}, {"raw": "00"}),
        Cell("s", 1, {}, {}, {"raw": "01"}),
    ]
    assert len({cell.key for cell in cells}) == len(cells)
    assert all(len(cell.key) == 32 and int(cell.key, 16) >= 0 for cell in cells)


def test_the_label_is_not_in_the_key_nor_is_anything_of_the_machine():
    assert Cell("s", 1, {"x": 1}, label="a").key == Cell("s", 1, {"x": 1}, label="b").key


class Before(Block):
    hidden: int = 64
    layers: int = 2


class After(Block):
    hidden: int = 64
    layers: int = 2
    norm: str = "none"
    residual: bool = False


@given(st.integers(1, 512), st.integers(1, 12))
def test_adding_a_field_with_a_default_keeps_old_keys(hidden, layers):
    old, new = Before(hidden=hidden, layers=layers), After(hidden=hidden, layers=layers)
    assert Cell("mode", 1, old.differing()).key == Cell("mode", 1, new.differing()).key
    assert Cell("mode", 1, old.differing()).key != Cell("mode", 1, After(hidden=hidden, norm="batch").differing()).key


def test_a_description_has_the_key_and_the_inputs_of_its_cell():
    profile = chain()
    description = Description.of(profile)
    assert (description.stage, description.key) == ("profile", profile.key)
    inputs = [*profile.inputs["ends"], profile.inputs["graph"]]
    assert [a.key for a in description.input_addresses()] == [cell.key for cell in inputs]
