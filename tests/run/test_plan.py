import functools

import pytest

from gnnmc.errors import InputError
from gnnmc.run import Quiet, execute, make_plan
from gnnmc.store import Cell, Execution, Store, Task

A, B = Cell("numbers", 1, {"seed": 0}), Cell("numbers", 1, {"seed": 1})
EQUAL_TO_A = Cell("numbers", 1, {"seed": 0}, label="another object, the same key")


def test_a_task_given_twice_is_kept_once_and_so_is_a_cell_within_a_task(toy):
    plan = make_plan([Task(toy.numbers, (A, B)), Task(toy.numbers, (EQUAL_TO_A, B, A))])
    assert len(plan.works) == 1
    assert [cell.key for cell in plan.works[0].cells] == [A.key, B.key]


@pytest.mark.parametrize(
    "other",
    [
        ("numbers", Execution(), (A,)),
        ("numbers", Execution(), (B, A)),
        ("fails", Execution(), (A, B)),
        ("numbers", Execution("cuda"), (A, B)),
        ("numbers", Execution("cpu", "loop"), (A, B)),
    ],
)
def test_a_cell_in_two_different_tasks_is_refused(toy, other):
    name, execution, cells = other
    with pytest.raises(InputError, match="two different tasks"):
        make_plan([Task(toy.numbers, (A, B)), Task(getattr(toy, name), cells, execution)])


def test_tasks_without_cells_or_with_several_stages_are_refused(toy):
    with pytest.raises(InputError, match="no cells"):
        make_plan([Task(toy.numbers, ())])
    with pytest.raises(InputError, match=r"several stages \(numbers, other\)"):
        make_plan([Task(toy.numbers, (A, Cell("other", 1)))])


def test_functions_that_another_process_cannot_import_are_refused(toy):
    def local(requests, execution):
        return []

    for function in (toy.not_at_top[0], local, functools.partial(toy.numbers)):
        with pytest.raises(InputError, match="cannot be imported") as error:
            make_plan([Task(function, (A,))])
        assert "\n" not in str(error.value)


def test_a_config_without_a_key_is_refused_in_one_line(toy):
    with pytest.raises(InputError, match="config of a cell of stage 'numbers'"):
        make_plan([Task(toy.numbers, (Cell("numbers", 1, {"x": object()}),))])


def test_an_input_that_nobody_computes_is_refused_unless_it_is_stored(toy, tmp_path):
    mode = Cell("mode", 1, {"seed": 0}, {"graph": Cell("graph", 1, {"n": 5, "seed": 0})})
    plan = make_plan([Task(toy.products, (mode,))])
    assert [str(address) for address in plan.given] == [f"graph/{mode.inputs['graph'].key}"]
    store = Store(tmp_path)
    with pytest.raises(InputError, match="no task computes the input graph/"):
        execute([Task(toy.products, (mode,))], store, runner="serial", progress=Quiet())
    store.save(mode.inputs["graph"], toy.numbers([mode.inputs["graph"]], Execution())[0])
    assert execute([Task(toy.products, (mode,))], store, runner="serial", progress=Quiet()).ok
