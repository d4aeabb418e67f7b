"""Every kind of fitted path, with the ends' weight decay on the curve and without (science 1.6)."""

import pytest
import torch

from gnnmc.connectivity import PATHS, LinearPath, fit_path
from gnnmc.models import build_model
from gnnmc.training import train
from gnnmc.weights import distance

FITTED = [kind for kind in PATHS if PATHS[kind].most is None]


@pytest.mark.parametrize("points", [3, 4])
@pytest.mark.parametrize("kind", FITTED)
def test_every_kind_is_fitted_with_the_ends_own_decay_and_without(toy_problem, kind, points):
    model = build_model("gcn", toy_problem, hidden=8)
    a, b = train(model, toy_problem, seeds=[0, 1], epochs=5, weight_decay=0.3, device="cpu")
    own, none, said = (
        fit_path(model, toy_problem, a, b, kind=kind, points=points, steps=60, device="cpu", l2=l2)
        for l2 in (None, 0, 0.3)
    )
    assert (own.record["l2"], none.record["l2"]) == (0.3, 0.0)
    names = [name for name, _ in model.named_parameters()]
    zero = {name: torch.zeros_like(value) for name, value in a.last.items()}
    for j in range(1, points - 1):
        start = LinearPath(a, b).point(j / (points - 1))
        found, free, same = (path.control_points[j] for path in (own, none, said))
        assert distance(found, same) == 0
        assert distance(free, start, names) > 0
        assert distance(found, zero, names) < distance(free, zero, names)
