"""The observations of the paper: what is claimed of a run, from planted tables and from real ones."""

import os

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import judge_claims
from gnnmc.config import ModelBlock, RealBlock, TrainBlock, validate
from gnnmc.errors import InputError
from gnnmc.studies import STUDIES
from gnnmc.studies.observations import Observations, make_plan
from gnnmc.studies.observations.claims import claims_table
from gnnmc.studies.observations.likeness import curve_distances
from gnnmc.studies.observations.published import as_published, recipe_of, stated_of, training_of
from gnnmc.studies.observations.stated import against_stated, below_stated

needs_files = pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA is not set: no raw files")
GCN = ModelBlock(name="gcn")


def small(**more):
    return {
        "recipes": False,
        "graphs": [{"domain": "web", "real": {"name": ["webkb-texas", "webkb-cornell"]}}],
        "models": [{"name": name, "hidden": 4} for name in ("gcn", "sage", "mlp")],
        "train": {"epochs": 3},
        "seeds": [0, 1],
        "paths": ["linear", {"kind": "bezier", "steps": 3, "pairs": 1}],
        "profile": {"points": 5},
        **more,
    }


def planted(mlp_factor=5.0, aligned_factor=0.1, homophily=(0.1, 0.3, 0.5, 0.7, 0.9), hump=True):
    """Barriers of 12 real graphs and of generated ones: the MLP's are higher, curves remove nearly all."""
    noise = np.random.default_rng(0)
    rows = []
    for number in range(12):
        graph = {"graph": f"graph {number}", "cluster": f"graph {number}", "family": "real", "regime": "real graphs"}
        base = 0.2 * np.exp(0.3 * noise.normal())
        for model, factor in (("gcn", 1.0), ("sage", 1.1), ("gat", 0.9), ("mlp", mlp_factor)):
            height = base * factor * np.exp(0.05 * noise.normal())
            rows.append(graph | {"model": model, "path": "linear", "aligned": "none", "barrier": height})
            rows.append(graph | {"model": model, "path": "linear", "aligned": "weights", "barrier": 0.1 * base})
            rows.append(graph | {"model": model, "path": "bezier", "aligned": "none", "barrier": 0.02 * height})
    for h in homophily:
        for degree in (5, 20):
            for seed in range(4):
                name = f"csbm {h} {degree} {seed}"
                height = (0.5 - (h - 0.5) ** 2 if hump else h) / degree * np.exp(0.02 * noise.normal())
                about = {"homophily_edge": h, "homophily_adjusted": h, "homophily_adjusted_abs": h, "num_nodes": 500}
                about |= {"made_mean_degree": degree, "density": degree / 500, "gap_modulus": h / 10, "num_classes": 5}
                about |= {"made_separation": 1.0, "degree_min": 1, "made_train_per_class": 20, "homophily_asked": h}
                for aligned, factor in (("none", 1.0), ("weights", aligned_factor)):
                    rows.append(
                        {"graph": name, "cluster": name, "family": "csbm", "regime": f"mean_degree={degree}"}
                        | {"model": "gcn", "path": "linear", "aligned": aligned, "barrier": height * factor}
                        | about
                    )
    return pd.DataFrame(rows).assign(split="train", metric="loss", barrier_kind="chord")


def verdicts(table, aligned="none"):
    found = claims_table(table, ("none", "weights"), {})["observations"]
    return found[found["aligned"] == aligned].set_index("claim")["verdict"].to_dict()


def test_planted_observations_are_found():
    found = verdicts(planted())
    assert (found["O1"], found["O3"]) == ("agrees", "agrees")
    # Nothing but degree was varied besides homophily: separability cannot be told, so the whole claim cannot.
    assert found["O4"] == "cannot be told"
    assert all(found[name] == "cannot be told" for name in ("O2", "O5", "O6"))


def test_of_aligned_lines_the_aligned_rows_are_judged():
    found = verdicts(planted(), "weights")
    # After alignment all the planted models are equal, and nothing else is judged of aligned lines.
    assert found == {"O3": "cannot be told", "O4": "cannot be told"}


def test_an_mlp_like_the_others_contradicts():
    assert verdicts(planted(mlp_factor=1.0))["O3"] != "agrees"


def test_signs_and_bends_of_generated_graphs():
    found = claims_table(planted(), ("none", "weights"), {})
    signs = found["csbm_predictions"].query("aligned == 'none'").set_index("statement")
    assert signs.loc["density", "agrees"] == "yes"
    bends = found["csbm_shape"].query("aligned == 'none'")
    assert len(bends) == 2
    assert (bends["bend"] < 0).all()
    turned = claims_table(planted(hump=False), ("none",), {})["csbm_shape"]
    assert not turned["turns"].any()


def lines_of(graphs, **lost):
    """Profiles of one line on each graph; lost: the loss half way, of a graph on its train split."""
    rows = [
        {"graph": graph, "model": "gcn", "path": "linear", "aligned": "none", "a": 0, "b": 1, "split": split, "t": t}
        | {"loss": lost.get(graph, 1.0) if (split, t) == ("train", 0.5) else (1 + place) * t * (1 - t)}
        for place, graph in enumerate(graphs)
        for split in ("train", "test")
        for t in np.linspace(0, 1, 5)
    ]
    return {"profiles": pd.DataFrame(rows), "graphs": pd.DataFrame({"graph": graphs, "cluster": graphs})}


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_curve_that_is_not_finite_costs_the_others_nothing(value):
    graphs = ["a", "b", "c"]
    domains = {"a": "x", "b": "x", "c": "y"}
    table, _ = curve_distances(lines_of(graphs, c=value), domains)
    keys = ["graph_a", "graph_b", "split", "form"]
    size = table[table["form"] == "size"].set_index(keys[:3])["distance"]
    assert len(table) == 3 * 2 * 3 and not table.duplicated(keys).any()
    assert size[size.isna()].index.tolist() == [("a", "c", "train"), ("b", "c", "train")]
    notes = table[table["distance"].isna() & (table["form"] == "size")]["note"]
    assert notes.str.contains("finite").all()
    known = {"curve_distances": table[(table["split"] == "train") & (table["form"] == "size")]}
    assert judge_claims(known, ["O2"]).iloc[0]["verdict"] == "cannot be told"


def endpoints(values, metric="accuracy"):
    rows = [
        {"graph": "g", "model": "gcn", "seed": seed, "endpoint": endpoint, "split": split, metric: value - lost}
        for seed, value in enumerate(values)
        for endpoint, lost in (("last", 0.1), ("best_val", 0.0))
        for split, lost in (("test", lost), ("train", -0.3))
    ]
    return pd.DataFrame(rows)


def test_ends_more_than_two_points_below_are_flagged():
    stated = [{"graph": "g", "model": "gcn", "metric": "accuracy", "endpoint": "best_val", "stated": 0.8}]
    near = against_stated(endpoints([0.79, 0.78, 0.80]), stated)
    assert near.loc[0, "reached"] == pytest.approx(0.79)
    assert not near.loc[0, "short"]
    assert below_stated(near, "trained somehow") == []
    short = against_stated(endpoints([0.76, 0.78, 0.77]), stated)
    assert short.loc[0, "points"] == pytest.approx(-3.0)
    (fired,) = below_stated(short, "trained somehow")
    assert (fired.code, fired.message) == ("GMC026", "trained somehow: g gcn 0.770 for 0.800")


def test_ends_without_the_metric_are_no_pass():
    stated = [{"graph": "g", "model": "gcn", "metric": "roc_auc", "endpoint": "best_val", "stated": 0.8}]
    table = against_stated(endpoints([0.9]), stated)
    assert table.loc[0, "modes"] == 0
    assert np.isnan(table.loc[0, "reached"])


def test_a_recipe_gives_settings_training_features_and_split():
    block = as_published(RealBlock(name="amazon-photo"), [GCN, ModelBlock(name="mlp")])
    assert (block.features, block.train_fraction, block.val, block.test) == ("row", 0.6, 0.2, 0.2)
    model, train = training_of(GCN, block, TrainBlock())
    assert model.recipe == "gcn/Photo"
    assert (train.epochs, train.lr, train.weight_decay) == (1000, 1e-3, 5e-5)
    assert stated_of(GCN, "gcn", block, "photo").stated == 0.96
    assert stated_of(ModelBlock(name="sage"), "sage", block, "photo") is None
    assert recipe_of(GCN, RealBlock(name="webkb-texas")) is None
    with pytest.raises(InputError, match="no published recipe of model 'gcn' for 'webkb-texas': there are some for"):
        as_published(RealBlock(name="webkb-texas"), [GCN])
    with pytest.raises(InputError, match="there is none for model 'appnp'"):
        as_published(RealBlock(name="amazon-photo"), [ModelBlock(name="appnp")])


@needs_files
def test_graphs_without_raw_files_are_left_out_and_named(monkeypatch, tmp_path):
    graphs = [{"domain": "web", "real": {"name": ["webkb-texas", "webkb-cornell", "wikics"]}}]
    plan = make_plan(validate(Observations, small(graphs=graphs)))
    observed = plan.tasks[-1].cells[0]
    assert [each["graph"] for each in observed.config["absent"]] == ["wikics"]
    assert set(observed.config["domains"]) == {"webkb-texas", "webkb-cornell"}
    with pytest.raises(InputError, match="none of the graphs is to be had: data set 'wikics'"):
        make_plan(validate(Observations, small(graphs=[{"domain": "web", "real": {"name": "wikics"}}])))


@needs_files
def test_the_published_endpoints_are_planned_by_model():
    config = {"graphs": [{"domain": "citation", "real": {"name": "Cora"}}], "models": ["gcn", "gat"], "seeds": [0, 1]}
    plan = make_plan(validate(Observations, config))
    modes = {task.cells[0].config["model"]["name"]: task.cells[0] for task in plan.tasks if task.stage == "modes"}
    assert modes["gcn"].config["train"]["epochs"] == modes["gat"].config["train"]["epochs"] == 500
    assert modes["gat"].config["model"]["recipe"] == "gat/Cora"
    (graph,) = {cell.inputs["graph"].key for cell in modes.values()}
    stated = plan.tasks[-1].cells[0].config["stated"]
    assert [(each["model"], each["stated"]) for each in stated] == [("gcn", 0.85)]
    assert graph


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graphs": [{"domain": "web", "csbm": {}}]}, "observed graphs are real"),
        ({"graphs": [{"real": {"name": "Cora"}}]}, "domain"),
        ({"alignments": []}, "alignments"),
        ({"models": ["gcm"]}, "unknown model 'gcm'"),
    ],
)
def test_bad_configs_are_told(change, message):
    with pytest.raises(InputError, match=message):
        validate(Observations, small(**change))


@needs_files
def test_a_small_run_has_a_page(carried_out, tmp_path):
    grid = {"num_nodes": 80, "num_features": 8, "homophily": [0.1, 0.5, 0.9], "seed": [0, 1], "train_per_class": 4}
    csbm = {"csbm": [{"csbm": grid}], "csbm_models": [{"name": "gcn", "hidden": 4}]}
    tables, page, _ = carried_out("observations", tmp_path, small(**csbm))
    claims = tables["observations"]
    assert claims.loc[claims["aligned"] == "none", "claim"].tolist() == ["O1", "O2", "O3", "O4", "O5", "O6"]
    assert page.at_a_glance is not None
    assert len(page.at_a_glance.frame) == len(claims)
    # Two graphs of one domain, three models, three splits, three forms.
    assert len(tables["curve_distances"]) == 3 * 3 * 3
    titles = [section.title for section in page.sections]
    assert [title for title in titles if title[0] == "O" and title[1].isdigit()] == [
        "O1 and O3: lines, curves and architectures",
        "O2: graphs of one domain",
        "O4: generated graphs",
        "O5: what follows the generalization gap",
    ]
    assert {"GMC001"} <= set(tables["diagnostics"]["code"])


def test_it_is_a_study():
    assert STUDIES["observations"].config is Observations


WEB = {name: {"real": {"name": f"webkb-{name}"}} for name in ("texas", "cornell")}


@needs_files
@pytest.mark.parametrize(
    ("transfers", "message"),
    [
        (
            [{"name": "a", "domains": {"webkb-texas": WEB["cornell"], "other": WEB["texas"]}}],
            "config transfers: domain 'webkb-texas' is another graph than the one of the run",
        ),
        (
            [{"name": "a", "domains": {f"webkb-{name}": each for name, each in WEB.items()}, "train": {"epochs": 4}}],
            "config transfers: model 'gcn' on 'webkb-texas' has other settings or another training in the run",
        ),
        (
            [{"name": "a", "domains": WEB}, {"name": "a", "domains": {"x": WEB["texas"], "y": WEB["cornell"]}}],
            "config transfers: group 'a' is listed twice: give each a name of its own",
        ),
        (
            [{"name": "a", "domains": WEB}, {"name": "b", "domains": WEB}],
            "config transfers: domain 'texas' is listed twice: give each a name of its own",
        ),
        (
            [{"name": "a", "domains": {"x": WEB["texas"], "y": {"csbm": {"num_classes": 5, "num_features": 3}}}}],
            "config transfers: a: 'x' has 1703 features and 'y' 3",
        ),
    ],
)
def test_domains_that_are_not_what_they_are_called_are_told(transfers, message):
    with pytest.raises(InputError) as found:
        make_plan(validate(Observations, small(transfers=transfers, transfer_models=[{"name": "gcn", "hidden": 4}])))
    assert str(found.value).startswith(message) and "got" not in str(found.value)


@needs_files
def test_a_domain_may_be_a_graph_of_the_run(carried_out, tmp_path):
    """By its name, with the modes that the run has of it, or by another name with modes of its own."""
    own = {f"webkb-{name}": each for name, each in WEB.items()}
    groups = [{"name": "a", "domains": own}, {"name": "b", "domains": WEB, "train": {"epochs": 4}}]
    few = {"transfer_models": [{"name": "gcn", "hidden": 4}], "methods": ["coral"], "paths": ["linear"]}
    plan = make_plan(validate(Observations, small(transfers=groups, **few)))
    modes = [cell for task in plan.tasks for cell in task.cells if cell.stage == "modes"]
    # Three models on two graphs, and one of them once more for each.
    assert len(modes) == 2 * (3 * 2 + 2) == len({cell.key for cell in modes})
    tables, page, _ = carried_out("observations", tmp_path, small(transfers=groups, **few))
    assert len(tables["transfer"]) == 2 * 2 * 2 and tables["transfer"]["gap"].notna().all()
    assert page.sections


@needs_files
def test_domains_without_raw_files_are_left_out_with_their_pairs():
    gone = {"real": {"name": "wikics"}}
    groups = [
        {"name": "most", "domains": WEB | {"gone": gone}, "pairs": [["texas", "cornell"], ["gone", "texas"]]},
        {"name": "few", "domains": {"lost": gone, "x": WEB["cornell"]}},
    ]
    plan = make_plan(validate(Observations, small(transfers=groups)))
    absent = plan.tasks[-1].cells[0].config["absent"]
    assert [(each["graph"], each["domain"]) for each in absent] == [
        ("gone", "domain of transfer, group 'most'"),
        ("lost", "domain of transfer, group 'few'"),
    ]
    assert "no pair of group 'few' is left" in absent[1]["why"] and "no pair" not in absent[0]["why"]
    (gathered,) = [cell for task in plan.tasks for cell in task.cells if cell.stage == "transfers"]
    assert {each["pair"] for each in gathered.config["pairs"]} == {"texas → cornell"}
    none = make_plan(validate(Observations, small(transfers=groups[1:])))
    assert "transfers" not in {cell.stage for task in none.tasks for cell in task.cells}
