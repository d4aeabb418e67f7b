"""Whether what a user passed as a problem is one."""

from gnnmc.errors import InputError
from gnnmc.problem.problem import Problem


def require_problem(given: object) -> Problem:
    """The problem. Raises InputError for anything else, saying how one is made."""
    if isinstance(given, Problem):
        return given
    raise InputError(
        f"expected a Problem, got {type(given).__name__}: make one with gnnmc.Problem.node_classification(data) "
        "or gnnmc.Problem.arrays(x, y)"
    )
