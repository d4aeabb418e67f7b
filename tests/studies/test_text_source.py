"""Text in configs: from the block to a stored result and a problem, and what its key depends on."""

import pytest
import torch

from gnnmc.config import GraphEntry, SourceEntry, validate
from gnnmc.data import load_text
from gnnmc.data.text import TEXTS, TextSet
from gnnmc.errors import InputError
from gnnmc.studies.sources import data_rows, source_of


def block(**fields):
    (found,) = validate(SourceEntry, {"text": {"name": "pydoc-topics", **fields}}).expand()
    return found


def test_the_problem_is_that_of_the_windows():
    asked = block(context=16, limit=300)
    source = source_of(asked)
    source.check(asked)
    result = source.make(asked)
    problem, text = source.problem(result), load_text("pydoc-topics", context=16, limit=300)
    assert torch.equal(problem.targets, text.windows[:, 1:])
    assert all(torch.equal(problem.splits[name], index) for name, index in text.splits.items())
    assert (problem.num_outputs, problem.name) == (len(text.vocabulary), "pydoc-topics")
    assert problem.units["loss"] == "nats per token"
    assert result["about"]["made"]["sha256"] == text.source["sha256"]


def test_another_text_by_the_same_name_is_another_result(monkeypatch):
    asked = block()
    before = source_of(asked).files(asked)
    assert list(before) == ["pydoc-topics"]
    monkeypatch.setitem(TEXTS._entries, "pydoc-topics", TextSet(lambda: "another text " * 100, {}, "here"))
    assert source_of(asked).files(asked) != before


def test_every_length_of_context_is_a_problem_with_a_name_of_its_own():
    entry = validate(SourceEntry, {"text": {"name": "pydoc-topics", "context": [16, 32]}})
    rows = data_rows(list(entry.expand()), axis="")
    assert [row["graph"] for row in rows] == ["pydoc-topics (context=16)", "pydoc-topics (context=32)"]
    assert {(row["cluster"], row["family"]) for row in rows} == {("pydoc-topics", "text")}


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"name": "pydoc"}, "unknown text 'pydoc'"),
        ({"limit": 3}, "context=64 leaves no window in a piece of 19 of the 192 characters"),
    ],
)
def test_what_cannot_be_had_is_said_before_anything_is_made(fields, message):
    asked = block(**fields)
    with pytest.raises(InputError, match=message):
        source_of(asked).check(source_of(asked).canonical(asked))


def test_a_study_of_single_graphs_takes_no_text():
    with pytest.raises(InputError, match="this study takes single graphs"):
        validate(GraphEntry, {"text": {"name": "pydoc-topics"}})
