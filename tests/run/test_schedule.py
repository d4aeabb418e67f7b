from hypothesis import given
from hypothesis import strategies as st

from gnnmc.run.plan import WorkPlan
from gnnmc.run.schedule import Schedule
from gnnmc.run.work import Work
from gnnmc.store import Cell, Description


def plan_of(graph):
    """A plan whose task n has one cell, made from the cells of the tasks `graph[n]`."""
    cells = {}

    def cell(n):
        if n not in cells:
            cells[n] = Cell("s", 1, {"n": n}, {str(m): cell(m) for m in graph[n]})
        return cells[n]

    works = tuple(Work(n, "m:f", "cpu", (Description.of(cell(n)),)) for n in range(len(graph)))
    return WorkPlan(works, tuple((cells[n],) for n in range(len(graph))), ())


def numbers(works):
    return [work.number for work in works]


@st.composite
def graphs(draw):
    """Task n needs some of the tasks after `shuffle` that come before it in some hidden order."""
    size = draw(st.integers(1, 12))
    order = draw(st.permutations(range(size)))
    needs = {}
    for rank, n in enumerate(order):
        needs[n] = draw(st.sets(st.sampled_from(order[:rank]), max_size=3)) if rank else set()
    return [needs[n] for n in range(size)]


@given(graphs(), st.data())
def test_every_task_ends_once_and_none_before_its_inputs(graph, data):
    bad = data.draw(st.sets(st.sampled_from(range(len(graph)))))
    stored = data.draw(st.sets(st.sampled_from(range(len(graph)))))
    plan = plan_of(graph)
    schedule = Schedule(plan, {plan.cells[n][0].key for n in stored})
    assert {work.number for work in schedule.reused} == stored
    done, failed, blocked, in_hand = set(stored), set(), set(), []
    while schedule.unfinished:
        while (n := schedule.next()) is not None:
            assert graph[n] <= done
            in_hand.append(n)
        assert in_hand
        n = in_hand.pop(data.draw(st.integers(0, len(in_hand) - 1)))
        if n in bad:
            failed.add(n)
            blocked.update(numbers(schedule.fail(n).blocked))
        else:
            done.add(n)
            schedule.finish(n)
    assert not in_hand
    assert sorted([*done, *failed, *blocked]) == list(range(len(graph)))
    for n in blocked:
        assert graph[n] & (failed | blocked)


def test_ready_tasks_come_in_declared_order():
    schedule = Schedule(plan_of([{3}, set(), {3}, set()]), set())
    assert [schedule.next(), schedule.next(), schedule.next()] == [1, 3, None]
    schedule.finish(3)
    assert [schedule.next(), schedule.next(), schedule.next()] == [0, 2, None]


def test_a_failure_blocks_what_follows_from_it_and_nothing_else():
    schedule = Schedule(plan_of([set(), {0}, {1}, set(), {3}]), set())
    assert schedule.next() == 0
    assert numbers(schedule.fail(0).blocked) == [1, 2]
    assert schedule.next() == 3


COLUMNS = 3


def parted_plan_of(graph, whole=frozenset()):
    """A plan whose task n has a cell for each column, made from those of `graph[n]` in its column, and as many parts.

    The tasks in `whole` have no parts.
    """
    cells = {}

    def cell(n, column):
        if (n, column) not in cells:
            inputs = {str(m): cell(m, column) for m in graph[n]}
            cells[n, column] = Cell("s", 1, {"n": n, "column": column}, inputs)
        return cells[n, column]

    rows = [tuple(cell(n, column) for column in range(COLUMNS)) for n in range(len(graph))]
    works = []
    for n, row in enumerate(rows):
        described = tuple(map(Description.of, row))
        parts = () if n in whole else tuple((each,) for each in described)
        works.append(Work(n, "m:f", "cpu", described, parts=parts))
    return WorkPlan(tuple(works), tuple(rows), ())


def places(work):
    """Task and column of each cell."""
    return {(cell.config["n"], cell.config["column"]) for cell in work.cells}


@given(graphs(), st.data())
def test_what_becomes_of_a_cell_is_decided_by_its_own_part_and_what_that_needs(graph, data):
    anywhere = st.sets(st.tuples(st.integers(0, len(graph) - 1), st.integers(0, COLUMNS - 1)), max_size=6)
    bad, stored = data.draw(anywhere, "bad"), data.draw(anywhere, "stored")
    whole = data.draw(st.sets(st.sampled_from(range(len(graph)))), "whole")
    plan = parted_plan_of(graph, whole)
    schedule = Schedule(plan, {plan.cells[n][column].key for n, column in stored})
    fate = {place: "good" for work in schedule.reused for place in places(work)}

    def note(works, what):
        for work in works:
            assert not places(work) & fate.keys()
            fate.update(dict.fromkeys(places(work), what))

    tried, in_hand = [], []
    while schedule.unfinished:
        while (n := schedule.next()) is not None:
            assert all(fate[m, column] == "good" for k, column in places(schedule.works[n]) for m in graph[k])
            tried.append(n)
            in_hand.append(n)
        assert in_hand
        work = schedule.works[in_hand.pop(data.draw(st.integers(0, len(in_hand) - 1)))]
        if places(work) & bad:
            fallout = schedule.fail(work.number)
            if not work.parts:
                note([work], "failed")
            note(fallout.reused, "good")
            note(fallout.blocked, "blocked")
        else:
            schedule.finish(work.number)
            note([work], "good")
    assert len(tried) == len(set(tried))
    assert not in_hand

    def expected(n, column):
        part = [(n, each) for each in range(COLUMNS)] if n in whole else [(n, column)]
        if set(part) <= stored:
            return "good"
        if any(expected(m, each) != "good" for _, each in part for m in graph[n]):
            return "blocked"
        return "failed" if set(part) & bad else "good"

    assert fate == {(n, c): expected(n, c) for n in range(len(graph)) for c in range(COLUMNS)}


def test_a_task_that_fails_goes_on_part_by_part_in_its_place():
    schedule = Schedule(parted_plan_of([set(), set()]), set())
    assert schedule.next() == 0
    fallout = schedule.fail(0)
    assert (numbers(fallout.divided), fallout.reused, fallout.blocked) == ([0], [], [])
    assert [schedule.next() for _ in range(5)] == [2, 3, 4, 1, None]
    assert [places(schedule.works[n]) for n in (2, 3, 4)] == [{(0, 0)}, {(0, 1)}, {(0, 2)}]
    assert schedule.fail(3).divided == []
    assert schedule.unfinished == 3


def test_what_waits_for_a_divided_task_stays_whole_until_a_part_that_it_needs_is_lost():
    schedule = Schedule(parted_plan_of([set(), {0}]), set())
    assert numbers(schedule.fail(schedule.next()).divided) == [0]
    first, second, third = (schedule.next() for _ in range(3))
    schedule.finish(first)
    schedule.finish(third)
    assert schedule.next() is None  # the whole waits for the second part
    fallout = schedule.fail(second)
    assert numbers(fallout.divided) == [1]
    assert [places(work) for work in fallout.blocked] == [{(1, 1)}]
    assert [places(schedule.works[schedule.next()]) for _ in range(2)] == [{(1, 0)}, {(1, 2)}]


def test_a_part_whose_cells_are_stored_is_finished_when_the_whole_fails():
    plan = parted_plan_of([set(), {0}])
    schedule = Schedule(plan, {plan.cells[0][1].key})
    assert schedule.reused == []
    fallout = schedule.fail(schedule.next())
    assert [places(work) for work in fallout.reused] == [{(0, 1)}]
    assert schedule.unfinished == 3
