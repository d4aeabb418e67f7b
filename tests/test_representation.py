"""What a notebook shows of a result is a line that says what it is, not its tensors."""

import pytest

import gnnmc


@pytest.fixture(scope="module")
def shown(toy_graph_factory) -> dict[str, str]:
    problem = gnnmc.Problem.node_classification(toy_graph_factory())
    model = gnnmc.build_model("gcn", problem, hidden=8)
    a, b = gnnmc.train(model, problem, [0, 1], epochs=2)
    curve = gnnmc.fit_path(model, problem, a, b, steps=2)
    things = {
        "problem": problem,
        "mode": a,
        "path": curve,
        "profile": gnnmc.profile(model, problem, curve, points=3),
        "plane": gnnmc.plane(model, problem, a, b, curve, points=3),
        "images": gnnmc.load_images("digits"),
    }
    return {name: repr(thing) for name, thing in things.items()}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("problem", ["90 items", "(8,)", "3 outputs", "train 30", "accuracy"]),
        ("mode", ["seed 0", "last", "99 numbers", "ok", "train loss", "accuracy", "test loss"]),
        ("path", ["3 control points"]),
        ("profile", ["bezier", "3 points", "train 0", "test 0"]),
        ("plane", ["3 × 3 points", "train, val, test"]),
        ("images", ["digits", "1797", "(1, 8, 8)", "train"]),
    ],
)
def test_it_is_one_line_that_says_what_it_is(shown: dict[str, str], name: str, parts: list[str]) -> None:
    assert len(shown[name]) < 200
    assert "\n" not in shown[name] and "tensor(" not in shown[name]
    for part in parts:
        assert part in shown[name]


def test_a_mode_without_measurements_is_shown_too() -> None:
    assert repr(gnnmc.Mode(last={}, best={}, seed=3)) == "Mode(seed 3, last, 0 numbers, ok)"
