"""A config as the report tells it: whole, but short; and the seeds in it."""

from collections.abc import Mapping
from typing import Any

import yaml

from gnnmc.config import Block, StudyBlock

_STREAMS = (
    "Every stream of random numbers (graph, features, split, initialization, order of the data, dropout, fitting) is "
    "derived from these and from the values of the config."
)
_SEEDS = ("seed", "seeds", "split_seed")


def config_in_short(config: StudyBlock) -> str:
    """YAML that gives the same config again: all values but those that are nothing unless they are given."""
    return yaml.safe_dump(_short(config), sort_keys=False, default_flow_style=None, width=100)


def seeds_in_words(config: StudyBlock) -> str:
    """Every seed of a config under its dotted name."""
    found: dict[str, list[str]] = {}
    for name, value in flat(config.model_dump(mode="json")).items():
        parts = [part for part in name.split(".") if not part.isdigit()]
        if parts[-1] in _SEEDS:
            values = found.setdefault(".".join(parts), [])
            values += [each for each in value.strip("[]").split(", ") if each not in (*values, "None")]
    lines = [f"{name}: {', '.join(values)}" for name, values in found.items() if values]
    return "\n".join([*lines, _STREAMS])


def flat(value: Any, key: str = "") -> dict[str, str]:
    """Dotted key → value as text, for every plain value of a config."""
    if isinstance(value, Mapping):
        named = {f"{key}.{name}" if key else name: inner for name, inner in value.items()}
        return {k: v for name, inner in named.items() for k, v in flat(inner, name).items()}
    if isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        return {k: v for place, inner in enumerate(value) for k, v in flat(inner, f"{key}.{place}").items()}
    return {key: str(value)}


def _short(value: Any) -> Any:
    if isinstance(value, Block):
        fields = type(value).model_fields
        given = {name: inner for name, inner in value if inner is not None or fields[name].default is not None}
        return {name: _short(inner) for name, inner in given.items()}
    if isinstance(value, Mapping):  # as the user wrote it
        return {name: _short(inner) for name, inner in value.items()}
    return [_short(inner) for inner in value] if isinstance(value, list | tuple) else value
