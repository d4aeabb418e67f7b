"""The answer of the study in words, and at a glance."""

from typing import Any

import pandas as pd

from gnnmc.analysis.wording import counted, listed, number, percent
from gnnmc.studies.generalization.naming import CANNOT, path_in_words, ranking_in_words, with_interval
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.stages.align import AS_TRAINED

_SAID = {"yes": "agree", "no": "do not", CANNOT: CANNOT}
# Places of the measures that stand at a glance beside barriers and validation accuracy.
FIRST = 3


def short_answer(tables: Tables, gap_metric: str) -> list[str]:
    """The answer in a few sentences."""
    rows = ranking_in_words(tables["ranking"], gap_metric, "gap")
    if rows["tau"].isna().all():
        return ["Nothing can be ranked: no two pairs of sound modes differ in their generalization gap."]
    return [
        _gaps(tables, gap_metric),
        *_best(rows, gap_metric),
        *_barriers(rows, gap_metric),
        *_bound(tables, rows),
    ]


def _gaps(tables: Tables, gap_metric: str) -> str:
    pairs = pairs_of(tables["gaps"])
    words = gap_metric.replace("_", " ")
    return (
        f"The generalization gap (train less test {words}, mean of the two ends) is {number(pairs['gap'].median())} in "
        f"the median of {counted(len(pairs), 'pair')} of modes, from {number(pairs['gap'].min())} to "
        f"{number(pairs['gap'].max())}."
    )


def _best(rows: pd.DataFrame, gap_metric: str) -> list[str]:
    """The first place, and what follows the gap the wrong way round."""
    known = rows.dropna(subset=["tau"])
    first = known.iloc[0]
    told = (
        f"Of {counted(len(known), 'measure')} (one for each path where it is of a path) {first['words']} follows it "
        f"best: {_taus(first)}"
    )
    if pd.isna(first["tau_low"]):
        clusters = counted(int(first["num_clusters"]), "cluster")
        return [
            f"{told}. With {clusters} there are no intervals: that it is the best {CANNOT}, this describes these "
            "graphs alone."
        ]
    reference = known[known["measure"] == f"val_{gap_metric}"]
    if len(reference) and first["measure"] != f"val_{gap_metric}":
        against = {1: "yes", -1: "no", 0: CANNOT}[_side(first)]
        told += f". Closer than {reference['words'].iloc[0]} ({with_interval(reference.iloc[0], 'tau')}): {against}"
    wrong = list(known.loc[known["agrees"] == "no", "words"])
    if not wrong:
        return [f"{told}."]
    named = listed(wrong) if len(wrong) <= FIRST else f"{counted(len(wrong), 'measure')}, such as {wrong[-1]},"
    return [f"{told}.", f"Against expectation, their whole interval of τ included, go {named.rstrip(',')}."]


def _taus(row: "pd.Series[Any]") -> str:
    """Both of Kendall's τ of a measure."""
    return f"Kendall's τ {with_interval(row, 'tau')}{_by_factor(row)}"


def _by_factor(row: "pd.Series[Any]") -> str:
    """The τ by which places are given, where it is defined."""
    return f", one factor changed at a time {with_interval(row, 'granulated')}" if pd.notna(row["granulated"]) else ""


def _barriers(rows: pd.DataFrame, gap_metric: str) -> list[str]:
    """Places of the barriers, and how they stand against validation accuracy."""
    known = int(rows["tau"].notna().sum())
    reference = rows[rows["measure"] == f"val_{gap_metric}"].iloc[0]
    lines = []
    for name in ("train_loss_barrier", f"train_{gap_metric}_barrier"):
        some = rows[(rows["measure"] == name) & rows["tau"].notna()]
        if some.empty:
            continue
        title = some["words"].iloc[0].partition(", ")[0]
        paths = [words.partition(", ")[2] for words in some["words"]]
        # The line as trained in full; of the others the table has the numbers.
        own = [not row["aligned"] or row["aligned"] == AS_TRAINED for _, row in some.iterrows()]
        full = paths[own.index(True)] if True in own else paths[0]
        told = "; ".join(
            f"{path} place {row['place']}"
            + (f", τ {with_interval(row, 'tau')}{_by_factor(row)}" if path == full else "")
            for path, (_, row) in zip(paths, some.iterrows(), strict=True)
        )
        sides = [_side(row) for _, row in some.iterrows()]
        against = [
            f"{words} ({listed([path for path, own in zip(paths, sides, strict=True) if own == side])})"
            for side, words in ((1, "yes"), (-1, "no, less closely"), (0, CANNOT))
            if side in sides
        ]
        lines.append(
            f"The {title}, of {known} places: {told}. Closer than {reference['words']} (place {reference['place']}): "
            f"{'; '.join(against)}."
        )
    return lines


def _side(row: "pd.Series[Any]") -> int:
    """1: surely closer than the reference, −1: surely less so, 0: the interval holds 0, or there is none."""
    return int(row["advantage_low"] > 0) - int(row["advantage_high"] < 0)


def by_kind(tables: Tables, gap_metric: str) -> list[str]:
    """The reference, the barrier of the train loss as trained and its bound, on each kind of graph by itself."""
    families = tables.get("families", pd.DataFrame())
    if families.empty:
        return []
    told = []
    for family, some in families.groupby("family", sort=False):
        rows = ranking_in_words(some, gap_metric, "gap").dropna(subset=["tau"])
        shown = rows[rows["measure"].isin([f"val_{gap_metric}", "train_loss_barrier", "bound_rho_0"])]
        # As trained, along the first path: all are in the table.
        own = shown[shown["path"] != ""]
        first = (shown["path"] == own["path"].iloc[0]) & (shown["aligned"] == AS_TRAINED) if len(own) else False
        shown = shown[(shown["path"] == "") | first]
        taus = "; ".join(f"{row['words']} {with_interval(row, 'tau')}" for _, row in shown.iterrows())
        if taus:
            told.append(f"{family} ({counted(int(shown['num_clusters'].max()), 'cluster')}): {taus}")
    return [f"By kind of graph, τ: {'. '.join(told)}."] if len(told) > 1 else []


def _bound(tables: Tables, rows: pd.DataFrame) -> list[str]:
    bound = tables["bound"]
    if bound.empty:
        return []
    several = set(bound.loc[bound["aligned"] != AS_TRAINED, "path"])
    paths = []
    for (path, aligned), some in bound.groupby(["path", "aligned"], sort=False):
        share = some["vacuous_rho_0_error"].mean(), some["vacuous_rho_half_error"].mean()
        name = path_in_words(path, aligned, several).removeprefix(", ")
        under = float((some["bound_rho_0"] < some["gap"]).mean())
        half, beneath = f"at ρ = ½ {percent(share[1])}", f"below the gap itself {percent(under)}"
        paths.append(f"{name} {percent(share[0])} ({half}; {beneath})")
    below = bool((bound["bound_rho_0"] < bound["gap"]).any())
    told = (
        f"The bound of the barrier, every unknown constant 1, is vacuous (above 1, at ρ = 0) for these shares of the "
        f"pairs: {'; '.join(paths)}"
    )
    if below:
        told += ". Below the gap, constants of 1 are too small for a bound"
    order = rows[(rows["measure"] == "bound_rho_0") & rows["tau"].notna()]
    if order.empty:
        return [f"{told}."]
    size = rows[rows["measure"] == "bound_size_term"].iloc[0]
    taus = "; ".join(f"{row['words'].partition('), ')[2]} {with_interval(row, 'tau')}" for _, row in order.iterrows())
    return [
        f"{told}.",
        f"Its order against that of the gap, τ: {taus}. The number of labeled nodes alone, without a barrier: "
        f"{with_interval(size, 'tau')}.",
    ]


def predicted(predictions: pd.DataFrame) -> list[str]:
    if predictions.empty:
        return []
    counts = predictions["agrees"].value_counts()
    told = [f"{counts.get(key, 0)} {words}" for key, words in _SAID.items()]
    return [
        f"What the theory predicts of the order of barriers on generated graphs, all other settings held: of "
        f"{counted(len(predictions), 'prediction')} (each for a model and a path) {listed(told)}."
    ]


def at_a_glance(tables: Tables, gap_metric: str) -> TableView | None:
    """The first places, validation accuracy, barriers and the bound."""
    rows = ranking_in_words(tables["ranking"], gap_metric, "gap")
    if rows["tau"].isna().all():
        return None
    barriers = ["train_loss_barrier", f"train_{gap_metric}_barrier", "bound_rho_0", "bound_size_term"]
    shown = rows[(rows["place"] <= FIRST) | rows["measure"].isin([f"val_{gap_metric}", *barriers])]
    frame = pd.DataFrame(
        {
            "place": shown["place"],
            "measure": shown["words"],
            "sign": ["+" if sign > 0 else "−" for sign in shown["expected"]],
            "one factor at a time": [with_interval(row, "granulated") for _, row in shown.iterrows()],
            "over all pairs": [with_interval(row, "tau") for _, row in shown.iterrows()],
            "equal train loss": [with_interval(row, "conditional") for _, row in shown.iterrows()],
            f"beyond validation {gap_metric.replace('_', ' ')}": [
                "" if pd.isna(row["advantage"]) else with_interval(row, "advantage") for _, row in shown.iterrows()
            ],
        }
    )
    caption = (
        f"How closely the order of a measure follows that of the gap of {gap_metric.replace('_', ' ')}: Kendall's τ, "
        f"in brackets 95 % bootstrap over {counted(int(rows['num_clusters'].max()), 'cluster')}. Selected measures; "
        f"place: among all {len(rows)}, by the τ with one factor (graph, model, label rate) changed at a time; sign: "
        "the expected one; beyond: expected sign × τ less the same of that measure. Equal train loss: pairs in one "
        "tenth of it. Barriers of the train split."
    )
    return TableView("at_a_glance", frame, caption)


def pairs_of(gaps: pd.DataFrame) -> pd.DataFrame:
    """One row per pair whose gap is known."""
    return gaps.dropna(subset=["gap"]).drop_duplicates(["problem", "model", "a", "b"])
