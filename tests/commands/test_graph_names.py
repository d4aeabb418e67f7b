"""Graphs as the command line names them."""

import pytest

from gnnmc.commands.graphs import named_graph
from gnnmc.errors import InputError

SMALL = "csbm:num_nodes=60,num_classes=3,num_features=6,train_per_class=2"


def test_lists_are_values_too() -> None:
    data = named_graph(f"{SMALL},class_proportions=[.5,.3,.2],homophily=0.3,noise_by_class=[1, 2, .5]", None)
    assert data.csbm["class_sizes"] == [30, 18, 12]
    assert data.csbm["noise_by_class"] == [1.0, 2.0, 0.5]
    nested = named_graph(f"{SMALL},compatibility=[[2,1,1],[1,2,1],[1,1,2]],seed=1", None)
    assert nested.csbm["homophily"] == pytest.approx(0.5)
    assert nested.csbm["seed"] == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("csbm:homophily", r"^graph csbm: 'homophily': expected key=value, such as homophily=0\.3$"),
        ("csbm:seed=1,", r"^graph csbm: '': expected key=value"),
        ("csbm:class_proportions=[.5,.3", r"^graph csbm: .* is not a YAML value"),
        ("csbm:seed=[1,2]", r"seed: Input should be a valid integer"),
    ],
)
def test_an_error_names_what_the_user_wrote(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        named_graph(name, None)
    assert "--set" not in str(caught.value)
