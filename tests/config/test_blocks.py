"""Config blocks: defaults as committed, keys that survive new fields, grids, and errors of one line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, create_model

import gnnmc.config
from gnnmc.config import (
    AlignmentBlock,
    Block,
    CsbmBlock,
    GraphEntry,
    ModelBlock,
    ObjectiveBlock,
    PathBlock,
    RealBlock,
    RunBlock,
    SourceBlock,
    SourceEntry,
    StudyBlock,
    TrainBlock,
    validate,
)
from gnnmc.errors import InputError
from gnnmc.store.cell import Cell

SNAPSHOT = Path(__file__).with_name("defaults.json")
BLOCKS = {
    name: block
    for name in gnnmc.config.__all__
    if isinstance(block := getattr(gnnmc.config, name), type)
    and issubclass(block, Block)
    # Bases, which no config is made of.
    and block not in (Block, SourceBlock, StudyBlock)
}


def defaults(block):
    return {
        name: "(required)"
        if field.is_required()
        else json.loads(json.dumps(field.get_default(call_default_factory=True)))
        for name, field in block.model_fields.items()
    }


@pytest.mark.parametrize("name", BLOCKS)
def test_defaults_are_the_committed_ones(name):
    committed = json.loads(SNAPSHOT.read_text())
    assert defaults(BLOCKS[name]) == committed.get(name), (
        f"the defaults of {name} changed: a changed default changes results under an old key, so raise the version of "
        f"every stage that uses {name}, then update {SNAPSHOT.name}: {json.dumps(defaults(BLOCKS[name]))} "
        "(a new field whose default means what was done before needs no new version)"
    )


def test_the_snapshot_has_no_block_that_is_gone():
    assert set(json.loads(SNAPSHOT.read_text())) == set(BLOCKS)


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS.values() if not issubclass(b, SourceEntry) and "(required)" not in defaults(b).values()]
)
def test_defaults_leave_no_trace_in_a_key(block):
    assert block().differing() == {}
    assert validate(block, defaults(block)).differing() == {}


def test_what_differs_is_all_that_is_left():
    assert TrainBlock(epochs=100, lr=0.01).differing() == {"epochs": 100}
    assert ModelBlock(name="gcn").differing() == {"name": "gcn"}
    assert CsbmBlock(class_proportions=(0.5, 0.5), num_classes=2).differing() == {
        "num_classes": 2,
        "class_proportions": [0.5, 0.5],
    }


def test_equal_values_have_equal_keys_however_they_are_written():
    same = [validate(CsbmBlock, {"mean_degree": value}).differing() for value in (30, 30.0, "30")]
    assert len({json.dumps(entry) for entry in same}) == 1


@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "epochs": st.integers(1, 1000),
            "lr": st.floats(1e-6, 1.0),
            "weight_decay": st.floats(0, 1.0),
            "optimizer": st.sampled_from(["adam", "sgd"]),
        },
    )
)
def test_a_new_field_with_a_default_keeps_every_key(values):
    grown = create_model("Grown", __base__=TrainBlock, clip=(float | None, None), nested=(PathBlock, PathBlock()))
    old, new = TrainBlock(**values), grown(**values)
    assert Cell("modes", 1, old.differing()).key == Cell("modes", 1, new.differing()).key
    changed = grown(**values, clip=1.0)
    assert Cell("modes", 1, old.differing()).key != Cell("modes", 1, changed.differing()).key


def test_a_block_is_frozen():
    with pytest.raises(ValidationError):
        TrainBlock().epochs = 3


@pytest.mark.parametrize("text", ["1e-3", "0.001", 1e-3])
def test_numbers_that_yaml_reads_as_text_are_numbers(text):
    # YAML 1.1 reads 1e-3, without a point, as a string.
    assert validate(TrainBlock, {"lr": text}).lr == 0.001


@pytest.mark.parametrize(
    "block, config, message",
    [
        (TrainBlock, {"epochs": "many"}, "config epochs: Input should be a valid integer.*, got 'many'"),
        (TrainBlock, {"epochs": 0}, "config epochs: Input should be greater than or equal to 1, got '0'"),
        (TrainBlock, {"epochs": 1.5}, "config epochs: Input should be a valid integer.*, got '1.5'"),
        (TrainBlock, {"epochs": True}, "config epochs: a boolean .* is not allowed here, got 'True'"),
        (TrainBlock, {"lr": False}, "config lr: a boolean"),
        (TrainBlock, {"lr": float("nan")}, "config lr: .*, got 'nan'"),
        (TrainBlock, {"lr": [0.1, 0.2]}, "config lr: Input should be a valid number"),
        (TrainBlock, {"optimizer": 3}, "config optimizer: Input should be a valid string, got '3'"),
        (TrainBlock, {"epoch": 3}, "config: unknown key 'epoch': did you mean 'epochs'"),
        (TrainBlock, {"epoch": 3, "Lr": 1}, r"unknown key 'epoch'.*\(and 1 more\)"),
        (RealBlock, {}, "config name: missing: this key must be given"),
        (PathBlock, {"points": 1}, "config points: Input should be greater than or equal to 2, got '1'"),
        (GraphEntry, {"csbm": {}, "real": {"name": "Cora"}}, "^config: give exactly one of csbm, real, rewired"),
        (GraphEntry, {"csbm": {"homophilly": 0.1}}, "config csbm: unknown key 'homophilly': did you mean 'homophily'"),
        (
            GraphEntry,
            {"csbm": {"homophily": [0.1, 2]}},
            "config csbm.homophily: Input should be less than or equal to 1, got '2'",
        ),
        (GraphEntry, {"csbm": {"homophily": []}}, "config csbm.homophily: an empty list: give at least one value"),
        (GraphEntry, {"real": {"name": ["Cora", 3]}}, "config real.name: Input should be a valid string, got '3'"),
        (GraphEntry, {"cbsm": {}}, "config: unknown key 'cbsm': did you mean 'csbm'"),
    ],
)
def test_an_error_is_one_line_with_the_key_what_was_got_and_what_is_allowed(block, config, message):
    with pytest.raises(InputError, match=message) as error:
        validate(block, config)
    assert "\n" not in str(error.value)


class Inner(Block):
    train: TrainBlock = TrainBlock()


class Outer(Block):
    inner: Inner = Inner()
    graphs: list[GraphEntry] = Field(default_factory=list)
    models: tuple[ModelBlock, ...] = ()
    maybe: TrainBlock | None = None


@pytest.mark.parametrize(
    "config, message",
    [
        (
            {"inner": {"train": {"epoch": 3}}},
            "config inner.train: unknown key 'epoch': did you mean 'epochs'",
        ),
        ({"inner": {"trian": {}}}, "config inner: unknown key 'trian': did you mean 'train'? allowed: train"),
        ({"iner": {}}, "config: unknown key 'iner': did you mean 'inner'? allowed: graphs, inner, maybe, models"),
        ({"inner": {"train": {"lr": -1}}}, "config inner.train.lr: Input should be greater than 0, got '-1'"),
        ({"inner": 3}, "config inner: expected a mapping of keys, such as {key: value}, got '3'"),
        ({"graphs": {}}, "config graphs: expected a list, such as [{csbm: …}], got '{}'"),
        (
            {"graphs": [{"csbm": {}}, {"csbm": {"seeds": 1}}]},
            "config graphs.1.csbm: unknown key 'seeds': did you mean 'seed'?",
        ),
        ({"graphs": [{"csbm": {"seed": [0, "x"]}}]}, "config graphs.0.csbm.seed: Input should be a valid integer"),
        ({"models": ["gcn", {"name": "gat", "hed": 3}]}, "config models.1: unknown key 'hed': did you mean 'head'"),
        ({"models": [{"hidden": 3}]}, "config models.0.name: missing: this key must be given"),
        ({"maybe": {"epoch": 1}}, "config maybe: unknown key 'epoch': did you mean 'epochs'"),
    ],
)
def test_errors_name_the_key_at_every_level(config, message):
    with pytest.raises(InputError) as error:
        validate(Outer, config)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


class Lists(Block):
    graphs: tuple[GraphEntry, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field((0, 1), min_length=2)


@pytest.mark.parametrize(
    "config, message",
    [
        ({"graphs": [{"real": {"name": "Cora", "fold": "x"}}]}, "config graphs.0.real.fold: .*, got 'x'$"),
        ({"graphs": [{"csbm": {"seed": "x"}}, {"csbm": {"seed": "y"}}]}, r"graphs.0.csbm.seed: .* \(and 1 more\)$"),
        ({"graphs": [{"csbm": {}}], "seeds": [0, "x"]}, "config seeds.1: Input should be a valid integer.*, got 'x'$"),
        ({"graphs": [{"csbm": {}}], "seeds": [0]}, "config seeds: a list of 1: give at least 2$"),
        ({"graphs": [{"csbm": {}}], "seeds": ["x"]}, r"config seeds.0: .*, got 'x' \(and 1 more\)$"),
    ],
)
def test_what_only_follows_from_an_error_is_not_counted(config, message):
    with pytest.raises(InputError, match=message):
        validate(Lists, config)


@pytest.mark.parametrize(
    "config, message",
    [
        ({"graph": [{"csbm": {}}]}, r"config: unknown key 'graph': did you mean 'graphs'\?.* \(and 1 more\)$"),
        ({"graphs": [{"csbm": {}}], "seeds": 3}, r"config seeds: expected a list, such as \[3\], got '3'$"),
        ({"graphs": ["Cora"]}, "config graphs.0: expected a mapping of keys, .*, got 'Cora'"),
    ],
)
def test_the_likeliest_cause_is_told_first_in_the_words_of_a_config(config, message):
    with pytest.raises(InputError, match=message):
        validate(Lists, config)


class Study(Block):
    alignments: tuple[AlignmentBlock, ...] = Field((AlignmentBlock(method="weights"),), min_length=1)
    shares: tuple[float, ...] = ()


class Other(Block):
    graphs: tuple[GraphEntry, ...] = ()
    planes: TrainBlock | None = None


@pytest.mark.parametrize(
    "config, message",
    [
        (
            {"alignments": [{"method": "weights", "classes": "semi"}]},
            "config alignments.0.classes: expected a list, such as [semi], got 'semi'",
        ),
        ({"alignments": "weights"}, "config alignments: expected a list, such as [weights], got 'weights'"),
        ({"alignments": {"classes": 3}}, "config alignments: expected a list, such as [name], got"),
        ({"shares": "half"}, "config shares: expected a list, such as [0, 1, 2], got 'half'"),
        ({"alignments": []}, "config alignments: an empty list: give at least 1"),
    ],
)
def test_an_example_of_a_list_is_one_that_would_be_allowed(config, message):
    with pytest.raises(InputError) as error:
        validate(Study, config)
    assert str(error.value).startswith(message)


def test_a_key_of_another_study_is_told_as_one():
    others = {"study one": Study, "study two": Lists}
    with pytest.raises(InputError) as error:
        validate(Other, {"alignments": ["weights"]}, others=others)
    assert str(error.value) == (
        "config: unknown key 'alignments': it is a key of study one: choose that, or leave it out"
    )
    with pytest.raises(InputError, match="unknown key 'plane': did you mean 'planes'"):
        validate(Other, {"plane": {}}, others=others)


def test_a_bare_name_is_a_model():
    assert validate(Outer, {"models": ["gcn"]}).models == (ModelBlock(name="gcn"),)


def test_a_bare_name_is_a_kind_of_path():
    assert PathBlock.model_validate("bezier") == PathBlock(kind="bezier")


def test_lists_are_axes_of_a_grid():
    entry = GraphEntry(csbm={"homophily": [0.1, 0.2], "seed": [0, 1, 2], "num_nodes": 100})
    blocks = list(entry.expand())
    assert [(block.homophily, block.seed) for block in blocks] == [(h, s) for h in (0.1, 0.2) for s in (0, 1, 2)]
    assert {block.num_nodes for block in blocks} == {100}
    assert list(GraphEntry(csbm={}).expand()) == [CsbmBlock()]
    assert [block.name for block in GraphEntry(real={"name": ["Cora", "CiteSeer"]}).expand()] == ["Cora", "CiteSeer"]


def test_a_list_valued_field_becomes_an_axis_only_as_a_list_of_lists():
    one = GraphEntry(csbm={"class_proportions": [0.5, 0.5], "num_classes": 2})
    assert [block.class_proportions for block in one.expand()] == [(0.5, 0.5)]
    two = GraphEntry(csbm={"class_proportions": [[0.5, 0.5], [0.9, 0.1]], "num_classes": 2})
    assert [block.class_proportions for block in two.expand()] == [(0.5, 0.5), (0.9, 0.1)]


def test_axes_may_hold_null():
    assert [b.train_per_class for b in GraphEntry(csbm={"train_per_class": [20, None]}).expand()] == [20, None]


def test_adding_a_value_to_a_grid_changes_no_other_block():
    few = list(GraphEntry(csbm={"homophily": [0.1, 0.3]}).expand())
    more = list(GraphEntry(csbm={"homophily": [0.1, 0.2, 0.3]}).expand())
    assert all(block in more for block in few)


@pytest.mark.parametrize(
    ("written", "size"),
    [(5, 5), ("5", 5), ("7 B", 7), ("1.5KiB", 1536), ("500 MiB", 500 * 2**20), (" 2GiB ", 2**31), ("1TiB", 2**40)],
)
def test_memory_may_be_written_with_a_unit(written, size):
    assert RunBlock(memory=written).memory == size
    assert RunBlock.model_validate_json(RunBlock(memory=written).model_dump_json()).memory == size


@pytest.mark.parametrize("written", ["", "GiB", "2GB", "-1MiB", "2 gib", "1e9", "9" * 400, "0", 0, -1, 1.5, True, None])
def test_other_memory_is_refused(written):
    with pytest.raises(InputError, match=r"config memory: .+"):
        validate(RunBlock, {"memory": written})


def test_an_objective_is_a_name_or_a_name_with_its_numbers():
    assert ObjectiveBlock.model_validate("coral") == ObjectiveBlock(name="coral")
    beside = validate(ObjectiveBlock, {"name": "mmd", "most": 300, "weight": 0.5})
    assert beside == validate(ObjectiveBlock, {"name": "mmd", "numbers": {"most": 300, "weight": 0.5}})
    assert beside.differing() == {"name": "mmd", "numbers": {"most": 300, "weight": 0.5}}
    assert type(beside.numbers["most"]) is int
    assert validate(ObjectiveBlock, beside.differing()) == beside
    assert (beside.called, ObjectiveBlock(name="coral").called) == ("mmd (most 300, weight 0.5)", "coral")
    assert validate(ObjectiveBlock, {"name": "mmd", "label": "MMD"}).called == "MMD"


@pytest.mark.parametrize("wrong", [True, "much", None, [1]])
def test_what_is_no_number_of_an_objective_is_refused_by_name(wrong):
    for written in ({"weight": wrong}, {"numbers": {"weight": wrong}}):
        with pytest.raises(InputError, match="weight: expected a number"):
            validate(ObjectiveBlock, {"name": "mmd"} | written)
