"""How a module is called on data: by the names of its forward's parameters.

`forward(x, edge_index)` gets `data.x, data.edge_index`; `forward(data)` gets the data itself; optional parameters
(`edge_weight=None`) are given where the data has an attribute of that name. `forward(input)`, as torch's own layers and
`nn.Sequential` have it, and a lone parameter of any name where there are no edges, get the features `data.x`.
Anything else takes a callable `call(module, data)`.
"""

import copy
import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from gnnmc.errors import InputError

Call = Callable[[nn.Module, Any], Tensor]

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
# A lone parameter of one of these names means the data itself, even where the data has an attribute so called.
_WHOLE = ("data", "batch")
_FEATURES = "input"


def has(data: Any, name: str) -> bool:
    """Whether the data holds an attribute of that name that is not None."""
    return getattr(data, name, None) is not None


def call_by_names(module: nn.Module, data: Any) -> Tensor:
    """Call `module` on `data` by the names of its forward's parameters. Raises InputError where they do not fit."""
    parameters = [p for p in inspect.signature(module.forward).parameters.values() if p.kind in _NAMED]
    required = [p.name for p in parameters if p.default is inspect.Parameter.empty]
    missing = [name for name in required if not has(data, name)]
    whole = len(required) == 1 and (bool(missing) or required[0] in _WHOLE)
    if not missing and not whole:
        given = {p.name: getattr(data, p.name) for p in parameters if has(data, p.name)}
        return module(**given)
    if (
        whole
        and required[0] not in _WHOLE
        and has(data, "x")
        and (required[0] == _FEATURES or not has(data, "edge_index"))
    ):
        return module(data.x)
    if whole:
        # A copy of the container (not of its tensors), so that a forward that writes to it changes nothing of ours.
        return module(copy.copy(data))
    raise InputError(
        f"{type(module).__name__}.forward takes {', '.join(required)}, but the data has no {', '.join(missing)}: "
        "name the parameters after attributes of the data (x, edge_index), take the data alone, "
        "or give the problem call=lambda module, data: …"
    )
