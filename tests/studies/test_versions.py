"""Stages that run the code of others: whoever raises the version of one is told of those that rest on its code."""

import json
from dataclasses import asdict

import pytest

from gnnmc.studies.generalization import rank
from gnnmc.studies.observations import observe
from gnnmc.studies.stages import across, adapt, bridge, connect, modes
from gnnmc.training.adaptation import OBJECTIVES

# What a stage runs of others is no input of it, so that their versions are in no key of its own.
KNOWN = {
    "across": (across.ACROSS_VERSION, {"profile": connect.PROFILE_VERSION}, (1, {"profile": 4})),
    "bridge": (
        bridge.VERSION,
        {"path": connect.PATH_VERSION, "profile": connect.PROFILE_VERSION},
        (1, {"path": 6, "profile": 4}),
    ),
    "adapt": (adapt.VERSION, {"modes": modes.VERSION}, (1, {"modes": 6})),
    "observe": (observe.VERSION, {"rank": rank.VERSION}, (1, {"rank": 1})),
}
# The numbers of objectives where a config gives none: in no key either.
NUMBERS = {
    "coral": {"weight": 1.0},
    "mmd": {"weight": 1.0, "most": 1000},
    "dann": {"weight": 1.0, "sharpness": 10.0, "hidden": 100},
    "udagcn": {
        "adversarial": 1.0,
        "strength": 0.05,
        "entropy": 0.01,
        "global_view": 1.0,
        "hidden": 40,
        "dropout": 0.1,
        "walks": 40,
        "length": 10,
        "neighbors": 10,
    },
    "specreg": {
        "smooth": 0.01,
        "smooth_above": 0.01,
        "response": 0.01,
        "response_above": 0.75,
        "frequencies": 100,
        "adversarial": 0.1,
        "sharpness": 10.0,
        "hidden": 100,
        "entropy": 0.01,
    },
}


@pytest.mark.parametrize("stage", KNOWN)
def test_versions_are_raised_together(stage: str) -> None:
    own, others, committed = KNOWN[stage]
    assert (own, others) == committed, (
        f"stage {stage} runs the code of {', '.join(others)}: raise its version with theirs, and note both here"
    )


def test_defaults_of_objectives_are_the_committed_ones() -> None:
    found = {name: asdict(OBJECTIVES[name].Settings()) for name in OBJECTIVES}
    assert json.loads(json.dumps(found)) == NUMBERS, (
        "a changed default of an objective changes results under an old key: raise the version of stage adapt, then "
        f"update NUMBERS: {json.dumps(found)}"
    )
