"""Ctrl-C and SIGTERM during a run."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from gnnmc.errors import GnnmcError

_PATIENCE = 3  # signals until a deferred one breaks in anyway


class RunInterrupted(GnnmcError):
    """A run was stopped by Ctrl-C or SIGTERM; what was finished is kept, and the message says how to go on."""


class Interruption:
    """A block in which SIGINT and SIGTERM raise KeyboardInterrupt, or, where deferred, only set `requested`.

    Outside the main thread signals cannot be caught, and the block changes nothing; a signal that was ignored before
    (a job in the background) stays ignored.
    """

    def __init__(self) -> None:
        self.requested = 0
        self.name = "Ctrl-C"
        self._deferred = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: "type[BaseException] | BaseException | TracebackType | None") -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self, defer: bool = True) -> Iterator[None]:
        """A block that is not broken into, because it looks at `requested` itself."""
        self._deferred = defer
        try:
            yield
        finally:
            self._deferred = False

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self.requested += 1
        self.name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        if not self._deferred or self.requested >= _PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def stoppable(kept: str) -> Iterator[Interruption]:
    """A block that Ctrl-C and SIGTERM end with RunInterrupted; `kept` says what the same command will go on from."""
    with Interruption() as interruption:
        try:
            yield interruption
        except KeyboardInterrupt:
            raise RunInterrupted(
                f"stopped by {interruption.name}: {kept}; run the same command again to go on"
            ) from None
