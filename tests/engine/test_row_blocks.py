"""Some rows after others: found where every operation acts row by row, and the same numbers as all rows at once."""

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.engine.tracing import Along, Route, record, rewritten, route

ROWS = 37


def two_weights(names):
    generator = torch.Generator().manual_seed(0)
    shapes = {"a": (6, 20), "b": (20,), "c": (20, 3), "d": (20, 20), "e": (3,)}
    return [{n: torch.randn(shapes[n], generator=generator, dtype=torch.float64) for n in names} for _ in range(2)]


X = torch.randn(ROWS, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
MASK = torch.arange(ROWS, dtype=torch.float64)[:, None]

FORWARDS = {
    "two layers": ("abc", lambda w: torch.relu(X @ w["a"] + w["b"]) @ w["c"], True),
    "with a bias": ("abce", lambda w: torch.addmm(w["e"], torch.tanh(X @ w["a"]) * 2 + w["b"], w["c"]), True),
    "three layers": ("acd", lambda w: torch.relu(torch.relu(X @ w["a"]) @ w["d"]) @ w["c"], True),
    "features first": ("abc", lambda w: torch.relu(X @ w["a"]).sigmoid() @ w["c"] + 1, True),
    "a constant of rows": ("abc", lambda w: (torch.relu(X @ w["a"]) * MASK) @ w["c"], False),
    "over the rows": ("abc", lambda w: torch.relu(X @ w["a"]).softmax(0) @ w["c"], False),
    "rows on both sides": ("ac", lambda w: torch.relu(X @ w["a"]).exp() @ torch.relu(X @ w["a"]).t() @ X[:, :3], False),
}


@pytest.mark.parametrize("least", [1, 8, 1000])
@pytest.mark.parametrize("name", list(FORWARDS))
def test_the_same_numbers(name, least, monkeypatch):
    names, forward, is_by_rows = FORWARDS[name]
    monkeypatch.setattr(route, "LEAST_ROWS", least)
    monkeypatch.setattr(route, "ROW_BYTES", 8 * 20 * 4 * 10)  # ten rows of a point
    a, b = two_weights(names)
    trace = rewritten(record(forward, a, names))
    path = Along(Route(trace), [a, b])
    assert (path._by_rows is not None) is is_by_rows
    shares = torch.linspace(0, 1, 7, dtype=torch.float64)
    found = path.outputs(torch.stack([1 - shares, shares], 1)).at(0)
    for share, mine in zip(shares.tolist(), found, strict=True):
        weights = {n: (1 - share) * a[n] + share * b[n] for n in names}
        torch.testing.assert_close(mine, forward(weights), rtol=1e-10, atol=1e-10)


def test_parts_are_of_all_points_or_fewer_at_once(toy_problem, monkeypatch):
    model = gnnmc.build_model("gcn", toy_problem)
    modes = gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=3, device="cpu")
    path = gnnmc.LinearPath(*modes)
    expected = gnnmc.profile(model, toy_problem, path, engine="loop", device="cpu").values
    monkeypatch.setattr(route, "ROW_BYTES", 4 * 64 * 128 * 5)  # five points of 128 rows
    sizes = []
    plain = Along._some_rows_after_others
    monkeypatch.setattr(
        Along, "_some_rows_after_others", lambda self, how, c: sizes.append(len(c)) or plain(self, how, c)
    )
    found = gnnmc.profile(nn.Sequential(model)[0], toy_problem, path, device="cpu").values
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), rtol=1e-5, atol=1e-6)
    assert max(sizes) == 5
