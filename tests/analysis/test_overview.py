"""The answer at a glance claims what the cells do, and no more."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import associate, overview, shape_test, verdict_cells, verdict_table

BY = ("model", "path", "split")


def graphs(function: object, model: str, graphs: int = 30, noise: float = 0.03, **labels: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    h = np.linspace(0, 0.9, graphs)
    names = [f"g{i:02d}" for i in range(graphs)]
    outcome = 0.5 + function(h) + noise * rng.normal(size=graphs)
    where = {"path": "linear", "split": "train"} | labels
    return pd.DataFrame({"graph": names, "cluster": names, "h": h, "barrier": outcome, "model": model, **where})


def cells(*tables: pd.DataFrame) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    found = associate(table, ["h"], by=BY).frame()
    return verdict_cells(found, shape_test(table, "h", by=BY), statistic="h")


FALL = graphs(lambda h: -0.4 * h, "fall")
RISE = graphs(lambda h: 0.4 * h, "rise")
HUMP = graphs(lambda h: -np.abs(h - 0.55), "hump")
LEVELS = graphs(lambda h: np.minimum(h, 0.4), "levels")
NOTHING = graphs(lambda h: 0 * h, "nothing", graphs=12)
FEW = graphs(lambda h: -0.4 * h, "few", graphs=3)


def test_every_setting_has_a_word() -> None:
    words = cells(FALL, RISE, HUMP, LEVELS, NOTHING, FEW).set_index("model")["verdict"]
    assert words["fall"] == "falls: ρ −0.97 [−0.99, −0.89]".replace(" −", "\N{NO-BREAK SPACE}−")
    assert words["rise"].startswith("rises: ρ\N{NO-BREAK SPACE}0.9")
    assert words["hump"].startswith("rises, then falls: ρ")
    assert words["levels"].startswith("rises, bends: ρ\N{NO-BREAK SPACE}0.")
    assert words["nothing"].startswith("cannot tell: ρ") and words["nothing"].endswith("]")
    assert words["few"] == "cannot tell: ρ\N{NO-BREAK SPACE}−1.00"  # three graphs: no interval


def test_a_table_of_words_has_models_in_rows_and_settings_across() -> None:
    found = cells(FALL, FALL.assign(split="test"), RISE)
    table = verdict_table(found, ["model"], ["path", "split"])
    assert list(table) == ["model", "linear, train", "linear, test"]
    assert table["model"].tolist() == ["fall", "rise"]
    assert table.loc[1, "linear, test"] == ""  # not asked


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ((FALL,), "Yes: the barrier falls with h in the only setting tested."),
        (
            (FALL, FALL.assign(split="test")),
            "Yes: of 2 combinations of path, split and model, the barrier falls with h in 2.",
        ),
        (
            (FALL, NOTHING),
            "Yes, where anything was shown: of 2 combinations of path, split and model, the barrier falls with h in 1; "
            "in 1 no trend was shown: the data cannot tell.",
        ),
        (
            (FALL, RISE, HUMP, NOTHING),
            "There is no single answer: of 4 combinations of path, split and model, the barrier falls with h in 1, "
            "rises with h in 1, turns along h in 1; in 1 no trend was shown: the data cannot tell.",
        ),
        (
            (NOTHING, FEW),
            "Not shown: in none of 2 combinations of path, split and model was a trend with h found, which does not "
            "show that there is none: the data cannot tell.",
        ),
        (
            (FALL.assign(cluster="one graph"),),
            "Nothing could be tested: this describes how the barrier changes with h, and concludes nothing.",
        ),
    ],
)
def test_the_sentence_counts_the_settings(tables: tuple, sentence: str) -> None:
    assert overview(cells(*tables), "h") == [sentence]


def test_splits_that_disagree_are_said_to() -> None:
    twice = pd.concat([RISE.assign(model="fall", split="test"), FALL])
    disagree = "the barrier falls with h on the train split and rises with it on the test split for fall (linear path)."
    assert overview(cells(twice), "h")[1:] == [f"The splits disagree: {disagree}"]
    # What turns has no one direction over the whole range, and what was not found has none at all.
    for other in (HUMP, NOTHING):
        assert len(overview(cells(FALL, other.assign(model="fall", split="test")), "h")) == 1


def test_why_nothing_was_shown_is_told_apart() -> None:
    many = graphs(lambda h: 0 * h, "many", graphs=150)
    (line,) = overview(cells(FALL, NOTHING, many), "h")
    assert line.endswith("; in 2 no trend was shown: a weak one at most fits the data in 1, the data cannot tell in 1.")
