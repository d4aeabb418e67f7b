"""What a table of distances says in words: by p, by floor, and what cannot be told."""

import pandas as pd
import pytest

from gnnmc.analysis.curve_distance import TOO_LOW
from gnnmc.diagnostics import Diagnostic
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
        (
            {"a_distance": (2.0, 0.1, NAN), "coral": (9.0, 0.1, NAN)},
            "alike, though of features a_distance and coral say otherwise",
        ),
        ({"a_distance": (0.2, 0.1, NAN), "coral": (0.2, 0.1, NAN)}, "alike"),
        ({"feature_mmd": (0.1, NAN, 0.01), "a_distance": (0.2, 0.1, NAN)}, "apart in features"),
    ],
)
def test_each_aspect_is_decided_by_one_distance(changes: dict[str, tuple[float, float, float]], said: str) -> None:
    assert domain_verdict(table(**changes))[0] == said


def test_evidence_has_the_numbers() -> None:
    _, aspects = domain_verdict(table(degree_w1=(0.5, 0.1, NAN)))
    evidence = {aspect.name: aspect.evidence for aspect in aspects}
    assert evidence["degrees"] == "degree_w1 0.5, 5.0 times what chance makes of it (0.1; apart: more than 3 times)"
    exchanged = "p = 0.4 of nodes exchanged between the graphs"
    assert evidence["features"] == f"feature_mmd 0, {exchanged} (apart: at most 0.05)"
    assert "shares of fewer neighbors are noisier" in evidence["labels per neighborhood"]
    alike = domain_verdict(table())[1]
    assert not any("noisier" in aspect.evidence for aspect in alike)


def test_what_says_otherwise_of_features_is_in_the_evidence() -> None:
    told = domain_verdict(table(feature_mmd=(0.1, NAN, 0.01), a_distance=(0.2, 0.1, NAN)))[1][0]
    assert told.apart and told.evidence.endswith("; but a_distance 0.2 is 2.0 times what chance makes of it (0.1)")
    below = domain_verdict(table(feature_mmd=(0.1, NAN, 0.01), a_distance=(-0.2, 0.1, NAN)))[1][0]
    assert below.evidence.endswith("a_distance -0.2 is no more than what chance makes of it (0.1)")


def curves(note: str = "", **values: float) -> pd.DataFrame:
    """Split → d_MC, each with a floor of .1."""
    return pd.DataFrame(
        [
            {"distance": "d_mc_size", "split": split, "value": value, "floor": 0.1, "p": NAN, "note": note}
            for split, value in values.items()
        ]
    )


def test_curves_are_decided_on_test_where_the_nodes_of_both_graphs_are_unseen() -> None:
    assert domain_verdict(curves(train=9.0, test=0.2))[0] == "alike"
    assert domain_verdict(curves(train=0.0, test=0.4))[0] == "apart in connectivity curves"
    assert domain_verdict(curves(train=9.0))[0] == "nothing could be told"


@pytest.mark.parametrize("value", [0.2, 9.0])
def test_a_floor_that_is_too_low_tells_nothing(value: float) -> None:
    note = f"modes could not be halved: {TOO_LOW}; fewer than 5 modes"
    said, (aspect,) = domain_verdict(curves(note, test=value))
    assert said == "nothing could be told" and aspect.apart is None and "too low" in aspect.evidence


def test_graphs_of_one_origin_are_never_alike_for_it() -> None:
    paired = [Diagnostic("GMC016", "equal labels")]
    said, aspects = domain_verdict(table(), paired)
    assert said == "nothing could be told" and all("one origin" in aspect.evidence for aspect in aspects)
    moved = table(feature_mmd=(1.0, NAN, 0.01), degree_w1=(1.0, 0.1, NAN))
    assert domain_verdict(moved, paired)[0] == "apart in degrees; cannot be told: features, labels per neighborhood"
    # The floor of curves is of modes, which the nodes of both graphs are not drawn for.
    both = pd.concat([moved, curves(test=0.1)])
    assert {aspect.name: aspect.apart for aspect in domain_verdict(both, paired)[1]}["connectivity curves"] is False


def test_classes_that_only_one_graph_has_set_them_apart() -> None:
    fired = [Diagnostic("GMC024", "only the source graph has the classes 2")]
    said, aspects = domain_verdict(table(), fired)
    assert said == "apart in classes" and aspects[0].evidence == fired[0].message


def test_without_any_number_nothing_is_told() -> None:
    empty = table(**dict.fromkeys(("feature_mmd", "degree_w1", "local_homophily_w1"), (NAN, NAN, NAN)))
    assert domain_verdict(empty)[0] == "nothing could be told"
