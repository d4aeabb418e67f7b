"""Text by name: windows, pieces, and which text it was."""

import hashlib
import re

import pytest
import torch

from gnnmc.data import list_texts, load_text, text_source
from gnnmc.data.text import TEXTS, TextSet
from gnnmc.data.text_digests import PYDOC_TOPICS
from gnnmc.errors import InputError

ALPHABET = "abcdefghijklmnopqrstuvwxyz" * 4  # 104 characters: 83, 10 and 11


@pytest.fixture
def alphabet(monkeypatch):
    monkeypatch.setitem(TEXTS._entries, "alphabet", TextSet(lambda: ALPHABET, {}, "here"))
    return "alphabet"


def test_windows_of_a_piece_hold_every_character_but_the_first_once_as_a_target(alphabet):
    text = load_text(alphabet, context=5)
    assert text.vocabulary == "abcdefghijklmnopqrstuvwxyz"
    assert {name: len(index) for name, index in text.splits.items()} == {"train": 16, "val": 1, "test": 2}
    starts = {"train": 0, "val": 83, "test": 93}
    for name, index in text.splits.items():
        windows = text.windows[index]
        count = len(index) * 5
        assert text.decoded(windows[:, :-1].flatten()) == ALPHABET[starts[name] :][:count]
        assert text.decoded(windows[:, 1:].flatten()) == ALPHABET[starts[name] + 1 :][:count]


def test_no_window_reaches_into_another_piece(alphabet, monkeypatch):
    numbered = "".join(chr(200 + place) for place in range(104))
    monkeypatch.setitem(TEXTS._entries, alphabet, TextSet(lambda: numbered, {}, "here"))
    text = load_text(alphabet, context=4)
    seen = [set(text.windows[index].flatten().tolist()) for index in text.splits.values()]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    together = torch.cat(list(text.splits.values())).sort().values
    assert torch.equal(together, torch.arange(len(text)))


def test_a_limit_takes_the_beginning_and_keeps_the_vocabulary(alphabet):
    whole, few = load_text(alphabet, context=3), load_text(alphabet, context=3, limit=14)
    assert few.vocabulary == whole.vocabulary
    assert len(few) <= 14
    assert torch.equal(few.windows[0], whole.windows[0])
    assert int(few.windows.max()) == 25


def test_pythons_own_topics_are_long_and_told_apart_by_their_digest():
    text = load_text("pydoc-topics")
    assert list_texts() == ["pydoc-topics"]
    assert text.windows.shape[1] == 65
    assert len(text) > 5000
    assert re.match(r"The .assert. statement", text.decoded(text.windows[0]))
    assert len(text.source["sha256"]) == 64
    known = {digest: release for release, digest in PYDOC_TOPICS.items()}
    assert text.source["release"] == known.get(text.source["sha256"])
    assert text_source("pydoc-topics") == text.source
    assert "windows of 64 tokens" in repr(text)


def test_a_text_of_an_unknown_release_is_taken_and_told(alphabet):
    source = load_text(alphabet, context=3).source
    assert source["sha256"] == hashlib.sha256(ALPHABET.encode()).hexdigest()
    assert source["release"] is None


@pytest.mark.parametrize(
    "name, asked, message",
    [
        ("pydoc-topic", {}, "unknown text 'pydoc-topic': did you mean 'pydoc-topics'"),
        ("alphabet", {"context": 1}, "context=1: at least 2 is needed"),
        ("alphabet", {"context": 10}, "context=10 leaves no window in a piece of 10 of the 104 characters"),
        ("alphabet", {"limit": 0}, "limit=0: at least 1 is needed"),
        ("alphabet", {"context": 5, "limit": 3}, "context=5 leaves no window in a piece of 1 of the 15 characters"),
    ],
)
def test_what_cannot_be_had_is_one_clear_line(alphabet, name, asked, message):
    with pytest.raises(InputError, match=message):
        load_text(name, **asked)
