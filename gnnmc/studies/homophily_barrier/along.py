"""Loss along the paths, and lines against fitted curves on the same pairs."""

from gnnmc.analysis.wording import counted
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import chord_loss, common_pairs, models_of, short_unit, split_note, told_apart


def along_sections(tables: Tables) -> list[Section]:
    """Loss along the paths that there are."""
    graphs = tables["graphs"]
    axis = "homophily_asked" if (graphs["family"] == "csbm").any() else "homophily_edge"
    rows = common_pairs(tables["profiles"]).merge(graphs[["graph", "family", "regime", axis]], on="graph")
    if rows.empty:  # no pair was connected by every kind of path
        return []
    # One regime is shown, the first: a mean over regimes would be of nothing in particular.
    generated = rows[rows["family"] == "csbm"]
    rows = generated if len(generated) else rows
    regime = rows["regime"].iloc[0]
    rows = rows[rows["regime"] == regime].assign(x=lambda some: some[axis].round(3))
    levels = sorted(rows["x"].unique())
    shown = levels if len(levels) <= 3 else [levels[0], levels[len(levels) // 2], levels[-1]]
    chosen = rows[rows["x"].isin(shown)].sort_values("x", kind="stable")
    if (chosen["family"] == "real").all():  # collected graphs have names
        chosen = chosen.assign(x=chosen["graph"] + chosen["x"].map(" ({:.2f})".format))
    mean = chosen.groupby(["model", "path", "split", "x", "t"], sort=False)["loss"].mean().reset_index()
    counts = [
        counted(per.min(), noun, most=per.max())
        for noun, per in (
            ("graph", chosen.groupby("x")["graph"].nunique()),
            ("pair", chosen.drop_duplicates(["graph", "model", "a", "b"]).groupby(["graph", "model"]).size()),
        )
    ]
    paths = list(mean["path"].unique())
    same = " on the same pairs" if len(paths) > 1 else ""
    figure = FigureView(
        name="profiles",
        draw="profiles.draw_profiles",
        frame=mean,
        caption=(
            f"Mean loss along the path ({regime}), {' against '.join(paths)}{same}, by split, at edge homophily "
            f"{', '.join(f'{level:.2f}' for level in shown)}; mean over {counts[0]} at each, {counts[1]} of modes on "
            f"every graph. {split_note(tables)}"
        ),
        alt="Loss along the path from one mode to another, for each model and split.",
        options={
            "x_label": "edge homophily",
            "models": models_of(tables),
            "value_label": f"loss ({short_unit(tables)})",
        },
    )
    rows = common_pairs(chord_loss(tables)).merge(graphs[["graph", "regime"]], on="graph")
    groups = rows.groupby(["regime", "model", "path", "split"], sort=False)
    table = groups[["barrier", "ends_loss", "ends_accuracy", "length", "distance"]].mean()
    table.insert(0, "pairs", groups["barrier"].count())
    view = TableView(
        "along_the_paths",
        told_apart(table.reset_index()),
        f"{'Pairs that every path connects, mean' if same else 'Mean'} over pairs and graphs: chord barrier and ends' "
        f"loss ({short_unit(tables)}), ends' accuracy, length of the path and distance of its ends (Euclidean, in "
        "weight space).",
    )
    several = f"{paths[0].capitalize()} against {' against '.join(paths[1:])}"
    title = several if same else f"Along the {paths[0]} path"
    return [Section(title, figures=(figure,), tables=(view,))]
