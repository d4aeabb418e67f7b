"""What is registered can be used in a config, and what is not is refused with the nearest matches."""

from collections.abc import Iterator
from typing import Any

import pytest

from gnnmc.config import CollectionBlock, RealBlock, RewiredBlock, SourceBlock, validate
from gnnmc.data.features import FEATURES
from gnnmc.data.layout import LAYOUTS
from gnnmc.data.rewire import REWIRINGS
from gnnmc.errors import InputError
from gnnmc.studies import STUDIES
from gnnmc.studies.sources import source_of

CONFIG: dict[str, Any] = {"graphs": [{"csbm": {"train_per_class": 3}}], "models": ["gcn"], "seeds": [0, 1]}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name of one's own in every registry of what can be done to a graph."""
    for registry in (FEATURES, LAYOUTS, REWIRINGS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    FEATURES.add("twice", lambda data: 2 * data.x)
    LAYOUTS.add("halves", lambda x: x.half())
    REWIRINGS.add("thorough", 100.0)
    yield


CASES = [
    (RealBlock, "features", "twice", "unknown features 'twice'"),
    (RealBlock, "layout", "halves", "unknown layout 'halves'"),
    (RewiredBlock, "features", "twice", "unknown features 'twice'"),
    (RewiredBlock, "method", "thorough", "unknown rewiring method 'thorough'"),
    (CollectionBlock, "features", "twice", "unknown features 'twice'"),
]


@pytest.mark.parametrize(("block", "field", "value", "message"), CASES)
@pytest.mark.usefixtures("registered")
def test_a_registered_name_is_allowed(block: type[SourceBlock], field: str, value: str, message: str) -> None:
    assert getattr(validate(block, {"name": "Cora", field: value}), field) == value


@pytest.mark.parametrize(("block", "field", "value", "message"), CASES)
def test_a_name_that_is_not_registered_is_refused_by_the_check_of_its_source(
    block: type[SourceBlock], field: str, value: str, message: str
) -> None:
    name = "tu-mutag" if block is CollectionBlock else "Cora"
    asked = validate(block, {"name": name, field: value})
    with pytest.raises(InputError, match=f"{message}.*allowed: "):
        source_of(asked).check(asked)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"vary": "inti"}}, r"config train: unknown pair kind \(vary\) 'inti': did you mean 'init'"),
        ({"profile": {"batchnorm": "store"}}, "config profile: unknown batchnorm rule 'store': did you mean 'stored'"),
        ({"endpoint": "best"}, "config endpoint: unknown endpoint 'best': did you mean 'best_val'"),
    ],
)
def test_other_choices_are_checked_against_those_of_the_library(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate(STUDIES["homophily_barrier"].config, CONFIG | changes)
