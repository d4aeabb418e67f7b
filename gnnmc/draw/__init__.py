"""Drawing: a DataFrame onto axes. The only place that imports matplotlib; results call it lazily."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from gnnmc.errors import InputError
from gnnmc.registry import unknown_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawing: TypeAlias = "Callable[..., Figure]"

__all__ = ["Drawing", "drawing"]


def drawing(name: str) -> Drawing:
    """The drawing function named `module.draw_something` in this package, called as draw(frame, width=…, **options).

    `width` is the width of the figure in inches. Raises InputError for a name that is not one.
    """
    module_name, dot, function_name = name.partition(".")
    modules = [module.name for module in pkgutil.iter_modules(__path__)]
    if not dot or not function_name.startswith("draw_"):
        raise InputError(f"drawing {name!r}: expected module.draw_something with a module of {', '.join(modules)}")
    if module_name not in modules:
        raise unknown_name("module of drawings", module_name, modules)
    module = importlib.import_module(f"{__name__}.{module_name}")
    if not callable(found := getattr(module, function_name, None)):
        functions = [known for known in vars(module) if known.startswith("draw_")]
        raise unknown_name(f"drawing in {module_name}", function_name, functions)
    function: Drawing = found
    return function
