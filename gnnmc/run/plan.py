"""What a list of tasks asks for, checked before anything runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnnmc.errors import InputError
from gnnmc.run.work import Work, locate
from gnnmc.store.address import Address, Description
from gnnmc.store.cell import Cell, Task


@dataclass(frozen=True)
class WorkPlan:
    """The distinct tasks in declared order, each with its cells, and the inputs that no task computes."""

    works: tuple[Work, ...]
    cells: tuple[tuple[Cell, ...], ...]
    given: tuple[Address, ...]

    def stages(self) -> list[str]:
        """The stages, in order of first appearance."""
        return list(dict.fromkeys(work.stage for work in self.works))


def make_plan(tasks: Sequence[Task], *, deterministic: bool = False) -> WorkPlan:
    """Check and number the tasks; a task given twice is kept once.

    Raises InputError for a task without cells or with cells of several stages, parts that are not made of its cells, a
    function that another process cannot import, a config that is not JSON, and a cell that two different tasks would
    compute (which of them came first would decide its bytes).
    """
    works: list[Work] = []
    cells: list[tuple[Cell, ...]] = []
    owner: dict[str, Work] = {}
    for task in tasks:
        if not task.cells:
            raise InputError(f"a task of {_named(task.function)} has no cells: give it at least one")
        distinct = list({cell.key: cell for cell in map(_with_key, task.cells)}.values())
        described = tuple(map(Description.of, distinct))
        function, parts = function_name(task.function), _parts(task, described)
        work = Work(len(works), function, task.execution, described, deterministic, parts)
        if len({cell.stage for cell in distinct}) > 1:
            stages = ", ".join(sorted({cell.stage for cell in distinct}))
            raise InputError(f"a task has cells of several stages ({stages}): give each stage its own task")
        rivals = {owner[cell.key].number: owner[cell.key] for cell in distinct if cell.key in owner}
        if any(work.call() != rival.call() for rival in rivals.values()):
            raise InputError(
                f"the cell {next(str(c) for c in work.cells if c.key in owner)} is in two different tasks of stage "
                f"{work.stage!r}: plan each cell once"
            )
        if not rivals:
            works.append(work)
            cells.append(tuple(distinct))
            owner.update((cell.key, work) for cell in distinct)
    needed = {a.key: a for work in works for cell in work.cells for a in cell.input_addresses()}
    return WorkPlan(tuple(works), tuple(cells), tuple(a for key, a in needed.items() if key not in owner))


def function_name(function: Callable[..., object]) -> str:
    """`module:name` of a function that another process can import; raises InputError for any other."""
    name = f"{getattr(function, '__module__', None)}:{getattr(function, '__qualname__', None)}"
    try:
        found = locate(name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if found is not function or name.startswith("__main__:"):
        raise InputError(
            f"stage function {_named(function)} cannot be imported by another process: "
            "define it at the top level of a module that is not the script itself"
        )
    return name


def _parts(task: Task, described: tuple[Description, ...]) -> tuple[tuple[Description, ...], ...]:
    """The parts of a task, a cell that several have in the first of them; none where they are fewer than two."""
    left = {cell.key: cell for cell in described}
    if task.parts and left.keys() != {cell.key for part in task.parts for cell in map(_with_key, part)}:
        raise InputError(f"the parts of a task of stage {task.stage!r} are not made of its cells: give each cell once")
    parts = [tuple(left.pop(cell.key) for cell in part if cell.key in left) for part in task.parts]
    found = tuple(part for part in parts if part)
    return found if len(found) > 1 else ()


def _with_key(cell: Cell) -> Cell:
    Description.of(cell)  # says in one line what is wrong with a cell that has no key
    return cell


def _named(function: Callable[..., object]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"
