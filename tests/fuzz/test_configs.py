"""Configs and overrides of any content: planned, or refused in one line."""

import collections
import math
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnnmc.commands.run import load_study
from gnnmc.config import (
    SOURCE_BLOCKS,
    Block,
    ModelBlock,
    PathBlock,
    ProfileBlock,
    RunBlock,
    TrainBlock,
    read_config,
    with_overrides,
)
from gnnmc.connectivity import PATHS
from gnnmc.errors import InputError
from gnnmc.models import MODELS
from gnnmc.studies import STUDIES
from gnnmc.training import SCHEDULES

BLOCKS = [TrainBlock, PathBlock, ProfileBlock, RunBlock, ModelBlock, *SOURCE_BLOCKS.values()]
FAST_AND_FULL = pytest.mark.parametrize("examples", [60, pytest.param(600, marks=pytest.mark.slow)])


def fuzzed(examples: int) -> settings:
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data of the machine, none to be had."""

    def refuse(*_: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


WORDS = [
    *PATHS, *MODELS, *SCHEDULES, *SOURCE_BLOCKS,
    "adam", "sgd", "all", "init", "data_order", "spawn", "last", "best_val",
    "none",
    "layer", "batch", "conv", "linear", "cat", "max", "lstm", "given", "undirected", "mean", "sum", "reestimate",
    "stored", "cpu", "auto",
    "cuda", "cuda:99", "meta", "serial", "local", "Cora", "gcn/Cora", "webkb-Texas", "tu-MUTAG",
    "fashion-mnist", "row", "raw", "standard", "degree", "dense", "sparse", "own", "original", "resample", "default",
]  # fmt: skip
HOSTILE = [
    "", " ", "\x00", "a\nb",
    "\x1b[2J", "<script>alert(1)</script>", "{{7*7}}", "../../etc/x", "/etc/passwd", "..", "NUL",
    "x" * 300, "é" * 3, "\u202e", "\ud800", "1e-3", "1_0", "0x10", "null", "~", "=", "-", "9" * 40, "!!python/none",
]  # fmt: skip
NUMBERS = [
    0, 1, 2, 3, 5, 60, -1, -(2**63), 2**31, 10**7, 2**63, 2**64, 10**30, 10**400,
    0.0, -0.0, 0.3, 0.5, 1.0, 0.999999, 1.5, -0.1,
    1e-30, 5e-324, 1e30, 1e308, math.nan, math.inf, -math.inf,
]  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(HOSTILE), st.text(max_size=5), st.dates()
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.one_of(st.text(max_size=4), st.integers()), inner, max_size=3)
    ),
    max_leaves=6,
)


GRAPHS = st.fixed_dictionaries(
    {
        "num_nodes": st.sampled_from([60, 80]),
        "num_classes": st.sampled_from([2, 3]),
        "num_features": st.sampled_from([4, 8]),
        "train_per_class": st.sampled_from([1, 3]),
        "mean_degree": st.sampled_from([2, 4.5]),
    },
    optional={
        "homophily": st.one_of(st.sampled_from([0.1, 0.5, 1]), st.just([0.2, 0.8])),
        "separation": st.sampled_from([0, 0.5, 2]),
        "degree_exponent": st.sampled_from([2.5, 3]),
        "seed": st.one_of(st.integers(0, 5), st.just([0, 1])),
    },
).map(lambda values: {"csbm": values})
MODEL = st.one_of(
    st.sampled_from(["gcn", "mlp"]),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["gcn", "sage", "mlp", "gat"]), "hidden": st.sampled_from([8, 16])},
        optional={"layers": st.integers(1, 3), "dropout": st.sampled_from([0, 0.5])},
    ),
)
TRAIN = st.fixed_dictionaries(
    {"epochs": st.integers(1, 3)},
    optional={
        "lr": st.sampled_from([0.01, "1e-3", 1]),
        "weight_decay": st.sampled_from([0, 5e-4]),
        "optimizer": st.sampled_from(["adam", "sgd"]),
        "schedule": st.sampled_from([*SCHEDULES]),
        "warmup": st.sampled_from([0, 0.3]),
        "batch_size": st.sampled_from([2, None]),
        "vary": st.sampled_from(["all", "init", "data_order"]),
    },
)
PATH = st.one_of(
    st.just("linear"),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(sorted({*PATHS} - {"linear"})), "steps": st.integers(1, 3)},
        optional={"points": st.integers(3, 4), "l2": st.sampled_from([0, 1e-3]), "pairs": st.just(1)},
    ),
)


@st.composite
def sound(draw: st.DrawFn) -> dict[Any, Any]:
    """A tiny config, most likely one that can be done."""
    study, chosen = draw(st.sampled_from([*STUDIES])), st.lists(MODEL, min_size=1, max_size=2)
    config: dict[Any, Any] = {"study": study, "train": draw(TRAIN), "run": {"runner": "serial"}}
    config["seeds"] = draw(st.lists(st.integers(0, 9), min_size=2, max_size=3, unique=True))
    config["profile"] = {"points": draw(st.integers(3, 5))}
    if "graphs" in STUDIES[study].config.model_fields:
        config |= {"graphs": draw(st.lists(GRAPHS, min_size=1, max_size=2)), "models": draw(chosen)}
    elif study == "transfer":
        domains = dict(zip("abc", draw(st.lists(GRAPHS, min_size=2, max_size=3))))
        config |= {"groups": [{"name": "g", "domains": domains}], "models": draw(chosen)}
        config["methods"] = draw(st.lists(st.sampled_from(["vanilla", "coral", "dann"]), min_size=1, max_size=2))
    else:
        config["problems"] = [{"data": draw(GRAPHS), "models": draw(chosen)}]
    if draw(st.booleans()):
        config["paths"] = draw(st.lists(PATH, min_size=1, max_size=2))
    if draw(st.booleans()):
        config["title"] = draw(st.sampled_from(HOSTILE))
    return config


FIELDS = sorted({name for block in BLOCKS for name in block.model_fields} | {*SOURCE_BLOCKS})
VALUES_IN_KIND = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(WORDS), st.sampled_from(HOSTILE), st.booleans())
CHANGES = st.tuples(
    st.lists(st.integers(0, 9), min_size=1, max_size=5),  # where: which member of the config, which of that, …
    st.sampled_from(["replace", "replace", "list", "drop", "add"]),
    st.one_of(st.sampled_from(FIELDS), st.sampled_from(FIELDS), st.sampled_from(HOSTILE), st.integers()),
    st.one_of(VALUES_IN_KIND, VALUES_IN_KIND, JUNK),
)


def changed(config: dict[Any, Any], changes: list[tuple[list[int], str, Any, Any]]) -> dict[Any, Any]:
    for where, how, key, value in changes:
        place: Any = config
        for number in where[:-1]:
            members = [*place.values()] if isinstance(place, dict) else place
            inner = [member for member in members if isinstance(member, (dict, list)) and member]
            place = inner[number % len(inner)] if inner else place
        names = [*place] if isinstance(place, dict) else [*range(len(place))]
        at = names[where[-1] % len(names)] if names else None
        if how == "add" and isinstance(place, dict):
            place[key] = value
        elif at is not None and how == "drop":
            del place[at]
        elif at is not None:
            place[at] = [place[at], value] if how == "list" else value
    return config


def configs() -> st.SearchStrategy[dict[Any, Any]]:
    """Configs as users may write them, with up to three things in them that may be wrong."""
    wrong = st.one_of(st.just([]), st.lists(CHANGES, min_size=1, max_size=1), st.lists(CHANGES, max_size=3))
    return st.builds(changed, sound(), wrong)


KEYS = st.lists(
    st.one_of(
        st.sampled_from(["train", "epochs", "graphs", "0", "csbm", "homophily", "models", "study", "seeds"]),
        st.sampled_from(HOSTILE), st.text(max_size=3), st.just("9" * 5000),
    ),
    max_size=4,
)  # fmt: skip
VALUES = st.one_of(
    st.builds(lambda value: as_yaml(value).strip(), JUNK),
    st.text(max_size=8),
    st.sampled_from(
        [
            "&a [*a]",
            "[" * 5000,
            "*a",
            "!!python/object/apply:os.system [x]",
            "9" * 5000,
            "2001-99-99",
            "!!set {a}",
            "!!binary a",
            "? [1]",
            "{[1]: 2}",
            "<<: 3",
            "!!timestamp x",
            "1:60:60",
            "=",
            "0o9",
            "1e999",
            "-.inf",
        ]
    ),
)
OVERRIDES = st.lists(
    st.one_of(st.builds(lambda keys, text: f"{'.'.join(keys)}={text}", KEYS, VALUES), st.text(max_size=12)), max_size=2
)


def as_yaml(value: Any) -> str:
    return str(yaml.dump(value, allow_unicode=False))


def outcome(config_text: bytes, overrides: list[str], folder: Path) -> str:
    """What becomes of a config: "planned", or "refused"; whatever else it raises is a fault."""
    file = folder / "config.yaml"
    file.write_bytes(config_text)
    try:
        study, config = load_study(with_overrides(read_config(file), overrides))
        study.plan(config)
    except InputError as error:
        assert str(error).isprintable(), str(error)
        return "refused"
    return "planned"


@FAST_AND_FULL
def test_any_config_is_planned_or_refused_in_one_line(examples: int, tmp_path: Path) -> None:
    outcomes: collections.Counter[str] = collections.Counter()

    @fuzzed(examples)
    @given(config=configs(), overrides=st.one_of(st.just([]), OVERRIDES))
    def check(config: Any, overrides: list[str]) -> None:
        outcomes[outcome(as_yaml(config).encode(), overrides, tmp_path)] += 1

    check()
    assert min(outcomes["planned"], outcomes["refused"]) > examples / 10


# Where each block stands in a config of the one study that takes them all.
SPOTS: list[tuple[tuple[Any, ...], type[Block]]] = [
    (("train",), TrainBlock),
    (("paths", 0), PathBlock),
    (("profile",), ProfileBlock),
    (("run",), RunBlock),
    (("models", 0), ModelBlock),
    *[(("graphs", 0, key), block) for key, block in SOURCE_BLOCKS.items()],
    ((), STUDIES["homophily_barrier"].config),
]
SETTINGS = [(*where, name) for where, block in SPOTS for name in block.model_fields]
LISTS = [
    [0.5, 0.5],
    [0.2, 0.3, 0.5],
    [1e308] * 3,
    [[1e308] * 3] * 3,
    [[1e-320] * 3] * 3,
    [0, 0, 0],
    [[]],
    [None],
    [1, 1],
]
LARGE = [[0, 1] * 9, list(range(2000)), [[0.1, 0.9]] * 3]


def with_setting(where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    graph = {"num_nodes": 60, "num_classes": 3, "num_features": 4, "train_per_class": 3, "mean_degree": 4}
    config: dict[str, Any] = {"study": "homophily_barrier", "graphs": [{"csbm": graph}], "seeds": [0, 1]}
    config |= {"models": [{"name": "gcn", "hidden": 8}], "train": {}, "paths": [{"kind": "bezier"}]}
    config |= {"profile": {}, "run": {}}
    place: Any = config
    for part in where[:-1]:
        if isinstance(place, dict) and part not in place:  # another kind of source takes the place of the graph
            place.clear()
            place[part] = {} if part == "csbm" else {"name": "Cora"}
        place = place[part]
    place[where[-1]] = value
    return config


@FAST_AND_FULL
def test_any_value_of_any_setting_is_planned_or_refused_in_one_line(examples: int, tmp_path: Path) -> None:
    values = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(WORDS + HOSTILE), st.sampled_from(LISTS + LARGE), JUNK)
    outcomes: collections.Counter[str] = collections.Counter()

    @fuzzed(2 * examples)
    @given(where=st.sampled_from(SETTINGS), value=values)
    def check(where: tuple[Any, ...], value: Any) -> None:
        outcomes[outcome(as_yaml(with_setting(where, value)).encode(), [], tmp_path)] += 1

    check()
    assert outcomes["planned"] and outcomes["refused"]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("graphs", 0, "csbm", "num_nodes"), 2**31),
        (("graphs", 0, "csbm", "num_nodes"), 2**63),
        (("graphs", 0, "csbm", "num_nodes"), 10**30),
        (("graphs", 0, "csbm", "separation"), 1e308),
        (("graphs", 0, "csbm", "train_per_class"), 2**64),
        (("graphs", 0, "csbm", "class_proportions"), [1e308] * 3),
        (("graphs", 0, "csbm", "compatibility"), [[1e308] * 3] * 3),
        (("graphs", 0, "csbm", "noise_by_class"), [1e308] * 3),
        (("graphs", 0, "csbm"), {"seed": list(range(1000)), "homophily": [number / 1000 for number in range(1000)]}),
        (("seeds",), list(range(2000))),
    ],
)
def test_what_no_machine_can_hold_is_refused_when_planned(where: tuple[Any, ...], value: Any, tmp_path: Path) -> None:
    assert outcome(as_yaml(with_setting(where, value)).encode(), [], tmp_path) == "refused"


def test_a_large_graph_is_planned_without_its_nodes(tmp_path: Path) -> None:
    where = ("graphs", 0, "csbm", "num_nodes")
    assert outcome(as_yaml(with_setting(where, 10**8)).encode(), [], tmp_path) == "planned"


BASE = """study: homophily_barrier
graphs: [{csbm: {num_nodes: 60, num_features: 8, train_per_class: 3}}]
models: [gcn]
"""
LAUGHS = "x: [" + ", ".join(f"&a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]" for n in range(12)) + "]\n"


@FAST_AND_FULL
def test_any_text_is_planned_or_refused_in_one_line(examples: int, tmp_path: Path) -> None:
    keys = st.sampled_from(["seeds", "title", "train", "paths", "x"])
    texts = st.one_of(
        st.builds(as_yaml, JUNK),
        st.builds(lambda line: BASE + line, st.one_of(VALUES, st.text(max_size=20), st.just(LAUGHS))),
        st.builds(lambda key, value: f"{BASE}{key}: {value}\n", keys, VALUES),
        st.builds(lambda at, more: BASE[:at] + more + BASE[at:], st.integers(0, len(BASE)), st.text(max_size=3)),
    ).map(lambda text: text.encode("utf-8", "surrogatepass"))

    @fuzzed(examples)
    @given(text=st.one_of(st.binary(max_size=30), texts))
    def check(text: bytes) -> None:
        outcome(text, [], tmp_path)

    check()


@pytest.mark.parametrize("text", ["&a [*a]", "[" * 1500, "[" * 25 + "]" * 25, "!!timestamp x", "!!int ''", "!!bool x"])
def test_text_that_yaml_stumbles_over_is_refused(text: str, tmp_path: Path) -> None:
    assert outcome(f"{BASE}title: {text}\n".encode(), [], tmp_path) == "refused"
    assert outcome(BASE.encode(), [f"title={text}"], tmp_path) == "refused"


def test_aliases_of_aliases_and_endless_keys_are_refused(tmp_path: Path) -> None:
    assert outcome((BASE + LAUGHS).encode(), [], tmp_path) == "refused"
    assert outcome(BASE.encode(), [".".join("x" * 5000) + "=1"], tmp_path) == "refused"
    assert outcome(BASE.encode(), [f"graphs.{'9' * 5000}=1"], tmp_path) == "refused"
