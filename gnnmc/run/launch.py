"""Starting worker processes."""

import signal
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def launching() -> Iterator[None]:
    """A block that starts processes which neither run the caller's script again nor hear its Ctrl-C.

    `multiprocessing` has every new process run the main script up to its `if __name__` guard; stage functions come
    from importable modules, so that costs time and breaks scripts without the guard. It finds the script through
    `sys.modules["__main__"]`, which is an empty module meanwhile. Signals that arrive meanwhile are delivered after.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    blocked = hasattr(signal, "pthread_sigmask")
    if blocked:
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # starting it unblocks the signals, so it is started before they are blocked
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        sys.modules["__main__"] = script
        if blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
