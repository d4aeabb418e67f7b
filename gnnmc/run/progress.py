"""What a person sees while a run goes on: bars on a terminal, a line now and then elsewhere, or nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from gnnmc.run.tally import Tally, duration

if TYPE_CHECKING:
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_QUICK_LINES = 1.0
_SECONDS_OF_SILENCE = 60.0
_SHARE_BETWEEN_LINES = 0.05
_SECONDS_BETWEEN_MOVES = 0.1


class Progress(Protocol):
    """Shows a run; every method is cheap enough to be called after each task."""

    def show(self, tally: Tally) -> None:
        """The present state."""
        ...

    def say(self, line: str) -> None:
        """One line that stays."""
        ...

    def task(self, line: str) -> None:
        """A task began or ended; most do not show it."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class Quiet:
    """Shows nothing."""

    def show(self, tally: Tally) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def task(self, line: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Plain:
    """Lines for a file or a pipe: at each 5 % (a second apart) or 10 s of progress, and once a minute without any."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._last_time = time.monotonic()
        self._last_ended = 0

    def show(self, tally: Tally) -> None:
        """A line, when enough has happened since the last one."""
        since = time.monotonic() - self._last_time
        step = tally.ended - self._last_ended
        enough = since >= _SECONDS_BETWEEN_LINES or (
            since >= _SECONDS_BETWEEN_QUICK_LINES and step >= _SHARE_BETWEEN_LINES * tally.total
        )
        finished = tally.ended == tally.total
        if since >= _SECONDS_OF_SILENCE or (step > 0 and (enough or finished)):
            self._last_time, self._last_ended = time.monotonic(), tally.ended
            self.say(tally.line())

    def say(self, line: str) -> None:
        """The line, at once."""
        print(line, file=self._stream, flush=True)

    def task(self, line: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing is open."""


class Live:
    """A bar per stage on a terminal, with the time elapsed and left."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich import progress
        from rich.console import Console

        console = Console(file=stream if stream is not None else sys.stderr)
        self._bars = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(bar_width=None),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[note]}", markup=False),
            console=console,
            expand=True,
        )
        self._rows: dict[str, TaskID] = {}
        self._all: TaskID | None = None
        self._last_time = 0.0

    def show(self, tally: Tally) -> None:
        """Move the bars, at most ten times a second."""
        now = time.monotonic()
        if now - self._last_time < _SECONDS_BETWEEN_MOVES and tally.ended < tally.total:
            return
        self._last_time = now
        if self._all is None:
            self._rows = {
                stage: self._bars.add_task(stage, total=count.total, note="") for stage, count in tally.stages.items()
            }
            self._all = self._bars.add_task("all", total=tally.total, note="")
            self._bars.start()
        for stage, count in tally.stages.items():
            notes = [f"{n} {word}" for n, word in ((count.failed, "failed"), (count.blocked, "blocked")) if n]
            self._bars.update(self._rows[stage], completed=count.total - count.open, note=", ".join(notes))
        note = " · ".join(filter(None, [f"{duration(tally.elapsed())} elapsed", tally.left_in_words()]))
        self._bars.update(self._all, completed=tally.ended, note=note)

    def say(self, line: str) -> None:
        """The line, above the bars."""
        self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def task(self, line: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Leave the bars as they are."""
        self._bars.stop()


class WhileItCan:
    """Shows what another does, until its stream refuses (a full disk, a pipe that was closed): that ends no run."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    def show(self, tally: Tally) -> None:
        """As the other, or nothing."""
        with self._or_never_again():
            self._shown.show(tally)

    def say(self, line: str) -> None:
        """As the other, or nothing."""
        with self._or_never_again():
            self._shown.say(line)

    def task(self, line: str) -> None:
        """As the other, or nothing."""
        with self._or_never_again():
            self._shown.task(line)

    def close(self) -> None:
        """As the other, or nothing."""
        with self._or_never_again():
            self._shown.close()

    @contextmanager
    def _or_never_again(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self._shown = Quiet()


class Verbose:
    """Shows a run as another does, and each task as it begins and ends."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self.show, self.say, self.close = shown.show, shown.say, shown.close

    def task(self, line: str) -> None:
        """The line, as one that stays."""
        self._shown.say(line)


def automatic_progress() -> Progress:
    """Bars when standard error is a terminal, lines otherwise; one that refuses (a full disk) costs lines, no run."""
    return WhileItCan(Live() if sys.stderr.isatty() else Plain())
