"""Damaged results are reported in one line, moved aside, and count as missing."""

import json

import pytest
import torch

from gnnmc.errors import StoreError
from gnnmc.store import Cell, Store

CELL = Cell("mode", 1, {"seed": 3})


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.save(CELL, {"weights": {"w": torch.arange(50.0)}, "notes": {"a": 1}})
    return store


def place(store):
    return store.folder / "artifacts" / "mode" / CELL.key


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"x")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def remove(path):
    path.unlink()


DAMAGES = [
    (file, harm) for file in ("weights.safetensors", "notes.json") for harm in (truncate, empty, lengthen, flip, remove)
]
DAMAGES += [("manifest.json", harm) for harm in (truncate, empty, flip)]


@pytest.mark.parametrize("call", ["load", "verify"])
@pytest.mark.parametrize(("file", "harm"), DAMAGES, ids=lambda x: getattr(x, "__name__", x))
def test_damage_is_met_reported_and_moved_aside(store, file, harm, call):
    harm(place(store) / file)
    with pytest.raises(StoreError) as error:
        getattr(store, call)(CELL)
    message = str(error.value)
    assert "\n" not in message
    assert f"mode/{CELL.key} is damaged" in message
    assert file in message
    assert not store.has(CELL)
    (aside,) = (store.folder / "damaged").iterdir()
    assert str(aside) in message
    assert (aside / "manifest.json").exists()  # nothing of the user's is deleted
    store.save(CELL, {"weights": {"w": torch.arange(50.0)}, "notes": {"a": 1}})
    store.verify(CELL)


def test_every_single_bit_of_a_result_is_covered(store):
    """Whatever bit flips, in whichever file, is met (a sample of bytes of each file, all eight bits of each)."""
    for path in list(place(store).iterdir()):
        sound = path.read_bytes()
        for position in range(0, len(sound), 17):
            for bit in range(8):
                data = bytearray(sound)
                data[position] ^= 1 << bit
                path.write_bytes(data)
                with pytest.raises(StoreError):
                    store.verify(CELL)
                aside = next((store.folder / "damaged").iterdir())
                aside.rename(place(store))
        path.write_bytes(sound)
    store.verify(CELL)


def test_without_its_manifest_a_result_is_missing_and_can_be_saved_again(store):
    (place(store) / "manifest.json").unlink()
    assert not store.has(CELL)
    store.save(CELL, {"notes": {"a": 2}})
    assert store.load(CELL) == {"notes": {"a": 2}}
    assert len(list((store.folder / "damaged").iterdir())) == 1


def test_a_result_in_the_place_of_another_is_met(store):
    other = Cell("mode", 1, {"seed": 4})
    place(store).rename(place(store).with_name(other.key))
    with pytest.raises(StoreError, match="manifest is that of"):
        store.load(other)


def test_a_manifest_of_a_later_schema_is_not_guessed_at(store):
    path = place(store) / "manifest.json"
    body = json.loads(path.read_bytes())
    assert body["schema"] == 1
    import hashlib

    del body["sha256"]
    body["schema"] = 2
    text = json.dumps(body, separators=(",", ":"))
    path.write_text(f'{text[:-1]},"sha256":"{hashlib.sha256(text.encode()).hexdigest()}"}}')
    with pytest.raises(StoreError, match="schema 2"):
        store.load(CELL)
