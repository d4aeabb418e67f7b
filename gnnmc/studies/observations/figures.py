"""The figure and the tables of every observation."""

import pandas as pd

from gnnmc.connectivity import LinearPath
from gnnmc.studies.alignments import called
from gnnmc.studies.barrier_sections import real_sections, sweep_sections
from gnnmc.studies.generalization.ranking import ranking_sections
from gnnmc.studies.observations.likeness import FORM
from gnnmc.studies.observations.observe import METRIC
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import short_unit, told_apart
from gnnmc.studies.stages.align import AS_TRAINED


def observation_sections(tables: Tables) -> list[Section]:
    """A section for each observation that was looked at, in order."""
    observed = {**tables, **{name: tables[name].merge(tables["roles"][["graph"]]) for name in ("barriers", "graphs")}}
    named = {**observed, **{name: _by_line(observed[name]) for name in ("barriers", "summary") if len(observed[name])}}
    return [
        *(
            _titled(each, "O1 and O3: lines, curves and architectures", tables, ["O1", "O3"])
            for each in real_sections(named)
        ),
        *_likeness(tables),
        *(_titled(each, "O4: generated graphs", tables, ["O4"], _signs(tables)) for each in sweep_sections(named)),
        *_gaps(tables),
        *_transfers(tables),
    ]


def ends_against_stated(tables: Tables) -> list[Section]:
    """Ends beside what is stated of them."""
    stated = tables["stated"]
    if stated.empty:
        return []
    caption = (
        "What the ends reach on the test nodes beside the stated value of a tuned network (science 1.5): mean, least "
        "and largest over modes, and the difference in points; short: more than 2 points below (GMC026)."
    )
    shown = stated.assign(short=stated["short"].map({True: "short", False: ""})).drop(columns=["modes", "endpoint"])
    return [Section("Ends against what is stated of them", tables=(TableView("stated", shown, caption),))]


def _by_line(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with aligned lines as paths of their own."""
    moved = frame["aligned"] != AS_TRAINED
    path = frame["path"].where(~moved, frame["path"] + ", " + frame["aligned"])
    return frame.assign(path=path)


def _titled(
    section: Section, title: str, tables: Tables, claims: list[str], more: tuple[TableView, ...] = ()
) -> Section:
    return Section(title, _judged(tables, claims), section.figures, (*section.tables, *more))


def _judged(tables: Tables, claims: list[str]) -> tuple[str, ...]:
    rows = tables["observations"]
    rows = rows[rows["claim"].isin(claims)]
    return tuple(
        f"{row.claim} ({called(str(row.aligned))}), {row.claimed}: {row.verdict}. Measured: {row.measured}. Agrees "
        f"where: {row.threshold}. {str(row.why)[:1].upper()}{str(row.why)[1:]}."
        for row in rows.itertuples()
    )


def _likeness(tables: Tables) -> list[Section]:
    distances = tables["curve_distances"]
    if distances.empty:
        return []
    rows = distances[(distances["split"] == "train") & (distances["form"] == FORM)]
    wide = rows.groupby(["domain_a", "domain_b"], sort=False)["distance"].agg(["mean", "min", "max", "count"])
    table = TableView(
        "curves_by_domain",
        wide.reset_index().rename(columns={"domain_a": "domain", "domain_b": "and domain", "count": "graphs × models"}),
        f"Distance of connectivity curves (d_MC, {FORM} form, {short_unit(tables)}, train loss along the lines as "
        "trained) between graphs of two domains: mean, least and largest over pairs of graphs and models.",
    )
    return [Section("O2: graphs of one domain", _judged(tables, ["O2"]), (_matrix(rows, tables),), (table,))]


def _matrix(rows: pd.DataFrame, tables: Tables) -> FigureView:
    """Graphs against graphs, those of one domain beside each other."""
    means = rows.groupby(["domain_a", "graph_a", "domain_b", "graph_b"], sort=False)["distance"].mean().reset_index()
    both = pd.concat(
        [
            means[["graph_a", "graph_b", "distance"]].set_axis(["source", "target", "value"], axis=1),
            means[["graph_b", "graph_a", "distance"]].set_axis(["source", "target", "value"], axis=1),
        ]
    )
    # Names without their family are short enough for a cell.
    short = {name: name.partition("-")[2] or name for name in both["source"].unique()}
    if len(set(short.values())) == len(short):
        both = both.assign(**{end: both[end].map(short) for end in ("source", "target")})
    order = list(dict.fromkeys([*rows["graph_a"], *rows["graph_b"]]))
    both = both.sort_values("source", key=lambda names: names.map({short[name]: i for i, name in enumerate(order)}))
    models = ", ".join(rows["model"].unique())
    return FigureView(
        name="curve_distances",
        draw="domain_matrix.draw_domain_matrix",
        frame=both.assign(measure="distance of connectivity curves, d_MC (size)"),
        caption=(
            f"Distance of the connectivity curves of every two graphs ({short_unit(tables)}): d_MC, {FORM} form, train "
            f"loss along the lines as trained, mean over {models}. Graphs of one domain stand side by side: "
            f"{_domains(rows)}."
        ),
        alt="A heat map of the distances between graphs; darker is farther.",
        options={"labels": ("graph", "graph")},
    )


def _domains(rows: pd.DataFrame) -> str:
    ends = [rows[[f"domain_{end}", f"graph_{end}"]].set_axis(["domain", "graph"], axis=1) for end in "ab"]
    known = pd.concat(ends).drop_duplicates()
    return "; ".join(f"{domain}: {', '.join(some['graph'])}" for domain, some in known.groupby("domain", sort=False))


def _gaps(tables: Tables) -> list[Section]:
    """O5, and all else that was held against the gap."""
    if tables["ranking"].empty:
        return []
    ranking, *others = ranking_sections(tables, METRIC)
    return [_titled(ranking, "O5: what follows the generalization gap", tables, ["O5"]), *others]


def _transfers(tables: Tables) -> list[Section]:
    """O6: distances and gaps of all pairs and methods."""
    if "transfer" not in tables:
        return []
    names = ["pair", "model", "method", "distance", "floor", "gap", "gap_low", "gap_high", "own", "moved", "cluster"]
    table = TableView(
        "transfers",
        tables["transfer"][names],
        "Transfer from a source to a target: d_MC (size form) of the source-trained modes' lines, train loss, on "
        f"both ({short_unit(tables)}; target labels are used), its floor within one domain; gap: accuracy on the "
        "target's test nodes of modes trained there (own) less that of modes trained on the source (moved), with 95 % "
        "over seeds; BatchNorm statistics for the gap as stored with the modes.",
    )
    rows = tables["transfer"]
    figure = FigureView(
        name="transfer_gaps",
        draw="distance_gap.draw_distance_gap",
        frame=rows.assign(measure="d_MC", value=rows["distance"], title="d_MC (size), train loss, nats")[
            ["measure", "pair", "method", "value", "gap", "title"]
        ],
        caption=(
            f"Transfer gap against the connectivity distance: a mark per ordered pair and method "
            f"({rows['pair'].nunique()} pairs in {rows['cluster'].nunique()} clusters)."
        ),
        alt="A scatter plot of the transfer gap against d_MC.",
        options={"gap_label": "transfer gap (share of nodes)"},
    )
    return [Section("O6: transfer between domains", _judged(tables, ["O6"]), (figure,), (table,))]


def _signs(tables: Tables) -> tuple[TableView, ...]:
    signs, bends = tables["csbm_predictions"], tables["csbm_shape"]
    if signs.empty:
        return ()
    return (
        TableView(
            "csbm_predictions",
            signs,
            f"Signs that theory predicts for generated graphs, each with everything else held (chord barrier of the "
            f"train loss, {LinearPath.kind} path; science 1.3).",
        ),
        TableView("csbm_shape", told_apart(bends), "Does the barrier bend along homophily? A test for each regime."),
    )
