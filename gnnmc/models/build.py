"""A model by name, as wide as a problem needs."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from torch import nn

from gnnmc.errors import InputError
from gnnmc.models.families import MODELS, Family
from gnnmc.models.options import Inputs, Options, inputs_of, merged
from gnnmc.models.recipes import recipe as find_recipe
from gnnmc.models.size import width_for
from gnnmc.problem import Problem
from gnnmc.seeding import forked


def list_models() -> list[str]:
    """The names that `build_model` takes."""
    return MODELS.names()


def check_model(
    name: str,
    hidden: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    norm: str | None = None,
    heads: int | None = None,
    *,
    recipe: str | None = None,
    parameters: int | None = None,
    **options: Any,
) -> Family:
    """The family of that name; the settings are those of `build_model`.

    Raises InputError for an unknown name or settings that do not fit it.
    """
    given = {"hidden": hidden, "layers": layers, "dropout": dropout, "norm": norm, "heads": heads, **options}
    return _resolve(name, recipe, parameters, given)[0]


def check_fits(name: str, given: Collection[str], problem: str, shape: Sequence[int] | None = None) -> None:
    """Raise InputError, naming the problem and a model for it, unless the named family is for such a problem.

    given: of "edges", "images", "text" (tokens) and "positions" (targets at each), what the problem has. shape: that of
    an item, where it is known.
    """
    needs = MODELS[name].needs
    if needs == "text" and "text" not in given:
        raise InputError(
            f"model {name!r} needs text, tokens (N, T) with the next one of each as target, and {problem!r} is none: "
            "gnnmc.Problem.language_modeling makes such a problem"
        )
    if needs != "text" and not {"text", "positions"}.isdisjoint(given):
        raise InputError(
            f"model {name!r} answers once for an item, and {problem!r} asks at each of its positions: use "
            f"{'gpt' if 'text' in given else 'a module of your own'!r}"
        )
    if needs == "edges" and "edges" not in given:
        raise InputError(f"model {name!r} needs edges, and the problem {problem!r} has none: use 'mlp'")
    if needs == "images" and "images" not in given:
        found = f"{problem!r} has none" if shape is None else f"items of {problem!r} are {tuple(shape)}"
        raise InputError(f"model {name!r} needs images (channels, height, width); {found}: use 'mlp'")


def build_model(
    name: str,
    problem: Problem,
    *,
    recipe: str | None = None,
    parameters: int | None = None,
    hidden: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    norm: str | None = None,
    heads: int | None = None,
    head: str | None = None,
    residual: bool | None = None,
    input_linear: bool | None = None,
    jumping_knowledge: str | None = None,
    edges: str | None = None,
    bias: bool | None = None,
    readout: str | None = None,
) -> nn.Module:
    """A network of the named family, as wide as the problem needs.

    What is not given is the recipe's, where one is named (`recipe="gcn/Cora"`, or `"Cora"`; science 1.5), else the
    default in brackets, the older profile of science 1.5; vit and gpt have defaults of their own.

    hidden [64]: width between layers. layers [2]: number of convolutions. dropout [0.5]: probability. norm ["none"]:
    none, layer, batch or rms. heads [8]: of attention layers, hidden must be a multiple. head ["conv"]: conv, the last
    convolution gives the outputs, or linear, a linear map after it does. residual [False]: a linear skip beside every
    convolution. input_linear [False]: a linear map before the first. jumping_knowledge ["none"]: none, cat, max or
    lstm. edges ["given"]: as the graph has them, or undirected: both directions of every edge once and one self-loop
    at every node. bias [True]: whether convolutions have one. readout: mean, sum or max over the nodes of a graph,
    where items are graphs [mean].
    vit [hidden 64] and gpt [hidden 96]: layers [4] of attention with heads [4], dropout [0.1], norm ["layer"].
    parameters: choose `hidden` so that the number of trained parameters comes nearest to this.

    Edges have no weights and no attributes here: an `edge_weight` of the data is refused, an `edge_attr` (the bonds of
    molecules) is not read.

    The weights are initialized on a fixed stream and the global generator is left as it was; `train` initializes anew
    for each seed.

    Shapes:
        forward: x (N, F), edge_index (2, E) → (N, C), C the problem's outputs; with a readout also batch (N,), the
            graph of each node, → (G, C); without edges x (N, F) or x (N, channels, height, width) → (N, C); of
            text x (N, T) → (N, T, C)

    Raises InputError for an unknown name, for settings that do not fit or that the family does not
    have, and for a problem that it cannot be built for.
    """
    given = {
        "hidden": hidden,
        "layers": layers,
        "dropout": dropout,
        "norm": norm,
        "heads": heads,
        "head": head,
        "residual": residual,
        "input_linear": input_linear,
        "jumping_knowledge": jumping_knowledge,
        "edges": edges,
        "bias": bias,
        "readout": readout,
    }
    family, options = _resolve(name, recipe, parameters, given)
    inputs = inputs_of(problem)
    check_fits(name, _given(inputs), inputs.name, inputs.item_shape)
    if family.needs == "edges":
        _check_unweighted(name, problem)
    if parameters is not None:
        options = width_for(parameters, family, inputs, options)
    with forked("build", name):
        return family.build(inputs, options)


def _resolve(name: str, recipe: str | None, parameters: int | None, given: dict[str, Any]) -> tuple[Family, Options]:
    family = MODELS[name]
    settings = {**family.defaults, **({} if recipe is None else _matching(name, recipe))}
    if parameters is not None:
        if given.get("hidden") is not None:
            raise InputError(f"hidden={given['hidden']} and parameters={parameters}: give one of them")
        # A width that fits every number of heads; the search chooses its own.
        settings["hidden"] = given.get("heads") or settings.get("heads") or Options.heads
    unknown = sorted(set(given) - {field.name for field in fields(Options)})
    if unknown:
        raise InputError(f"a model has no {unknown[0]!r}: allowed: {', '.join(f.name for f in fields(Options))}")
    options = merged(settings, given)
    foreign = sorted(set(options.changed()) - family.options - {"hidden", "layers", "dropout"})
    if foreign:
        raise InputError(
            f"model {name!r} has no {foreign[0]!r} to choose: leave it out, or choose another of "
            f"{', '.join(other for other in MODELS if foreign[0] in MODELS[other].options)}"
        )
    if family.norms is not None and options.norm not in family.norms:
        raise InputError(f"model {name!r} has no norm={options.norm!r}: allowed: {', '.join(sorted(family.norms))}")
    if family.divides and options.hidden % options.heads:
        raise InputError(f"hidden={options.hidden} is no multiple of heads={options.heads}: choose one that is")
    return family, options


def _matching(name: str, recipe: str) -> dict[str, Any]:
    found = find_recipe(recipe if "/" in recipe else f"{name}/{recipe}")
    if found.model != name:
        raise InputError(f"recipe {recipe!r} is for model {found.model!r}, not {name!r}: use '{name}/{found.graph}'")
    return dict(found.options)


def _given(inputs: Inputs) -> set[str]:
    found = {"edges"} if inputs.has_edges else set()
    if inputs.per_position:
        found.add("text" if inputs.cardinalities else "positions")
    return found | ({"images"} if len(inputs.item_shape) in (2, 3) else set())


def _check_unweighted(name: str, problem: Problem) -> None:
    if any(getattr(batch, "edge_weight", None) is not None for batch in problem.batches):
        raise InputError(
            f"{problem.name!r} has edge_weight, which model {name!r} does not read: delete it to take the edges as "
            "equal, or pass a module whose forward takes edge_weight"
        )
