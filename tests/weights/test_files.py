"""Weights in files: nothing is lost, nothing is executed, every bad file is one clear line."""

import contextlib
import pickle

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.weights import digest, load_weights, save_weights
from gnnmc.weights.files import load_record


@pytest.fixture
def weights():
    base = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    return {
        "w": base,
        "view": base.T[:2],
        "same": base,
        "steps": torch.tensor(7),
        "half": base.half(),
        "empty": base[:0],
    }


def test_a_round_trip_is_bit_equal_with_its_record(tmp_path, weights):
    record = {"text": "ü\n", "numbers": [1, 0.1], "nested": {"none": None}}
    path = save_weights(tmp_path / "a.safetensors", weights, record)
    found, read = load_record(path)
    assert digest(found) == digest(weights)
    assert read == record


def test_a_file_without_a_record_reads_as_an_empty_one(tmp_path, weights):
    assert load_record(save_weights(tmp_path / "a.safetensors", weights))[1] == {}


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ""])
def test_a_plain_state_dict_file_opens(tmp_path, suffix):
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    torch.save(module.state_dict(), tmp_path / f"checkpoint{suffix}")
    assert digest(load_weights(tmp_path / f"checkpoint{suffix}")) == digest(module.state_dict())


@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a"])
def test_what_was_written_opens_again_whatever_its_name(tmp_path, weights, name):
    found, record = load_record(save_weights(tmp_path / name, weights, {"epoch": 3}))
    assert digest(found) == digest(weights)
    assert record == {"epoch": 3}


def test_what_cannot_be_written_is_one_clear_line(tmp_path, weights):
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*folder.pt \(.*directory.*: give a file that can be written"):
        save_weights(tmp_path / "folder.pt", weights)
    with pytest.raises(InputError, match=r"cannot write .*longlong.*: give a file that can be written"):
        save_weights(tmp_path / ("long" * 100), weights)
    with pytest.raises(InputError, match=r"there is no folder"):
        save_weights(tmp_path / "none" / "a.pt", weights)


class Bomb:
    def __reduce__(self):
        return (print, ("boom",))


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b""), "not a plain state_dict file"),
        (lambda path: path.write_text("some text"), "not a plain state_dict file"),
        (lambda path: path.write_bytes(b"PK\x03\x04 not a zip"), "not a plain state_dict file"),
        (lambda path: path.write_bytes(pickle.dumps({"w": Bomb()})), "not a plain state_dict file"),
        (lambda path: torch.save(torch.nn.Linear(2, 2), path), "not a plain state_dict file"),
        (lambda path: torch.save({"w": Bomb()}, path), "not a plain state_dict file"),
        (lambda path: torch.save({"model": {"w": torch.ones(1)}, "epoch": 3}, path), "pass its inner dict"),
        (lambda path: torch.save([torch.ones(2)], path), "got list"),
        (lambda path: torch.save({}, path), "non-empty state_dict"),
        (
            lambda path: torch.save({"w": torch.eye(2).to_sparse()}, path),
            "'w' is a sparse_coo tensor; expected a dense",
        ),
        (lambda path: torch.save({"w": torch.ones(2, device="meta")}, path), "'w' is a meta tensor; expected a dense"),
        (lambda path: torch.save({"w": torch.ones(2).to(torch.float8_e5m2)}, path), "float8_e5m2; expected float16"),
        (lambda path: torch.save({"w": torch.ones(1).expand(2**20)}, path), "is larger than its file"),
        (lambda path: torch.save({"w": bytearray(9)}, path, pickle_protocol=2), "holds more than tensors by name"),
        (lambda path: save_weights(path, {"w": torch.ones(1)}, [1]), "its record is a list"),
        (lambda path: save_weights(path, {"w": torch.ones(1)}, {"mode": {"seed": 0}}), "record of a mode is damaged"),
    ],
)
def test_any_other_file_is_one_clear_line_and_runs_nothing(tmp_path, capsys, write, message):
    path = tmp_path / "checkpoint.pt"
    write(path)
    with pytest.raises(InputError, match=message) as error:
        load_weights(path)
    assert "\n" not in str(error.value)
    # torch's own words on such files advise to execute them, and color them for a terminal.
    assert "weights_only" not in str(error.value)
    assert "\x1b" not in str(error.value)
    assert "boom" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 64, (2**40).to_bytes(8, "little") + b"{}"])
def test_a_damaged_safetensors_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load_weights(path)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_checkpoints_are_told_as_such(tmp_path, seed):
    # The unpickler meets damage in many ways; none may reach the user as something else than bad input.
    path = tmp_path / "a.pt"
    torch.save({"w": torch.ones(3), "b": torch.zeros(2)}, path, _use_new_zipfile_serialization=bool(seed % 2))
    content = bytearray(path.read_bytes())
    generator = torch.Generator().manual_seed(seed)
    for place in torch.randint(0, len(content), (12,), generator=generator).tolist():
        content[place] = int(torch.randint(0, 256, (1,), generator=generator))
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        load_weights(path)


def test_a_name_that_no_file_can_have_is_no_file(tmp_path):
    for name in ("x" * 300, "a\0b"):
        with pytest.raises(InputError, match="no such file"):
            load_weights(tmp_path / name)


def test_a_name_in_a_file_does_nothing_to_a_terminal(tmp_path):
    torch.save({"a\x1b[2J\nb": 3}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="the value of") as error:
        load_weights(tmp_path / "a.pt")
    assert str(error.value).isprintable()
