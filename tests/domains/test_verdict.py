"""What a table of distances says in words: by p, by floor, and what cannot be told."""

import pandas as pd
import pytest

from gnnmc.domains import domain_verdict

NAN = float("nan")


def table(**changes: tuple[float, float, float]) -> pd.DataFrame:
    """distance → (value, floor, p), alike but for the changes."""
    known = {"feature_mmd": (0.0, NAN, 0.4), "degree_w1": (0.2, 0.1, NAN), "local_homophily_w1": (0.1, 0.1, NAN)}
    rows = [
        {"distance": name, "split": "", "note": "why"} | dict(zip(("value", "floor", "p"), each))
        for name, each in (known | changes).items()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "alike"),
        ({"feature_mmd": (0.1, NAN, 0.05)}, "apart in features"),
        ({"feature_mmd": (0.1, NAN, 0.051)}, "alike"),
        ({"degree_w1": (0.31, 0.1, NAN)}, "apart in degrees"),
        ({"degree_w1": (0.29, 0.1, NAN)}, "alike"),
        (
            {"degree_w1": (1.0, 0.1, NAN), "local_homophily_w1": (1.0, 0.1, NAN)},
            "apart in degrees, in labels per neighborhood",
        ),
        (
            {"local_homophily_w1": (NAN, NAN, NAN)},
            "alike in all that could be told; cannot be told: labels per neighborhood",
        ),
        ({"a_distance": (2.0, 0.1, NAN), "coral": (9.0, 0.1, NAN)}, "alike"),
    ],
)
def test_each_aspect_is_decided_by_one_distance(changes: dict[str, tuple[float, float, float]], said: str) -> None:
    assert domain_verdict(table(**changes))[0] == said


def test_evidence_has_the_numbers() -> None:
    _, aspects = domain_verdict(table(degree_w1=(0.5, 0.1, NAN)))
    evidence = {aspect.name: aspect.evidence for aspect in aspects}
    assert evidence["degrees"] == "degree_w1 0.5, 5.0 times what chance makes of it (0.1)"
    assert evidence["features"] == "feature_mmd 0, p = 0.4 of nodes exchanged between the graphs"


def test_without_any_number_nothing_is_told() -> None:
    empty = table(**dict.fromkeys(("feature_mmd", "degree_w1", "local_homophily_w1"), (NAN, NAN, NAN)))
    assert domain_verdict(empty)[0] == "nothing could be told"
