"""The section on what the theory says of the order of graphs (science 1.3)."""

import pandas as pd

from gnnmc.analysis.wording import counted, in_words, number
from gnnmc.studies.pages import Section, Tables, TableView
from gnnmc.studies.structure.lines import with_lines

_ANSWERS = {"yes": "agrees", "no": "does not agree", "cannot be told": "cannot be told"}


def theory_sections(tables: Tables) -> list[Section]:
    """Every statement with its predicted sign and the measured one; none where nothing was generated."""
    if tables["signs"].empty:
        return []
    signs = with_lines(tables["signs"])
    short = signs.assign(cell=[_cell(row) for _, row in signs.iterrows()], predicted=signs["predicted"].map(_sign))
    wide = short.pivot_table(
        index=["statement", "predicted", "path", "split"], columns="model", values="cell", aggfunc="first", sort=False
    )
    wide = wide[list(signs["model"].unique())].fillna("").reset_index().rename_axis(columns=None)
    columns = [
        "statement", "path", "split", "model", "rho", "p_permutation", "p_holm", "agrees", "why", "num_strata",
        "num_graphs", "num_clusters",
    ]  # fmt: skip
    views = (
        TableView(
            "rank_predictions",
            wide,
            "What the theory says of the barrier (+: higher, −: lower with more of it), and whether it is so: "
            "Spearman's ρ over generated graphs that are equal in all else [95 % bootstrap interval over clusters, "
            "from 10 on]. Agrees, does not agree: permutation p ≤ 0.05 after Holm over the statements of one model, "
            "path and split. Its constants are not known: only the sign is tested.",
        ),
        TableView(
            "rank_predictions_in_full",
            signs[columns],
            "The same with p-values, and why nothing could be told; strata: groups of graphs that are equal in all "
            "that is held.",
        ),
    )
    return [Section("Predictions of the theory", tuple(_counted(signs)), tables=views)]


def _counted(signs: pd.DataFrame) -> list[str]:
    lines = []
    for statement, rows in signs.groupby("statement", sort=False):
        counts = rows["agrees"].value_counts()
        told = ", ".join(f"{words} in {counts[name]}" for name, words in _ANSWERS.items() if name in counts)
        why = rows["why"].str.split("; ").str[0]
        reason = f" ({why.iloc[0]})" if set(rows["agrees"]) == {"cannot be told"} and why.nunique() == 1 else ""
        lines.append(
            f"{str(statement).capitalize()}, predicted sign {_sign(rows['predicted'].iloc[0])}: {told} of "
            f"{counted(len(rows), 'combination')} of model, path and split{reason}. Measured by "
            f"{in_words(rows['statistic'].iloc[0])}; held: {rows['held'].iloc[0] or 'nothing'}."
        )
    return lines


def _cell(row: "pd.Series[float]") -> str:
    words = _ANSWERS[str(row["agrees"])]
    if pd.isna(row["rho"]):
        return words
    interval = "" if pd.isna(row["ci_low"]) else f" [{number(row['ci_low'])}, {number(row['ci_high'])}]"
    return f"{words}: ρ {number(row['rho'])}{interval}"


def _sign(value: float) -> str:
    return "+" if value > 0 else "−"
