"""Workers that start while `gnnmc run` still imports what it plans with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gnnmc.commands.folder import run_folder
from gnnmc.config import RunBlock, read_config, validate, with_overrides
from gnnmc.errors import InputError
from gnnmc.filesystem import is_there
from gnnmc.run import Crew

# What the tasks of all studies need.
_TASKS = ("gnnmc.studies",)


@contextmanager
def early_crew(config_file: Path, overrides: Sequence[str], out: Path | None) -> Iterator[Crew | None]:
    """The workers that a config asks for, started already where the folder is new: there is surely work for them.

    None where something is wrong with what was asked, which is for the command to say.
    """
    try:
        folder = run_folder(config_file, out)
        asked = validate(RunBlock, with_overrides(read_config(config_file), overrides).get("run", {}))
        crew = Crew(folder, asked.runner, asked.workers)
    except InputError:
        crew = None
    if crew is None:
        yield None
        return
    with crew:
        if not is_there(folder):
            crew.begin(_TASKS)
        yield crew
