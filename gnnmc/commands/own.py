"""What a user's own Python file makes, as the command line names it: `FILE.py:FACTORY`."""

import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

from gnnmc.errors import InputError
from gnnmc.filesystem import is_file


def is_own(name: str) -> bool:
    """Whether a name is FILE.py:FACTORY, or a file in want of a factory, and no name of gnnmc's."""
    return name.partition(":")[0].endswith(".py") or name.rpartition(":")[0].endswith(".py")


def made_by(name: str, *arguments: object) -> Any:
    """What the factory gives for as many of the arguments as it takes without defaults (all or none).

    Raises InputError, in one line, for a file that is not there or cannot be run, and for a factory that is not there
    or fails.
    """
    file, _, factory = name.rpartition(":")
    if not file:
        raise InputError(f"{name} is a file: name the function or class in it that makes it, {name}:FACTORY")
    make = getattr(_module(Path(file)), factory, None)
    if not callable(make):
        raise InputError(f"{file} has no function or class {factory!r}: give FILE.py:FACTORY")
    takes = [p for p in inspect.signature(make).parameters.values() if p.default is inspect.Parameter.empty]
    try:
        return make(*arguments) if takes else make()
    except Exception as error:  # the user's own code
        raise InputError(f"{name} fails: {type(error).__name__}: {error}") from error


def _module(file: Path) -> Any:
    """Run the user's own Python file, as they asked."""
    if not is_file(file):
        raise InputError(f"no such file: {file}")
    # Where classes look up what their annotations mean is the module of this name: one that no other module has, so
    # that a file called random.py does not stand for Python's.
    name = f"_gnnmc_own_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's own code
        del sys.modules[name]
        raise InputError(f"{file} cannot be run: {type(error).__name__}: {error}") from error
    return module
