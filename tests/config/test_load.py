"""From YAML and --set to a mapping."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnnmc.config import read_config, with_overrides
from gnnmc.errors import InputError

CONFIG = {"train": {"epochs": 200}, "graphs": [{"csbm": {"seed": 0}}, {"real": {"name": "Cora"}}], "name": "x"}


def test_a_yaml_file_is_a_mapping(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("train: {epochs: 3}\nname: é\n", encoding="utf-8")
    assert read_config(path) == read_config(str(path)) == {"train": {"epochs": 3}, "name": "é"}


@pytest.mark.parametrize(
    "content, message",
    [
        (b"a: [1", "is not YAML"),
        (b"a: 1\n\tb: 2", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"a: 2001-99-99", "is not YAML"),
        (b"- 1", "holds a list; expected a mapping"),
        (b"", "is empty: a config needs a study"),
        (b"!!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_any_other_file_is_one_clear_line(tmp_path, content, message):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_config(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for absent in (tmp_path / "no.yaml", tmp_path):
        with pytest.raises(InputError, match="no such config"):
            read_config(absent)


@pytest.mark.parametrize(
    "override, path, value",
    [
        ("train.epochs=100", ("train", "epochs"), 100),
        ("train.lr=0.1", ("train", "lr"), 0.1),
        ("train.lr=1e-3", ("train", "lr"), "1e-3"),
        ("graphs.0.csbm.seed=[0,1]", ("graphs", 0, "csbm", "seed"), [0, 1]),
        ("graphs.1.real={name: PubMed}", ("graphs", 1, "real"), {"name": "PubMed"}),
        ("graphs.1={csbm: {}}", ("graphs", 1), {"csbm": {}}),
        ("name=", ("name",), None),
        ("name=a=b", ("name",), "a=b"),
        ("new.deep.key=yes", ("new", "deep", "key"), True),
        ("name.deep=1", ("name", "deep"), 1),
    ],
)
def test_set_puts_a_yaml_value_at_a_dotted_key(override, path, value):
    before = copy.deepcopy(CONFIG)
    found = with_overrides(CONFIG, [override])
    for part in path:
        found = found[part]
    assert found == value
    assert before == CONFIG


def test_later_overrides_win():
    assert with_overrides(CONFIG, ["name=a", "name=b"])["name"] == "b"
    assert with_overrides(CONFIG, []) == CONFIG


@pytest.mark.parametrize(
    "override, message",
    [
        ("train.epochs", "expected key=value, such as train.epochs=100"),
        ("=3", "expected key=value"),
        ("", "expected key=value"),
        ("name=[1", "'\\[1' is not a YAML value"),
        ("name=2001-99-99", "is not a YAML value"),
        ("graphs.2.csbm={}", "--set graphs.2.csbm: '2' is no entry of that list: allowed: 0 to 1"),
        ("graphs.-1.csbm={}", "'-1' is no entry"),
        ("graphs.first.csbm={}", "'first' is no entry"),
        ("graphs.².csbm={}", "is no entry"),
        ("graphs.0.csbm.seed.x.y=1", None),
    ],
)
def test_wrong_overrides_are_one_clear_line(override, message):
    if message is None:  # a plain value gives way to a mapping; the block then says what it expected
        assert with_overrides(CONFIG, [override])["graphs"][0]["csbm"]["seed"] == {"x": {"y": 1}}
        return
    with pytest.raises(InputError, match=message) as error:
        with_overrides(CONFIG, [override])
    assert "\n" not in str(error.value)


def test_a_plain_value_in_a_list_has_nothing_below():
    with pytest.raises(InputError, match=r"--set seeds\.0\.x: there is nothing below a plain value at 'x'"):
        with_overrides({"seeds": [1]}, ["seeds.0.x=1"])
    with pytest.raises(InputError, match="the list is empty"):
        with_overrides({"seeds": []}, ["seeds.0=1"])


@given(st.text(max_size=30))
def test_any_text_is_an_override_or_an_input_error(text):
    try:
        assert isinstance(with_overrides(CONFIG, [text]), dict)
    except InputError as error:
        assert "\n" not in str(error)
