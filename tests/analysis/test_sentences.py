"""Sentences say what the numbers allow: found, not found, cannot tell, wrong axis; each with where and how many."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import Answer, answer, associate, barrier_summary, compare_statistics, sentence_table, shape_test
from gnnmc.analysis.wording import listed, number, probability, setting
from gnnmc.errors import InputError

GROUP = {"model": "gcn", "path": "linear", "split": "train", "metric": "loss", "barrier_kind": "chord"}
KINDS = {
    "total": (),
    "not through end quality": ("ends_loss",),
    "beyond homophily": ("homophily_edge",),
}
STATISTICS = ("homophily_edge", "homophily_adjusted_abs", "ends_loss")


def sweep(function: object, noise: float = 0.03, repeats: int = 3, seed: int = 0, **labels: object) -> pd.DataFrame:
    """Graphs at ten homophily values; the barrier is a function of homophily plus noise, the ends' loss is noise."""
    rng = np.random.default_rng(seed)
    asked = np.repeat(np.arange(10) / 10, repeats)
    realized = asked + 0.01 * rng.normal(size=len(asked))
    names = [f"g{i:02d}" for i in range(len(asked))]
    return pd.DataFrame(
        {
            **(GROUP | labels),
            "graph": names,
            "cluster": names,
            "homophily": asked,
            "homophily_edge": realized,
            "homophily_adjusted_abs": np.abs(realized - 0.3),
            "barrier": 0.5 + function(realized) + noise * rng.normal(size=len(asked)),
            "ends_loss": rng.random(len(asked)),
        }
    )


def told(table: pd.DataFrame, **settings: object) -> list[str]:
    return in_order(answer(associate(table, STATISTICS, kinds=KINDS).frame(), split="train", path="linear", **settings))


def in_order(given: Answer) -> list[str]:
    assert set(given.on_the_axis) <= set(given.details)
    return [f"{given.question} {given.headline}", *map(str, given.details)]


def told_in_full(table: pd.DataFrame) -> list[str]:
    return told(
        table,
        summary=barrier_summary(table, [*GROUP, "homophily"]),
        axis="homophily",
        rivals=compare_statistics(table, "homophily_edge", STATISTICS[1:]),
        shape=shape_test(table, "homophily_edge"),
    )


def the(sentences: list[str], words: str) -> str:
    (sentence,) = [sentence for sentence in sentences if words in sentence]
    return sentence


def test_a_fall_is_told_with_where_how_many_and_how_sure() -> None:
    sentences = told(sweep(lambda h: -0.4 * h))
    question, headline = sentences[0].split("? ")
    assert question == "Does the barrier of the linear path go with edge homophily on the train split"
    assert headline.startswith("the barrier falls with edge homophily for gcn (rho = −0.9")
    assert "95 % interval −0.9" in headline
    assert headline.endswith(") (30 graphs in 30 clusters each; level 0.05 after Holm's correction within a setting).")
    found = the(sentences[1:], "the barrier falls with edge homophily")
    assert found.startswith("gcn, linear path, train split (chord barrier of the loss): ")
    for part in (
        "rho = −0.9",
        "95 % interval −0.9",
        "p = 0.0001 (Holm over 3 statistics: 0.0003)",
        "30 graphs in 30 cl",
    ):
        assert part in found
    remains = the(sentences, "not through end quality (controlling the ends' loss)")
    assert "an association with edge homophily remains: rho = −0.9" in remains


def test_every_sentence_names_split_path_and_model_and_the_number_of_graphs() -> None:
    for sentence in told_in_full(sweep(lambda h: -np.abs(h - 0.3)))[1:]:
        assert sentence.startswith("gcn, linear path, train split")
        assert "graphs in" in sentence


def test_no_association_is_never_claimed_from_a_p_value_alone() -> None:
    few = sweep(lambda h: 0 * h, repeats=1).iloc[:9]
    sentence = the(told(few), "the barrier goes with edge homophily")
    assert "the data cannot tell" in sentence and "no interval" in sentence and "9 graphs in 9 clusters" in sentence
    many = told(sweep(lambda h: 0 * h, repeats=15, seed=3))
    assert "leave room for a weak monotone one at most" in the(many, "no association with edge homophily was found")


def test_a_p_value_that_holm_takes_away_is_a_hint() -> None:
    frame = associate(sweep(lambda h: -0.4 * h), STATISTICS, kinds=KINDS).frame()
    frame["p_permutation"], frame["p_holm"] = 0.03, 0.09
    sentences = in_order(answer(frame, split="train", path="linear"))
    assert "a hint that the barrier falls with edge homophily, lost after Holm's correction" in sentences[1]
    assert "only a hint, lost after Holm's correction, for gcn (" in sentences[0]
    assert "the data cannot tell whether an association" in the(sentences, "not through end quality")


def test_one_base_graph_is_description_only() -> None:
    sentences = told_in_full(sweep(lambda h: -0.4 * h).assign(cluster="cora"))
    assert "nothing could be tested for gcn (" in sentences[0]
    assert "nothing can be concluded (one cluster" in sentences[1] and "30 graphs in 1 cluster;" in sentences[1]
    assert not any("axis" in sentence for sentence in sentences)
    assert "was not tested" in the(sentences, "bends")


def test_a_hump_makes_homophily_the_wrong_axis() -> None:
    sentences = told_in_full(sweep(lambda h: -0.5 * np.abs(h - 0.3)))
    assert "the barrier rises and then falls along edge homophily, turning near 0." in the(
        sentences[1:], "turning near"
    )
    closer = the(sentences, "|rho| larger by")
    assert "|adjusted homophily| (rho = −0.9" in closer
    assert "follows the barrier more closely than edge homophily" in closer
    verdict = the(sentences, "wrong axis")
    for ground in (
        "the relation turns near",
        "the barrier follows |adjusted homophily|",
        "beyond it the barrier also goes",
    ):
        assert ground in verdict


def headline(table: pd.DataFrame) -> str:
    return told_in_full(table)[0].split("? ")[1]


def test_a_headline_does_not_call_a_hump_a_rise() -> None:
    # Rises over most of the range: rho > 0 is found, and would be all that a headline says.
    hump = headline(sweep(lambda h: -0.5 * np.abs(h - 0.6)))
    assert hump.startswith("the barrier rises and then falls along edge homophily for gcn (rho = 0.")
    levels_off = headline(sweep(lambda h: np.minimum(h, 0.4)))
    assert levels_off.startswith("the barrier rises with edge homophily, in a relation that bends, for gcn (rho = 0.")
    symmetric = sweep(lambda h: -0.5 * np.abs(h - 0.45), noise=0.12, seed=2)
    assert headline(symmetric).startswith("the relation to edge homophily bends, with no trend over its whole range")
    assert headline(sweep(lambda h: 0.4 * h)).startswith("the barrier rises with edge homophily for gcn (")


def test_what_is_said_of_the_axis_is_told_apart() -> None:
    table = sweep(lambda h: -0.5 * np.abs(h - 0.3))
    frame = associate(table, STATISTICS, kinds=KINDS).frame()
    given = answer(frame, split="train", path="linear", shape=shape_test(table, "homophily_edge"))
    (judged,) = given.on_the_axis
    assert str(judged) == the([str(each) for each in given.details], "alone is the wrong axis")
    straight = sweep(lambda h: -0.5 * h)
    frame = associate(straight, STATISTICS, kinds=KINDS).frame()
    assert answer(frame, split="train", path="linear").on_the_axis == ()


def test_sentences_are_a_table_too_without_the_repetition() -> None:
    table = sweep(lambda h: -0.5 * h)
    given = answer(associate(table, STATISTICS, kinds=KINDS).frame(), split="train", path="linear")
    rows = sentence_table(given.details)
    assert list(rows) == [*GROUP, "about", "finding"] and len(rows) == len(given.details)
    assert rows["about"].tolist() == ["trend", "not through end quality"]
    assert rows["finding"][1].startswith("controlling the ends' loss: an association with edge homophily remains: rho")
    assert rows["finding"][0].startswith("the barrier falls with edge homophily: rho = −0.9")


def test_a_rival_that_was_not_found_itself_is_not_preferred() -> None:
    table = sweep(lambda h: -0.5 * h)
    rivals = compare_statistics(table, "homophily_edge", ["ends_loss"]).assign(ci_low=0.1, ci_high=0.9)
    sentences = told(table, rivals=rivals)
    assert "the data cannot tell whether the barrier follows the ends' loss" in the(sentences, "more closely")
    assert not any("wrong axis" in sentence for sentence in sentences)


def test_a_second_cause_makes_homophily_incomplete_and_not_wrong() -> None:
    table = sweep(lambda h: -0.6 * h, noise=0.01)
    table["barrier"] += 0.2 * table["ends_loss"]
    sentences = told_in_full(table)
    assert "beyond it the barrier also goes with the ends' loss" in the(sentences, "alone is not the whole of it")
    assert not any("wrong axis" in sentence for sentence in sentences)


def test_where_nothing_goes_with_the_barrier_no_axis_is_blamed() -> None:
    sentences = told_in_full(sweep(lambda h: 0 * h, seed=5))
    assert the(sentences, "none of edge homophily, |adjusted homophily| and the ends' loss was shown")
    assert not any("axis" in sentence for sentence in sentences)


def test_a_bend_without_two_supported_sides_is_not_called_a_turn() -> None:
    table = sweep(lambda h: -0.5 * np.abs(h - 0.3))
    shape = shape_test(table, "homophily_edge").assign(p_below=0.4)
    sentences = told(table, shape=shape)
    assert "that the barrier rises and then falls is not established" in the(sentences[1:], "bends")
    assert not any("turns near" in sentence for sentence in sentences)


def test_the_size_of_the_barrier_comes_with_intervals_and_a_caution_where_they_overlap() -> None:
    clear = the(told_in_full(sweep(lambda h: -0.5 * h)), "mean barrier is highest")
    assert "read off these data, not tested" in clear
    assert "at homophily 0 (95 % interval" in clear and "3 graphs in 3 clusters" in clear
    assert "not tested" in the(told_in_full(sweep(lambda h: 0 * h)), "mean barrier is highest")
    alone = the(told_in_full(sweep(lambda h: -0.5 * h, repeats=1)), "mean barrier is highest")
    assert "no interval" in alone and "not tested" in alone


def test_zeros_and_undefined_correlations_are_said() -> None:
    piled = sweep(lambda h: -0.5 * h)
    piled["barrier"] = np.maximum(piled["barrier"] - 0.25, 0)
    assert "of the graphs have a barrier near zero" in told(piled)[1]
    assert "no correlation with edge homophily is defined" in told(piled.assign(barrier=0.0))[1]
    constant = told(sweep(lambda h: -0.5 * h).assign(ends_loss=1.0))
    assert "nothing was controlled for, since the ends' loss is constant over the graphs" in the(
        constant, "not through end quality"
    )


def test_settings_are_told_apart() -> None:
    table = pd.concat(
        [
            sweep(lambda h: -0.4 * h, degree=10),
            sweep(lambda h: 0.4 * h, degree=30),
            sweep(lambda h: 0.4 * h, degree=30, split="test"),
        ]
    )
    frame = associate(table, STATISTICS, by=(*GROUP, "degree")).frame()
    sentences = in_order(answer(frame, split="train", path="linear"))
    for claim in (
        "the barrier falls with edge homophily for degree 10 (",
        "; the barrier rises with edge homophily for",
    ):
        assert claim in sentences[0]
    assert the(sentences, "train split (chord barrier of the loss, degree 30): the barrier rises")
    assert len(sentences) == 3


def test_what_is_not_there_is_one_clear_line() -> None:
    frame = associate(sweep(lambda h: h), STATISTICS).frame()
    with pytest.raises(InputError, match=r"no total row for split 'val'.*it has splits train; paths linear"):
        answer(frame, split="val", path="linear")
    with pytest.raises(InputError, match="no column 'split'"):
        answer(frame.drop(columns="split"), split="train", path="linear")
    summary = barrier_summary(sweep(lambda h: h), list(GROUP))
    with pytest.raises(InputError, match="no column 'homophily'"):
        answer(frame, summary, split="train", path="linear", axis="homophily")


def test_numbers_in_words() -> None:
    assert (number(-0.001), number(-0.456), probability(1 / 10_001), probability(0.034)) == (
        "0.00",
        "−0.46",
        "0.0001",
        "0.034",
    )
    assert (listed(["a"]), listed(["a", "b", "c"])) == ("a", "a, b and c")
    assert setting({}) == "whole table" and setting({"model": "gcn", "degree": 10.0}) == "gcn (degree 10)"
