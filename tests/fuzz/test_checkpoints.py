"""Checkpoints of any content: read exactly, or refused in one line; nothing in them is ever executed."""

import collections
import io
import json
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import gnnmc
from gnnmc.cli import main
from gnnmc.connectivity.files import save_path
from gnnmc.errors import InputError
from gnnmc.weights import load_end

GRAPH = "csbm:num_nodes=40,num_classes=2,num_features=4,train_per_class=3"
MODEL = ["--model", "gcn", "--set", "hidden=3", "--graph", GRAPH, "--points", "3", "--device", "cpu"]

FAST_AND_FULL = pytest.mark.parametrize("examples", [40, pytest.param(400, marks=pytest.mark.slow)])


def fuzzed(examples: int) -> settings:
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


def one_line(error: object) -> None:
    assert str(error)
    assert str(error).isprintable(), str(error)


@pytest.fixture(scope="module")
def modes() -> list[gnnmc.Mode]:
    data = gnnmc.csbm(num_nodes=40, num_classes=2, num_features=4, train_per_class=3)
    problem = gnnmc.Problem.node_classification(data)
    return gnnmc.train(gnnmc.build_model("gcn", problem, hidden=3), problem, [0, 1], epochs=2, device="cpu")


SHAPES = st.lists(st.integers(0, 5), max_size=4)
DTYPES = st.sampled_from(
    ["float64", "float16", "bfloat16", "int64", "int8", "uint8", "uint16", "bool", "complex64", "float8_e4m3fn"]
)
NAMES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["", "a\nb", "\x1b[31m", "x" * 5000, "module.w", "best_val::w", "0::w", "é", 3, (1, 2), None]),
)
OTHERS = st.sampled_from([None, 3, "text", [1.0], {"w": torch.ones(2)}, b"bytes", torch.float32])
EDITS = st.one_of(
    st.tuples(st.just("drop"), st.none()),
    st.tuples(st.just("rename"), NAMES),
    st.tuples(st.just("reshape"), SHAPES),
    st.tuples(st.just("cast"), DTYPES),
    st.tuples(st.just("fill"), st.sampled_from([math.nan, math.inf, -math.inf, 1e38, -1e-45, 0.0])),
    st.tuples(st.just("layout"), st.sampled_from(["coo", "csr", "expanded", "strided", "meta", "parameter"])),
    st.tuples(st.just("add"), NAMES),
    st.tuples(st.just("replace"), OTHERS),
    st.tuples(st.just("prefix"), st.sampled_from(["module.", "_orig_mod.", "best_val::", "0::", "\n"])),
    st.tuples(st.just("nest"), st.none()),
)


def in_layout(value: torch.Tensor, layout: str) -> torch.Tensor:
    return {
        "coo": lambda: value.to_sparse_coo(),
        "csr": lambda: (value if value.dim() == 2 else torch.eye(3)).to_sparse_csr(),
        "expanded": lambda: torch.ones(1).expand(2**22),
        "strided": lambda: torch.randn(2, *value.shape, generator=torch.Generator().manual_seed(0))[1],
        "meta": lambda: torch.empty_like(value, device="meta"),
        "parameter": lambda: torch.nn.Parameter(value) if value.is_floating_point() else value,
    }[layout]()


def edited(weights: dict[Any, Any], edits: list[tuple[int, tuple[str, Any]]]) -> dict[Any, Any]:
    changed = dict(weights)
    for place, (how, with_what) in edits:
        name = list(changed)[place % len(changed)] if changed else "w"
        value = changed.get(name)
        if how == "drop":
            changed.pop(name, None)
        elif how == "rename":
            changed[with_what] = changed.pop(name, torch.ones(1))
        elif how == "add":
            changed[with_what] = torch.ones(2)
        elif how == "replace":
            changed[name] = with_what
        elif how == "prefix":
            changed = {f"{with_what}{key}": one for key, one in changed.items()}
        elif how == "nest":
            changed = {"state_dict": changed, "epoch": 3}
        elif isinstance(value, torch.Tensor) and value.layout == torch.strided and value.device.type == "cpu":
            if how == "reshape":
                changed[name] = torch.zeros(with_what)
            elif how == "cast" and not value.is_complex():
                changed[name] = value.to(getattr(torch, with_what))
            elif how == "fill" and value.is_floating_point() and value.element_size() > 1:
                changed[name] = torch.full_like(value, with_what)
            elif how == "layout":
                changed[name] = in_layout(value, with_what)
    return changed


def written(weights: dict[Any, Any], file: Path, form: str) -> None:
    try:
        if form == "safetensors":
            save_file({name: value.contiguous() for name, value in weights.items()}, file)
            return
    except Exception:  # what safetensors cannot hold, a pickle can
        form = "zip"
    torch.save(weights, file, _use_new_zipfile_serialization=form == "zip")


@FAST_AND_FULL
@pytest.mark.filterwarnings("ignore:.*NotImplemented|.*legacy|.*prototype")
def test_any_state_dict_is_connected_or_refused_in_one_line(
    examples: int, modes: list[gnnmc.Mode], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.pt"
    torch.save(modes[0].weights, good)
    codes: collections.Counter[int] = collections.Counter()

    @fuzzed(examples // 2)
    @given(
        edits=st.lists(st.tuples(st.integers(0, 9), EDITS), max_size=3),
        form=st.sampled_from(["zip", "legacy", "safetensors"]),
        suffix=st.sampled_from([".pt", ".safetensors", ".bin", ""]),
        first=st.booleans(),
    )
    def check(edits: list[tuple[int, tuple[str, Any]]], form: str, suffix: str, first: bool) -> None:
        file = tmp_path / f"fuzzed{suffix}"
        weights = edited(dict(modes[1].weights), edits)
        written(weights, file, form)
        ends = [str(file), str(good)]
        with pytest.raises(SystemExit) as ended:
            main(["connect", *(ends if first else ends[::-1]), *MODEL])
        captured = capsys.readouterr()
        code = int(ended.value.code or 0)
        assert code in (0, 2), captured.err
        if code == 2:
            assert len(captured.err.splitlines()) == 1
            one_line(captured.err.removesuffix("\n"))
        codes[code] += 1

    check()
    assert codes[0] and codes[2]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just(2**70)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def with_record(file: Path, text: str) -> None:
    save_file({"w": torch.ones(2), "best_val::w": torch.ones(2), "0::w": torch.ones(1)}, file, {"gnnmc": text})


@st.composite
def records(draw: st.DrawFn, mode: dict[str, Any], path: dict[str, Any]) -> str:
    """A record in which something is not as gnnmc writes it: any JSON, or a true one with a few members replaced."""
    kind = draw(st.sampled_from(["any", "mode", "path", "text"]))
    if kind == "text":
        return draw(st.one_of(st.text(max_size=20), st.sampled_from(["[" * 10**5, "9" * 5000, '{"mode":', "NaN"])))
    if kind == "any":
        return json.dumps(
            draw(st.one_of(JSON, st.fixed_dictionaries({"mode": JSON}), st.fixed_dictionaries({"path": JSON})))
        )
    record = json.loads(json.dumps(mode if kind == "mode" else path))
    inside = draw(st.sampled_from(["", *[name for name, value in record.items() if isinstance(value, dict)]]))
    place = record[inside] if inside else record
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.one_of(st.sampled_from([*place] or ["x"]), st.text(max_size=4)))
        if draw(st.booleans()):
            place[name] = draw(JSON)
        else:
            place.pop(name, None)
    return json.dumps({kind: record})


@FAST_AND_FULL
def test_any_record_is_read_or_refused_in_one_line(examples: int, modes: list[gnnmc.Mode], tmp_path: Path) -> None:
    mode = json.loads(json.dumps(modes[0].record()))
    save_path(tmp_path / "line.safetensors", gnnmc.LinearPath(modes[0], modes[1]))
    path = gnnmc.weights.files.load_record(tmp_path / "line.safetensors")[1]["path"]
    outcomes: collections.Counter[str] = collections.Counter()

    @fuzzed(examples)
    @given(text=records(mode, path))
    def check(text: str) -> None:
        with_record(tmp_path / "fuzzed.safetensors", text)
        for load in (load_end, gnnmc.load_mode, gnnmc.load_path, gnnmc.load_weights):
            try:
                load(tmp_path / "fuzzed.safetensors")
                outcomes["read"] += 1
            except InputError as error:
                one_line(error)
                outcomes["refused"] += 1

    check()
    assert outcomes["read"] and outcomes["refused"]


@FAST_AND_FULL
def test_damaged_bytes_are_read_or_refused_in_one_line(examples: int, modes: list[gnnmc.Mode], tmp_path: Path) -> None:
    modes[0].save(tmp_path / "a.safetensors")
    contents = [(tmp_path / "a.safetensors").read_bytes()]
    for zipped in (True, False):
        buffer = io.BytesIO()
        torch.save(modes[0].weights, buffer, _use_new_zipfile_serialization=zipped)
        contents.append(buffer.getvalue())
    contents.append(pickle.dumps({"w": [1.0]}))

    @fuzzed(examples)
    @given(
        content=st.sampled_from(contents),
        end=st.one_of(st.none(), st.floats(0, 1)),
        changes=st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=9)), max_size=6),
        suffix=st.sampled_from([".pt", ".safetensors"]),
    )
    def check(content: bytes, end: float | None, changes: list[tuple[float, bytes]], suffix: str) -> None:
        damaged = bytearray(content if end is None else content[: int(end * len(content))])
        for where, what in changes:
            place = int(where * len(damaged))
            damaged[place : place + len(what)] = what
        (tmp_path / f"b{suffix}").write_bytes(bytes(damaged))
        try:
            load_end(tmp_path / f"b{suffix}")
        except InputError as error:
            one_line(error)

    check()


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_writes_is_still_read(tmp_path: Path, zipped: bool) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    weights = {
        "w": torch.nn.Parameter(base), "view": base.T[1:], "tied": base, "steps": torch.tensor(7),
        "half": base.half(), "repeated": torch.ones(1).expand(1000), "empty": base[:0], "c": base.cfloat(),
    }  # fmt: skip
    torch.save(collections.OrderedDict(weights), tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    found = load_end(tmp_path / "a.pt")
    assert isinstance(found, dict)
    assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in weights.items())
