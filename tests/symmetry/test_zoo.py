"""Models as users write them: the groups that were found by thinking are those that are read."""

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.symmetry import find as finding
from gnnmc.symmetry import find_symmetry
from gnnmc.symmetry.find import read
from tests.symmetry.notation import expected, told
from tests.symmetry.zoo import CASES, problem_of


def model_of(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CASES[name][0]()


@pytest.mark.parametrize("name", CASES)
def test_the_groups_are_those_found_by_thinking(name):
    _, groups, of = CASES[name]
    assert told(find_symmetry(model_of(name), problem_of(of))) == expected(groups)


@pytest.mark.parametrize("name", CASES)
def test_reading_alone_is_right(name, monkeypatch):
    """The check by numbers is for what nobody thought of: here it has nothing to put right."""
    monkeypatch.setattr(finding, "verified", lambda symmetry, *given, **named: symmetry)
    _, groups, of = CASES[name]
    assert told(find_symmetry(model_of(name), problem_of(of))) == expected(groups)


@pytest.mark.parametrize("name", CASES)
def test_the_model_and_its_weights_are_left_as_they_were(name):
    model = model_of(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    find_symmetry(model, problem_of(CASES[name][2]))
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["Relu", "OneByOne", "LayerNormedLinears", "Foreign"])
def test_reading_repeats(name):
    function = ModelFunction(model_of(name), problem_of(CASES[name][2]))
    first, again = read(function).symmetry, read(function).symmetry
    assert first.frame().equals(again.frame())
    assert first.groups_frame().equals(again.groups_frame())


def test_what_was_not_foreseen_is_named_with_the_operation():
    frame = find_symmetry(model_of("Foreign"), problem_of("nodes")).frame()
    stopped = frame[frame.status == "not understood"]
    assert set(zip(stopped.tensor, stopped.axis, strict=True)) == {("f.weight", 0), ("f.bias", 0), ("b.weight", 1)}
    assert stopped.reason.str.endswith("is not understood").all()
    assert stopped.reason[stopped.tensor == "f.weight"].str.contains("fft").all()


def test_what_no_output_depends_on_is_told():
    frame = find_symmetry(model_of("Unused"), problem_of("nodes")).frame()
    rows = frame[frame.tensor.str.startswith("spare")]
    assert list(rows.reason.unique()) == ["no output depends on it"]
    assert len(rows) == 3
