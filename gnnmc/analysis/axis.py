"""Is a statistic the right axis to look along? Sentences on its shape, on what it leaves out, and on its rivals."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gnnmc.analysis.rows import found, is_total, rows_where
from gnnmc.analysis.sentence import AXIS, RIVALS, SHAPE, Sentence
from gnnmc.analysis.wording import in_words, interval, listed, number, probability, sample_size


def axis_sentences(
    group: Mapping[str, Any],
    statistic: str,
    association: pd.DataFrame,
    rivals: pd.DataFrame | None,
    shape: pd.DataFrame | None,
    alpha: float = 0.05,
) -> tuple[list[Sentence], list[Sentence]]:
    """What is known of `statistic` as an axis in one setting; and the verdict with its grounds, where there is one.

    It is called the wrong axis when the relation turns (a bend, and trends of opposite sign on both sides, all at level
    `alpha`), or when a rival that was itself found follows the barrier more closely (the interval of the difference of
    |rho| lies above 0). It is called incomplete when a statistic goes with the barrier beyond it (a kind of
    `association` whose only control is `statistic`, after Holm).

    Shapes: `group` maps the group columns to the values of the setting; the tables are those of `answer`.
    """
    here = rows_where(association, group)
    reasons: list[str] = []
    sentences: list[Sentence] = []
    if shape is not None:
        for _, row in rows_where(shape[shape["statistic"] == statistic], group).iterrows():
            turned = _turned(row, alpha)
            sentences.append(Sentence(group, SHAPE, _shape_sentence(row, turned, alpha)))
            reasons += [f"the relation turns near {number(row['turning_point'])}"] if turned else []

    if rivals is not None:
        compared = rows_where(rivals[rivals["reference"] == statistic], group)
        known = set(found(here[is_total(here)], alpha)["statistic"])
        closer = compared[(compared["ci_low"] > 0) & compared["rival"].isin(known)]
        reasons += [f"the barrier follows {_named(closer, 'rival', 'rho_rival')} more closely"] if len(closer) else []
        sentences += [
            Sentence(group, RIVALS, said) for said in _rival_sentences(compared, closer, known, in_words(statistic))
        ]

    beyond = found(here[here["controls"] == statistic], alpha)
    more = [f"beyond it the barrier also goes with {_named(beyond, 'statistic', 'rho')}"] if len(beyond) else []
    if reasons or more:
        verdict = "alone is the wrong axis" if reasons else "alone is not the whole of it"
        grounds = listed([*reasons, *more])
        said = f"{in_words(statistic)} {verdict}: {grounds} ({sample_size(here.iloc[0])})."
        return sentences, [Sentence(group, AXIS, said)]
    return sentences, []


def bend(row: "pd.Series[Any]", alpha: float) -> str:
    """What a row of `shape_test` shows: "rises and then falls", "falls and then rises", "bends", or "" for nothing."""
    if pd.isna(row["p_permutation"]) or row["p_permutation"] > alpha:
        return ""
    if _turned(row, alpha):
        return "rises and then falls" if row["rho_below"] > 0 else "falls and then rises"
    return "bends"


def _turned(row: "pd.Series[Any]", alpha: float) -> bool:
    """A turn is claimed only when the bend and the trends on both sides are each supported."""
    return bool(row["turns"]) and max(row["p_permutation"], row["p_below"], row["p_above"]) <= alpha


def _shape_sentence(row: "pd.Series[Any]", turned: bool, alpha: float) -> str:
    name = in_words(row["statistic"])
    if pd.isna(row["p_permutation"]):
        return f"whether the relation to {name} bends was not tested ({row['note']}; {sample_size(row)})."
    evidence = (
        f"bend {number(row['bend'])}, {interval(row)}, permutation p = {probability(row['p_permutation'])}, "
        f"{sample_size(row)}"
    )
    if row["p_permutation"] > alpha:
        return f"no bend along {name} was found, which does not show there is none: {evidence}."
    if not row["turns"]:
        return f"the relation to {name} bends but need not turn, it may level off: {evidence}."
    shape = "rises and then falls" if row["rho_below"] > 0 else "falls and then rises"
    sides = " and ".join(
        f"rho = {number(row[f'rho_{side}'])} {side} (p = {probability(row[f'p_{side}'])})"
        for side in ("below", "above")
        if not pd.isna(row[f"p_{side}"])
    )
    if turned:
        return f"the barrier {shape} along {name}, turning near {number(row['turning_point'])}: {sides}; {evidence}."
    return (
        f"the relation to {name} bends, but that the barrier {shape} is not established: the vertex of a fitted "
        f"parabola lies at {number(row['turning_point'])}, with {sides}; {evidence}."
    )


def _rival_sentences(compared: pd.DataFrame, closer: pd.DataFrame, known: set[str], name: str) -> list[str]:
    if compared.empty:
        return []
    size = sample_size(compared.iloc[0])
    if not known & {*compared["rival"], *compared["reference"]}:
        others = listed([name, *map(in_words, compared["rival"])])
        return [f"none of {others} was shown to go with the barrier ({size})."]
    sentences = [
        f"{in_words(row['rival'])} (rho = {number(row['rho_rival'])}) follows the barrier more closely than "
        f"{name} (rho = {number(row['rho_reference'])}): |rho| larger by {number(row['advantage'])}, "
        f"{interval(row)}, {sample_size(row)}."
        for _, row in closer.iterrows()
    ]
    reference = f"{name} (rho = {number(compared.iloc[0]['rho_reference'])})"
    behind = compared[(compared["ci_high"] < 0) & compared["reference"].isin(known)]
    if len(behind):
        others = _named(behind, "rival", "rho_rival")
        sentences.append(f"{reference} follows the barrier more closely than {others} ({size}).")
    same = compared[(compared["ci_low"] == 0) & (compared["ci_high"] == 0)]
    if len(same):
        sentences.append(
            f"{_named(same, 'rival', 'rho_rival')} {'order' if len(same) > 1 else 'orders'} the graphs exactly as "
            f"{name} does ({size})."
        )
    undecided = compared.drop(index=[*closer.index, *behind.index, *same.index])
    if len(undecided):
        others = _named(undecided, "rival", "rho_rival")
        sentences.append(
            f"the data cannot tell whether the barrier follows {others} more closely than {reference} ({size})."
        )
    return sentences


def _named(rows: pd.DataFrame, name: str, rho: str) -> str:
    return listed(f"{in_words(row[name])} (rho = {number(row[rho])})" for _, row in rows.iterrows())
