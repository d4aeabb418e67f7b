"""Calls of plain functions in the workers of a run, for what is no task: nothing of it is kept in the store."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from contextlib import suppress
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def begin_call(
    calls: Executor | None, function: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Callable[[], Answer]:
    """Begin a call in another process, and give what waits for its answer.

    Where there is no other process, or it dies over it, the call is made here when its answer is asked for. Raises what
    the function raises, then too; and what pickle does for a function, an argument or an answer that it cannot take.
    """
    future = calls.submit(function, *args, **kwargs) if calls is not None else None

    def answer() -> Answer:
        if future is not None:
            with suppress(BrokenExecutor):
                return future.result()
        return function(*args, **kwargs)

    return answer
