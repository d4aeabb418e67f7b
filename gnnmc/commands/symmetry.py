"""`gnnmc symmetry`: which axes of a model's weights may be moved together, and what stops the others."""

import json
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import typer
from torch import nn

from gnnmc.analysis.wording import shortened
from gnnmc.commands.graphs import named_problem
from gnnmc.commands.models import named_model
from gnnmc.commands.own import is_own
from gnnmc.config import with_overrides
from gnnmc.data import load_images, load_text
from gnnmc.errors import InputError
from gnnmc.models import MODELS
from gnnmc.problem import Problem
from gnnmc.symmetry import Symmetry, find_symmetry

# What a model is asked about where nothing is said: symmetries do not depend on it.
GRAPH = "csbm:num_nodes=60,num_features=8,num_classes=3,homophily=0.5,mean_degree=4,train_per_class=5"
IMAGES = "digits"
TEXT = "pydoc-topics"
_WIDEST = 120


def show_symmetry(
    model_name: str, graph: str | None, overrides: Sequence[str], root: Path | None, device: str, as_json: bool
) -> None:
    """Print the groups of a model, what stays and why, and a line that sums it up; or all of it as JSON."""
    values = with_overrides({}, overrides, example="hidden=32")
    problem = _problem(model_name, graph, root)
    model = named_model(model_name, problem, values)
    try:
        symmetry = find_symmetry(model, problem, device=device)
    except InputError as error:
        if graph is None and is_own(model_name):
            raise InputError(f"{error}: {_on_what(model, problem)}") from None
        raise
    if as_json:
        tables = {"groups": symmetry.groups_frame(), "axes": symmetry.frame()}
        typer.echo(json.dumps({name: table.to_dict("records") for name, table in tables.items()}, ensure_ascii=False))
    else:
        typer.echo(told(symmetry, min(shutil.get_terminal_size().columns, _WIDEST)))


def _problem(model_name: str, graph: str | None, root: Path | None) -> Problem:
    if graph is not None:
        return named_problem(graph, root)
    needs = None if is_own(model_name) else MODELS[model_name].needs
    if needs == "images":
        images = load_images(IMAGES, root, limit=64)
        return Problem.arrays(images.x, images.y, images.splits, name=IMAGES)
    if needs == "text":
        text = load_text(TEXT, context=16, limit=64)
        return Problem.language_modeling(text.windows, text.splits, num_tokens=len(text.vocabulary), name=TEXT)
    return named_problem(GRAPH, root)


def _on_what(model: nn.Module, problem: Problem) -> str:
    """What a model of the user's was asked about, nothing being said, and how to say it."""
    shape = next((weight.shape for weight in model.parameters() if weight.dim() > 1), ())
    sizes = f", and its first matrix is {' × '.join(map(str, shape))}" if shape else ""
    wanted = next((size for size in reversed(shape) if size != problem.num_features), 32)
    return (
        f"nothing was said of its data, so it was asked about a graph with {problem.num_features} features and "
        f"{problem.num_outputs} classes{sizes}: say what it takes, such as --graph "
        f"csbm:num_features={wanted},num_classes={problem.num_outputs}, or --graph FILE.py:FACTORY for data of your own"
    )


def told(symmetry: Symmetry, width: int) -> str:
    """Groups, what stays, and a summary, in lines of `width` letters."""
    lines = ["GROUPS OF UNITS"]
    for group in symmetry.groups_frame().to_dict("records"):
        copies = f" in each of {group['copies']} {group['within']}" if group["copies"] > 1 else ""
        lines += _wrapped(f"{group['group']}: {group['units']} units{copies}: {group['classes']}", width, "  ", "    ")
        lines += _wrapped(", ".join(shortened(symmetry.axes(group["group"]))), width, "      ", "      ")
    frame = symmetry.frame()
    for status, title in (("fixed", "FIXED"), ("not understood", "NOT UNDERSTOOD")):
        rows = frame[frame.status == status]
        if len(rows):
            lines += ["", title]
        for reason, some in rows.groupby("reason", sort=False):
            axes = ", ".join(shortened(zip(some.tensor, some.axis, strict=True)))
            lines += _wrapped(f"{str(reason) or 'as the tensor that it is a copy of'}: {axes}", width, "  ", "      ")
    return "\n".join([*lines, "", *textwrap.wrap(_summary(symmetry, frame), width)])


def _summary(symmetry: Symmetry, frame: pd.DataFrame) -> str:
    groups = symmetry.groups_frame()
    axes = frame.groupby(["tensor", "axis"]).status.agg(set)
    moving = sum("moves" in found for found in axes)
    unknown = sum("not understood" in found for found in axes)
    units = int((groups.units * groups.copies).sum())
    return (
        f"{len(groups)} group{'s' * (len(groups) != 1)} of {units} units; {moving} of {len(axes)} axes move, "
        f"{unknown or 'none'} {'is' if unknown < 2 else 'are'} not understood; "
        "every class of every group was checked with a random element"
    )


def _wrapped(text: str, width: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
