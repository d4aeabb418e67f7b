"""How a run is made again, as its report tells it: the config in short is the same config, and no seed is left out."""

from typing import Any

import pytest
import yaml

from gnnmc.config import validate
from gnnmc.report.config import config_in_short, flat, seeds_in_words
from gnnmc.studies import STUDIES

HOMOPHILY = {
    "graphs": [{"csbm": {"homophily": [0.1, 0.9], "seed": [0, 7], "train_per_class": None, "train_fraction": 0.5}}],
    "models": ["gcn", {"name": "gat", "heads": 2}],
    "seeds": [3, 5],
    "paths": ["linear", {"kind": "bezier", "seed": 11, "l2": 0.001}],
}
ARCHITECTURES = {
    "problems": [{"data": {"images": {"name": "digits", "split_seed": 4}}, "models": ["mlp"], "train": {"epochs": 2}}]
}


@pytest.mark.parametrize(("study", "raw"), [("homophily_barrier", HOMOPHILY), ("architectures", ARCHITECTURES)])
def test_the_config_in_short_is_the_same_config(study: str, raw: dict[str, Any]) -> None:
    config = validate(STUDIES[study].config, raw)
    short = config_in_short(config)
    assert validate(STUDIES[study].config, yaml.safe_load(short)) == config
    assert len(short) < 0.7 * len(yaml.safe_dump(config.model_dump(mode="json")))


def test_what_is_not_a_default_is_kept_although_it_is_none() -> None:
    # train_per_class is 20 where it is left out.
    assert "train_per_class: null" in config_in_short(validate(STUDIES["homophily_barrier"].config, HOMOPHILY))


def test_every_seed_is_told() -> None:
    said = seeds_in_words(validate(STUDIES["homophily_barrier"].config, HOMOPHILY))
    for line in ("seeds: 3, 5", "graphs.csbm.seed: 0, 7", "paths.seed: 0, 11"):
        assert line in said.splitlines()
    assert "problems.data.images.split_seed: 4" in seeds_in_words(
        validate(STUDIES["architectures"].config, ARCHITECTURES)
    )


def test_a_config_is_flat_by_its_dotted_names() -> None:
    assert flat({"a": {"b": [1, 2]}, "c": [{"d": None}]}) == {"a.b": "[1, 2]", "c.0.d": "None"}
