"""The study of structure and architecture: what its page says of planted tables, and tiny runs from end to end."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gnnmc.config import validate
from gnnmc.draw import drawing
from gnnmc.errors import InputError
from gnnmc.run import Quiet, execute
from gnnmc.store import Execution, Request, Store
from gnnmc.studies import STUDIES
from gnnmc.studies.pages import Page
from gnnmc.studies.structure.check import check
from gnnmc.studies.structure.decompose import decompose
from gnnmc.studies.structure.foretell import foretell
from gnnmc.studies.structure.interact import interact
from gnnmc.studies.structure.trained import graphs_well_trained
from gnnmc.studies.structure.verdicts import Says, judged

STUDY = STUDIES["structure"]
HOMOPHILY, DEGREES, MODELS = (0.1, 0.4, 0.9), (4.0, 10.0), ("gcn", "sage", "gat", "mlp")
LINES = (("linear", "none"), ("linear", "weights"), ("bezier", "none"))
CSBM = {"num_nodes": 60, "num_classes": 3, "num_features": 6, "train_per_class": 5}
CONFIG: dict[str, Any] = {
    "graphs": [
        {"csbm": CSBM | {"homophily": [0.1, 0.9], "mean_degree": [4, 10], "seed": [0, 1]}},
        {"csbm": CSBM | {"homophily": [0.1, 0.9], "mean_degree": 10, "num_classes": [3, 4], "seed": [0, 1]}},
    ],
    "models": [{"name": "gcn", "hidden": 4}, {"name": "sage", "hidden": 4}, {"name": "mlp", "hidden": 4}],
    "train": {"epochs": 4},
    "seeds": [0, 1],
    "paths": ["linear", {"kind": "bezier", "steps": 3, "pairs": 1}],
    "profile": {"points": 3},
}


def planted(
    *,
    of_graph: float = 0.0,
    of_model: float = 0.0,
    of_mlp: float = 0.0,
    together: float = 0.0,
    replicates: int = 3,
    pairs: int = 3,
    lines: tuple[tuple[str, str], ...] = LINES,
) -> dict[str, pd.DataFrame]:
    """log B is a sum of effects of homophily, architecture, the MLP, homophily × degree, and a little noise."""
    rng = np.random.default_rng(0)
    graphs, barriers, endpoints = [], [], []
    for h in HOMOPHILY:
        for degree in DEGREES:
            for seed in range(replicates):
                name = f"csbm {h} {degree} {seed}"
                edge = h + 0.01 * rng.normal()
                graphs.append(
                    {"graph": name, "cluster": name, "family": "csbm", "regime": "generated graphs"}
                    | {"homophily_asked": h, "made_mean_degree": degree, "made_separation": 1.0}
                    | {"homophily_edge": edge, "homophily_adjusted": 1.25 * edge - 0.25}
                    | {"label_informativeness": (edge - 0.2) ** 2, "degree_mean": degree + 0.01 * rng.normal()}
                    | {"degree_cv": 0.3, "degree_min": 1.0, "density": degree / 99, "gap_modulus": rng.uniform()}
                    | {"num_nodes": 100, "num_classes": 3, "separability_fisher": 0.1, "loss_unit": "nats per item"}
                    | {"classes_without_training": 0}
                )
                level = of_graph * 3 * (h - 0.4) + together * (1 if (h > 0.4) == (degree > 5) else -1)
                for place, model in enumerate(MODELS):
                    where = {"graph": name, "model": model, "endpoint": "last"}
                    for split in ("train", "val", "test"):
                        end = {"split": split, "loss": 0.2, "accuracy": 1.0, "used": True, "parameters": 99}
                        endpoints += [where | end | {"seed": mode, "status": "ok"} for mode in (0, 1)]
                    log = -2 + level + of_model * (place - 1.5) + of_mlp * (model == "mlp")
                    barriers += [
                        where
                        | {"path": path, "aligned": aligned, "a": 0, "b": pair + 1, "split": split, "status": "ok"}
                        | {"metric": "loss", "barrier_kind": "chord", "barrier": np.exp(log + 0.2 * rng.normal())}
                        | {
                            "ends_loss": 0.2,
                            "ends_accuracy": 1.0,
                            "ends_train_loss": 0.2,
                            "distance": 1.0,
                            "length": 1.0,
                        }
                        for path, aligned in lines
                        for split in ("train", "val", "test")
                        for pair in range(1 if path == "bezier" else pairs)
                    ]
    frames = {"graphs": pd.DataFrame(graphs), "barriers": pd.DataFrame(barriers), "endpoints": pd.DataFrame(endpoints)}
    return frames | {"fired": pd.DataFrame(columns=["code", "message"]), "profiles": pd.DataFrame()}


ALIGNMENTS = {"alignments": pd.DataFrame(), "misaligned": pd.DataFrame(columns=["code", "message"])}
STAGES = {"decompose": decompose, "foretell": foretell, "interact": interact}


def looked_at(tables: dict[str, pd.DataFrame], *stages: str, grids: Any = None) -> dict[str, Any]:
    """Tables with what the named stages make of them; what the others would make is empty."""
    whole = [{"name": "edge homophily × mean degree", "graphs": list(tables["graphs"]["graph"])}]
    config = {"grids": grids or whole, "without": ["mlp"], "maps": None, "least_train_accuracy": 0.9}
    names = ("shares", "mixed", "signs", "prediction", "importance", "dependence", "maps", "interactions")
    made: dict[str, Any] = dict.fromkeys(names, pd.DataFrame())
    for stage in stages:
        made |= STAGES[stage]([Request(config, {"tables": tables})], Execution())[0]
    made |= check([Request(config, {"tables": tables, "alignments": ALIGNMENTS})], Execution())[0]
    return tables | made


def page_of(tables: dict[str, Any]) -> Page:
    return STUDY.page(tables, validate(STUDY.config, CONFIG | {"models": list(MODELS)}))


def verdicts(tables: dict[str, Any], split: str = "train") -> dict[tuple[str, str], Says]:
    rows = judged(tables["shares"])
    rows = rows[(rows["grid"] == "") & (rows["split"] == split) & (rows["ends"] == "all")]
    return {(path, left): says for path, left, says in rows[["path", "left_out", "says"]].itertuples(index=False)}


def test_where_the_graph_decides_the_page_says_yes_with_its_share() -> None:
    tables = looked_at(planted(of_graph=1.0, of_model=0.1), "decompose")
    assert set(verdicts(tables).values()) == {Says.YES}
    page = page_of(tables)
    assert page.answer[0] == (
        "Structure, not architecture? Generated graphs, train split (18 graphs in 18 clusters), with all 4 "
        "architectures: yes for all 3 kinds of path; with 3 of them (without mlp): yes for all 3 kinds of path."
    )
    row = judged(tables["shares"]).iloc[0]
    assert row["graph"] > 0.8 and row["graph_low"] > 0.5
    share = f"{100 * row['graph']:.0f} % [{100 * row['graph_low']:.0f}, {100 * row['graph_high']:.0f}]"
    head = "Linear path, train split, shares of variance: graph"
    assert page.answer[1].startswith(f"{head} {share}, architecture ")
    assert "; without mlp: graph " in page.answer[1]
    assert "interaction and rest" in page.answer[3] and "(one pair in a cell)" in page.answer[3]
    assert not any("turns on" in line for line in page.answer)
    glance = page.at_a_glance
    assert glance is not None and list(glance.frame) == ["path", "split", "all architectures", "without mlp"]
    assert glance.frame.loc[0, "all architectures"].startswith(f"yes: graph {share}, architecture ")
    assert "18 graphs in 18 clusters" in glance.caption


def test_where_the_architecture_decides_the_page_says_no() -> None:
    tables = looked_at(planted(of_model=1.0, of_graph=0.1), "decompose")
    assert set(verdicts(tables).values()) == {Says.NO}
    answer = page_of(tables).answer
    assert "with all 4 architectures: no for all 3 kinds" in answer[0] and "(without mlp): no for all" in answer[0]
    assert not any("turns on" in line or ": yes" in line for line in answer)


def test_where_the_mlp_alone_decides_the_page_says_that_the_answer_turns_on_it() -> None:
    tables = looked_at(planted(of_mlp=4.0, of_graph=0.5), "decompose")
    found = verdicts(tables)
    assert {found[path, ""] for path in ("linear", "bezier")} == {Says.NO}
    assert {found[path, "mlp"] for path in ("linear", "bezier")} == {Says.YES}
    answer = page_of(tables).answer
    assert "with all 4 architectures: no for all 3" in answer[0] and "(without mlp): yes for all 3" in answer[0]
    assert answer[1] == (
        "The answer turns on mlp (linear, weights-aligned linear and bezier paths, train split): no with it, yes "
        "without it."
    )


def test_of_an_effect_of_neither_nothing_is_claimed() -> None:
    tables = looked_at(planted(), "decompose")
    assert Says.YES not in verdicts(tables).values() and Says.NO not in verdicts(tables).values()
    assert "cannot be told for any of the 3 kinds" in page_of(tables).answer[0]


def test_a_share_below_0_of_which_nothing_can_be_told_is_no_number() -> None:
    shares = looked_at(planted(), "decompose")["shares"]
    below = shares.assign(omega2=shares["omega2"].where(shares["part"] != "graph", -0.34))
    page = page_of(looked_at(planted()) | {"shares": below})
    untold = "cannot be told (18 clusters: the share of the graph comes out below 0)"
    assert page.answer[1].count(untold) == 2 and not any("−34" in line for line in page.answer)
    assert page.at_a_glance is not None and set(page.at_a_glance.frame["all architectures"]) == {untold}


def test_two_are_both() -> None:
    tables = planted(of_graph=1.0, lines=LINES[:2])
    tables["barriers"] = tables["barriers"].query("model in ('gcn', 'mlp')")
    answer = page_of(looked_at(tables, "decompose")).answer
    assert "with both architectures: yes for both kinds of path" in answer[0]
    tables = planted(lines=LINES[:2])
    tables["barriers"] = tables["barriers"].query("model in ('gcn', 'sage')")
    answer = page_of(looked_at(tables, "decompose")).answer
    assert "with both architectures: cannot be told for either kind of path" in answer[0]


def test_graphs_whose_ends_are_all_well_trained_are_decomposed_by_themselves() -> None:
    """Of a third of the graphs every barrier is as high as can be, and one end of gat guesses."""
    tables = planted(of_model=1.0, of_graph=0.02)
    poor = tables["graphs"]["graph"].str.endswith(" 2")
    names = tables["graphs"]["graph"][poor]
    high, guessing = tables["barriers"]["graph"].isin(names), tables["endpoints"]["graph"].isin(names)
    tables["barriers"].loc[high, "barrier"] *= 500
    guessing &= (tables["endpoints"]["model"] == "gat") & (tables["endpoints"]["seed"] == 0)
    tables["endpoints"].loc[guessing, "accuracy"] = 0.5
    tables = looked_at(tables, "decompose")
    found = judged(tables["shares"]).query("split == 'train' and path == 'linear' and left_out == ''").set_index("ends")
    assert found["num_graphs"].to_dict() == {"all": 18, "well-trained": 12}
    assert found["says"].to_dict() == {"all": Says.YES, "well-trained": Says.NO}
    page = page_of(tables)
    assert "(18 graphs in 18 clusters, 6 of 144 ends under-trained), with all 4" in page.answer[0]
    (line,) = [line for line in page.answer if "whose ends are all well trained" in line]
    graph, architecture = (f"{100 * found.loc['well-trained', part]:.0f} % [" for part in ("graph", "architecture"))
    assert line.startswith(
        "Generated graphs: 6 of 144 ends under-trained (gat 6 of 36). On the 12 graphs in 12 clusters whose ends are "
        f"all well trained (linear path, train split): no, graph {graph}"
    )
    assert f"architecture {architecture}" in line and "; without mlp, on the 12 graphs" in line
    assert page.at_a_glance is not None and "18 clusters, 6 of 144 ends under-trained)" in page.at_a_glance.caption
    sections = {view.name: view for section in page.sections for view in section.tables}
    frame = sections["shares"].frame.query("path == 'linear' and split == 'train' and models == 'all architectures'")
    assert frame[["ends", "answer", "graphs"]].to_numpy().tolist() == [["all", "yes", 18], ["well-trained", "no", 12]]
    # Where gat is left out, none of its ends counts.
    left = decompose(
        [Request({"grids": [], "without": ["gat"], "least_train_accuracy": 0.9}, {"tables": tables})], Execution()
    )[0]["shares"].query("ends == 'well-trained'")
    assert left.groupby("left_out")["num_graphs"].max().to_dict() == {"": 12, "gat": 18}


def test_where_all_ends_are_well_trained_nothing_is_said_twice() -> None:
    page = page_of(looked_at(planted(of_graph=1.0), "decompose"))
    assert not any("trained" in line for line in page.answer)
    sections = {view.name: view for section in page.sections for view in section.tables}
    assert "ends" not in sections["shares"].frame


def test_an_end_that_diverged_is_not_well_trained_and_no_graph_may_be_left() -> None:
    tables = planted(of_graph=1.0)
    ends, first = tables["endpoints"], tables["graphs"]["graph"][0]
    ends.loc[(ends["graph"] == first) & (ends["model"] == "sage") & (ends["seed"] == 1), "status"] = "diverged"
    assert graphs_well_trained(tables, 0.9) == set(tables["graphs"]["graph"][1:])
    assert graphs_well_trained(tables, 0.9, ["sage"]) == set(tables["graphs"]["graph"])
    ends.loc[ends["model"] == "gcn", "loss"] = 1.0
    (line,) = [line for line in page_of(looked_at(tables, "decompose")).answer if line.startswith("Generated graphs: ")]
    assert line == (
        "Generated graphs: 36 of 143 ends under-trained (gcn 36 of 36). On no graph are the ends of all models well "
        "trained."
    )


def test_every_row_of_the_table_has_its_own_answer() -> None:
    tables = looked_at(planted(of_mlp=4.0, of_graph=0.5), "decompose")
    frame = {view.name: view for section in page_of(tables).sections for view in section.tables}["shares"].frame
    assert dict(frame.query("path == 'linear' and split == 'train'")[["models", "answer"]].to_numpy()) == {
        "all architectures": "no", "without mlp": "yes",
    }  # fmt: skip


def test_less_than_half_is_no_plain_yes() -> None:
    tables = planted(of_graph=0.12)
    tables["barriers"] = tables["barriers"].query("path == 'linear' and aligned == 'none'")
    found = judged(looked_at(tables, "decompose")["shares"])
    row = found[(found["split"] == "train") & (found["left_out"] == "")].iloc[0]
    assert 0.2 < row["graph"] < 0.5 and row["graph minus architecture_low"] > 0
    assert row["says"] is Says.PARTLY


def test_few_clusters_tell_nothing_and_say_why() -> None:
    tables = looked_at(planted(of_graph=1.0, replicates=1), "decompose")
    answer = page_of(tables).answer
    assert "cannot be told for any of the 3 kinds" in answer[0]
    assert "(6 clusters: no bootstrap interval)" in answer[0]
    assert answer[1] == (
        "Linear, weights-aligned linear and bezier paths, train split, shares of variance: cannot be told (6 clusters: "
        "an interval needs at least 10); without mlp: cannot be told (6 clusters: an interval needs at least 10)."
    )
    glance = page_of(tables).at_a_glance
    assert glance is not None
    assert set(glance.frame["all architectures"]) == {"cannot be told (6 clusters: an interval needs at least 10)"}
    found = tables["diagnostics"].set_index("code")
    assert found.loc["GMC008", "message"] == "generated graphs: 6 clusters, so shares have no interval"
    enough = looked_at(planted(replicates=2))["diagnostics"]
    assert "GMC008" not in set(enough["code"])


def test_shares_of_a_grid_are_of_its_graphs_alone() -> None:
    tables = planted(of_graph=1.0)
    low = tables["graphs"].query("made_mean_degree == 4")["graph"]
    one_level = tables["graphs"].query("homophily_asked == 0.1")["graph"]
    grids = [{"name": "A", "graphs": list(low)}, {"name": "B", "graphs": list(one_level)}]
    tables = looked_at(tables, "decompose", grids=grids)
    rows = judged(tables["shares"]).query("split == 'train' and path == 'linear' and left_out == '' and ends == 'all'")
    rows = rows.set_index("grid")
    assert rows["num_graphs"].to_dict() == {"": 18, "A": 9, "B": 6}
    assert rows.loc["A", "graph"] > 0.8 > 0.3 > rows.loc["B", "graph"]
    assert (tables["mixed"]["grid"] == "").all()
    sentences = [line for section in page_of(tables).sections for line in section.sentences]
    (line,) = [line for line in sentences if line.startswith("A share speaks")]
    assert "without mlp) that of the graph goes from" in line and line.endswith(" % (A).")


def test_a_planted_interaction_is_found_and_none_is_not_claimed() -> None:
    few = (("linear", "none"),)
    found = looked_at(planted(together=1.0, of_graph=0.3, lines=few), "interact")
    tests = found["interactions"]
    assert len(tests) == len(MODELS) * 2 and (tests["p_holm"] <= 0.05).all()
    assert (tests["p_holm"] >= tests["p_permutation"]).all() and (tests["p_holm"] > tests["p_permutation"]).any()
    (section,) = [each for each in page_of(found).sections if each.title == "Edge homophily and mean degree together"]
    assert section.sentences[0].startswith("The effect of one setting depends on the other in 8 of 8 tests")
    assert "linear path, train split: gcn, sage, gat and mlp" in section.sentences[0]
    (figure,) = section.figures
    assert figure.options == {"x_label": "edge homophily", "y_label": "mean degree"}
    cells = figure.frame.query("model == 'gcn' and split == 'train'").set_index(["x", "y"])["value"]
    graphs = found["graphs"].query("homophily_asked == 0.9 and made_mean_degree == 4")["graph"]
    rows = found["barriers"].query("model == 'gcn' and split == 'train'")
    assert cells[0.9, 4.0] == pytest.approx(rows[rows["graph"].isin(graphs)]["barrier"].mean())
    none = looked_at(planted(of_graph=1.0, lines=few), "interact")
    (section,) = [each for each in page_of(none).sections if each.title == "Edge homophily and mean degree together"]
    assert section.sentences[0].startswith("No interaction was found in any of 8 tests (18 graphs in 18 clusters")


def test_graphs_of_one_grid_are_on_no_map_of_another() -> None:
    tables = planted(of_graph=1.0, lines=(("linear", "none"),))
    graphs = tables["graphs"]
    wide, low = graphs["graph"], graphs.query("made_mean_degree == 4")["graph"]
    grids = [{"name": "A", "graphs": list(wide)}, {"name": "B", "graphs": list(low)}]
    assert set(looked_at(tables, "interact", grids=grids)["maps"]["grid"]) == {"A"}  # B varies homophily alone
    # A third of the graphs has another number of nodes: a grid of its own, and held on the map of all.
    moved = graphs["graph"].str.endswith(" 2")
    tables["graphs"] = graphs.assign(
        made_num_nodes=np.where(moved, 200, 100), made_mean_degree=graphs["degree_mean"].round()
    )
    grids = [{"name": "A", "graphs": list(wide[~moved])}, {"name": "B", "graphs": list(low)}]
    maps = looked_at(tables, "interact", grids=grids)["maps"]
    assert maps.drop_duplicates(["grid", "y_statistic"])[["grid", "y_statistic"]].to_numpy().tolist() == [
        ["A", "made_mean_degree"], ["B", "made_num_nodes"],
    ]  # fmt: skip
    assert (maps.query("grid == 'A'")["num_graphs"] == 2).all()
    both = looked_at(tables, "interact")["maps"]
    assert set(both.loc[both["y_statistic"] == "made_mean_degree", "held"]) == {"num nodes 100", "num nodes 200"}


def test_statistics_that_predict_together_and_carry_the_same_are_told() -> None:
    generated = planted(of_graph=1.0)
    # What one setting moves does not predict together: there is nothing to share.
    assert "GMC025" not in set(looked_at(generated)["diagnostics"]["code"])
    twins = generated["graphs"].assign(degree_mean=lambda rows: rows["homophily_edge"] ** 3)
    found = looked_at(generated | {"graphs": twins})["diagnostics"].set_index("code")
    assert found.loc["GMC025", "message"] == (
        "generated graphs: edge homophily and mean degree (ρ = 1.00) (18 graphs in 18 clusters)"
    )
    real = generated["graphs"].assign(family="real", regime="real graphs")
    message = looked_at(generated | {"graphs": real})["diagnostics"].set_index("code").loc["GMC025", "message"]
    assert message.startswith("real graphs: ") and "|adjusted homophily| and label informativeness (ρ = " in message


def test_the_statistic_that_the_barrier_follows_is_named_and_shown() -> None:
    tables = planted(of_graph=1.0, lines=(("linear", "none"),))
    rng = np.random.default_rng(3)
    for name in ("homophily_adjusted", "label_informativeness"):
        tables["graphs"][name] = rng.uniform(size=len(tables["graphs"]))
    tables = looked_at(tables, "decompose", "foretell")
    page = page_of(tables)
    (section,) = [each for each in page.sections if each.title == "What in the graph predicts the barrier"]
    assert "predict the train barrier of held-out generated graphs" in section.sentences[0]
    assert section.sentences[1].startswith("Generated graphs, linear path, train split: the prediction leans most ")
    assert all(f"edge homophily for {model} (1." in section.sentences[1] for model in MODELS)
    figures = {view.name: view for view in section.figures}
    assert set(figures) == {"prediction_0", "dependence_0", "dependence_1"}
    curve = figures["dependence_0"].frame.query("model == 'gcn' and statistic == 'homophily_edge'")
    assert curve["predicted"].iloc[-1] > 2 * curve["predicted"].iloc[0]
    assert "leans most" in section.sentences[1]
    unrelated = looked_at(planted(lines=(("linear", "none"),)), "foretell")
    (section,) = [
        each for each in page_of(unrelated).sections if each.title == "What in the graph predicts the barrier"
    ]
    assert "predict no better than the mean barrier" in section.sentences[1]


def test_what_the_theory_says_is_held_against_the_signs() -> None:
    tables = looked_at(planted(of_graph=1.0, lines=(("linear", "none"),)), "decompose")
    signs = tables["signs"].query("model == 'gcn' and split == 'train'").set_index("statement")
    assert signs.loc["homophily", "agrees"] == "no"  # planted: the barrier rises with it
    (section,) = [each for each in page_of(tables).sections if each.title == "Predictions of the theory"]
    line = next(line for line in section.sentences if line.startswith("Homophily"))
    assert line.startswith("Homophily, predicted sign −: does not agree in 8 of 8 combinations of model, path and ")
    assert "Measured by |adjusted homophily|; held: " in line and "mean degree" in line
    frame = section.tables[0].frame
    assert (
        frame.query("statement == 'homophily' and split == 'train'")["gcn"].iloc[0].startswith("does not agree: ρ 0.")
    )


@pytest.fixture(scope="module")
def ran(carried_out: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return carried_out("structure", tmp_path_factory.mktemp("run"), CONFIG)


def test_a_graph_that_stands_in_two_grids_is_made_and_trained_on_once(ran: Any) -> None:
    counts = Counter(cell.stage for task in STUDY.plan(ran[2]).tasks for cell in task.cells)
    # 8 graphs and 8, of which 4 are the same: 12 × 3 models × 2 modes; a pair each: a curve, two lines.
    assert (counts["graph"], counts["modes"], counts["path"], counts["align"]) == (12, 72, 36, 36)
    assert counts["profile"] == 3 * 36
    tables = ran[0]
    assert len(tables["graphs"]) == 12 and set(tables["graphs"]["regime"]) == {"generated graphs"}
    assert set(tables["shares"]["grid"]) == {
        "", "edge homophily × mean degree", "edge homophily × number of classes",
    }  # fmt: skip
    by_grid = tables["shares"].groupby("grid")["num_graphs"].max()
    assert by_grid.to_dict() == {
        "": 12, "edge homophily × mean degree": 8, "edge homophily × number of classes": 8,
    }  # fmt: skip


def test_every_grid_has_a_map_of_its_own(ran: Any) -> None:
    maps = ran[0]["maps"]
    assert maps.groupby("grid")["y_statistic"].unique().map(list).to_dict() == {
        "edge homophily × mean degree": ["made_mean_degree"],
        "edge homophily × number of classes": ["made_num_classes"],
    }
    assert (maps["num_graphs"] == 2).all() and (maps["held"] == "").all()
    assert len(ran[0]["interactions"]) == 2 * 3 * 3 * 2


def test_the_page_shows_every_figure_and_each_can_be_drawn(ran: Any) -> None:
    page = ran[1]
    figures = {view.name: view for section in page.sections for view in section.figures}
    assert set(figures) >= {"shares_0", "map_0", "map_1"}
    for view in figures.values():
        for width in (8.8, 3.7):
            drawing(view.draw)(view.frame, width=width, **view.options)
    assert [section.title for section in page.sections][:3] == [
        "What was asked", "The ends", "What goes with the graph, and what with the architecture",
    ]  # fmt: skip
    assert page.answer[0].startswith("Structure, not architecture? Generated graphs, train split (12 graphs in 12 ")
    lines = {"linear", "weights-aligned linear", "bezier"}
    assert page.at_a_glance is not None and set(page.at_a_glance.frame["path"]) == lines
    table = {view.name: view.frame for section in page.sections for view in section.tables}
    assert list(table["asked"].query("what == 'left out of a second decomposition'")["asked"]) == ["mlp"]
    assert "one pair" in " ".join(table["mixed_model"]["note"])


def test_the_smallest_config_has_a_page(carried_out: Any, tmp_path: Path) -> None:
    small = {"graphs": [{"csbm": CSBM}], "models": [{"name": "gcn", "hidden": 4}], "paths": ["linear"]}
    _, page, _ = carried_out("structure", tmp_path, CONFIG | small)
    assert "cannot be told" in page.answer[0] and "at least 2 are needed" in page.answer[0]
    for view in (view for section in page.sections for view in section.figures):
        drawing(view.draw)(view.frame, width=8.8, **view.options)


def test_ends_that_diverge_leave_a_page_that_says_so(carried_out: Any, tmp_path: Path) -> None:
    config = CONFIG | {"graphs": CONFIG["graphs"][:1], "train": {"epochs": 3, "lr": 1e30, "optimizer": "sgd"}}
    tables, page, _ = carried_out("structure", tmp_path, config)
    assert page.answer == ("No barrier was measured: every end diverged.",)
    assert "GMC012" in set(tables["diagnostics"]["code"])


def test_a_graph_on_which_one_model_diverged_is_dropped_and_counted() -> None:
    tables = planted(of_graph=1.0)
    first = tables["graphs"]["graph"][0]
    lost = (tables["barriers"]["graph"] == first) & (tables["barriers"]["model"] == "sage")
    tables["barriers"].loc[lost, "barrier"] = np.nan
    tables = looked_at(tables, "decompose")
    assert (tables["shares"]["num_graphs"] == 17).all() and (tables["shares"]["dropped_graphs"] == 1).all()
    view = {view.name: view for section in page_of(tables).sections for view in section.tables}["shares"]
    assert (view.frame["dropped"] == 1).all()


@pytest.mark.usefixtures("without_seed_1")
def test_a_graph_that_cannot_be_made_costs_the_others_nothing(tmp_path: Path) -> None:
    tasks = STUDY.plan(validate(STUDY.config, CONFIG | {"graphs": CONFIG["graphs"][:1]})).tasks
    outcome = execute(tasks, Store(tmp_path), runner="serial", progress=Quiet())
    assert {failure.cell.stage for failure in outcome.failed} == {"graph"} and len(outcome.failed) == 4
    done = Counter(cell.stage for cell in outcome.done)
    assert (done["modes"], done["align"], done["path"], done["profile"]) == (4 * 3 * 2, 4 * 3, 4 * 3, 4 * 3 * 3)


def test_models_that_see_no_edges_are_left_out_unless_too_few_are_left() -> None:
    def left_out(models: list[Any], **changes: Any) -> tuple[str, ...]:
        return tuple(validate(STUDY.config, CONFIG | {"models": models} | changes).left_out)

    wide = {"name": "mlp", "hidden": 8}
    assert left_out(["gcn", "gat", "mlp"]) == ("mlp",)
    assert left_out(["gcn", "gat", "mlp", wide]) == ("mlp (hidden=default)", "mlp (hidden=8)")
    assert left_out(["gcn", "gat"]) == left_out(["gcn", "mlp"]) == ()
    assert left_out(["gcn", "gat", "mlp"], without=[]) == ()
    assert left_out(["gcn", "gat", "mlp"], without=["gcn"]) == ("gcn",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"without": ["gin"]},
            r"^config without: unknown model to leave out 'gin': (did you mean .*)?allowed: gcn, mlp, sage$",
        ),
        ({"without": ["mpl"]}, "^config without: unknown model to leave out 'mpl': did you mean 'mlp'"),
        ({"without": ["mlp", "gcn"]}, "config without: leaves 1 of 3 models: at least 2 are needed"),
        ({"maps": [["homophily", "degree"]]}, "unknown setting of a map 'degree': did you mean 'mean_degree'"),
        ({"maps": [["homophily", "homophily"]]}, "homophily with itself is no map"),
        ({"maps": [["homophily", "mean_degree"], ["mean_degree", "homophily"]]}, "the same two settings are listed"),
        ({"maps": [["num_classes", "mean_degree"]]}, "config maps: no entry of graphs varies both num_classes and"),
        ({"paths": ["bezier"]}, "one must be of kind linear"),
        (
            {"graphs": [{"csbm": CSBM | {"homophily": [0.1, 0.1]}}]},
            "config graphs: .* is listed twice: list each",
        ),
        ({"models": []}, "config models: an empty list"),
        ({"alignments": ["wieghts"]}, "unknown matching method 'wieghts': did you mean 'weights'"),
    ],
)
def test_errors_of_a_config_name_the_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        STUDY.plan(validate(STUDY.config, CONFIG | changes))
    assert "\n" not in str(caught.value)
