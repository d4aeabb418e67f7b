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
    assert set(schedule.reused) == stored
    done, failed, blocked, in_hand = set(stored), set(), set(), []
    while schedule.unfinished:
        while (n := schedule.next()) is not None:
            assert graph[n] <= done
            in_hand.append(n)
        assert in_hand
        n = in_hand.pop(data.draw(st.integers(0, len(in_hand) - 1)))
        if n in bad:
            failed.add(n)
            blocked.update(schedule.fail(n))
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
    assert schedule.fail(0) == [1, 2]
    assert schedule.next() == 3
