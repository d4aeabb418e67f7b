"""Names of graphs, regimes, models and paths."""

from gnnmc.config import CsbmBlock, ModelBlock, PathBlock, RealBlock
from gnnmc.studies.sources import data_rows
from gnnmc.studies.words import distinct_names


def test_masks_alone_do_not_make_a_new_cluster() -> None:
    blocks = [CsbmBlock(homophily=h, train_per_class=t, seed=s) for h in (0.1, 0.2) for t in (20, 100) for s in (0, 1)]
    rows = data_rows(blocks, "homophily")
    assert len({row["graph"] for row in rows}) == 8
    assert len({row["cluster"] for row in rows}) == 4
    assert {row["regime"] for row in rows} == {"train_per_class=20", "train_per_class=100"}


def test_a_sweep_over_homophily_alone_is_one_regime_with_a_cluster_per_graph() -> None:
    rows = data_rows([CsbmBlock(homophily=h, seed=s) for h in (0.21, 0.24) for s in (0, 1)], "homophily")
    assert {row["regime"] for row in rows} == {"csbm"}
    assert len({row["cluster"] for row in rows}) == 4
    assert {row["homophily_asked"] for row in rows} == {0.21, 0.24}


def test_twins_of_one_real_graph_are_one_cluster() -> None:
    rows = data_rows(
        [
            RealBlock(name="wikipedia-chameleon"),
            RealBlock(name="filtered-chameleon"),
            RealBlock(name="Cora", fold=1),
            RealBlock(name="citationfull-cora-ml"),
        ],
        "homophily",
    )
    assert [row["cluster"] for row in rows] == ["chameleon", "chameleon", "cora", "cora"]
    assert rows[2]["graph"] == "Cora (fold=1)"


def test_equal_heads_are_told_apart_by_what_differs() -> None:
    models = [ModelBlock(name="gcn"), ModelBlock(name="gcn", hidden=128), ModelBlock(name="mlp")]
    assert distinct_names(models, "name", "models") == ["gcn (hidden=default)", "gcn (hidden=128)", "mlp"]
    assert distinct_names([PathBlock(), PathBlock(kind="bezier")], "kind", "paths") == ["linear", "bezier"]
