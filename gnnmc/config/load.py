"""From a YAML file and `--set key=value` to a checked config; every error is one line that names the key."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from gnnmc.config.block import Block
from gnnmc.errors import InputError
from gnnmc.filesystem import is_file
from gnnmc.registry import unknown_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# What no config comes near, and what is still read without trouble.
_DEEPEST = 20
_LARGEST = 10**6

SomeBlock = TypeVar("SomeBlock", bound=Block)


def read_config(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises InputError for a file that is absent, not YAML or not a mapping."""
    source = Path(path)
    if not is_file(source):
        raise InputError(f"no such config: {source}")
    try:
        found = _parsed(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{source} is not YAML: {' '.join(str(error).split())}") from None
    if found is None:
        raise InputError(f"{source} is empty: a config needs a study, graphs, models and seeds; see configs/")
    if not isinstance(found, dict):
        raise InputError(f"{source} holds a {type(found).__name__}; expected a mapping of keys")
    return found


def with_overrides(
    config: dict[str, Any], overrides: Sequence[str], option: str = "--set", example: str = "train.epochs=100"
) -> dict[str, Any]:
    """The config with `key=value` applied; keys are dotted, list entries are numbers (`graphs.0.csbm.seed=[0,1]`).

    The argument is not changed. Raises InputError for what has no `=`, no YAML value, or no place in the config;
    `option` is where the user wrote them, `example` what could have stood there.
    """
    changed: dict[str, Any] = yaml.safe_load(yaml.safe_dump(config))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise InputError(f"{option} {override!r}: expected key=value, such as {example}")
        try:
            value = _parsed(text)
        except ValueError:
            raise InputError(f"{option} {override[:80]!r}: {text[:80]!r} is not a YAML value") from None
        parts = key.split(".")
        if len(parts) > _DEEPEST:
            raise InputError(f"{option} {override[:80]!r}: a key has at most {_DEEPEST} parts")
        _put(changed, parts, value, f"{option} {key}")
    return changed


def _parsed(text: str) -> Any:
    """The value of a YAML text. Raises ValueError where it is none, or none that a config could hold."""
    try:
        value = yaml.safe_load(text)
    except Exception as error:  # besides its own errors, whatever a text behind a tag or 1000 brackets lead it to
        raise ValueError(str(error) or type(error).__name__) from None
    if _size(value, _DEEPEST, {}) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} values")
    return value


def _size(value: Any, depth: int, known: dict[int, int]) -> int:
    """How many values there are, those that an alias stands for counted each time.

    Raises ValueError for more than `depth` levels, as there are where an alias stands within what it stands for.
    """
    if not isinstance(value, dict | list | tuple | set):
        return 1
    if depth == 0:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep, or contains itself")
    if id(value) not in known:
        members = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(member, depth - 1, known) for member in members)
    return known[id(value)]


def _put(place: Any, parts: list[str], value: Any, where: str) -> None:
    head, rest = parts[0], parts[1:]
    index: Any = head
    if isinstance(place, list):
        if not head.isdecimal() or len(head) > 9 or int(head) >= len(place):
            allowed = f"0 to {len(place) - 1}" if place else "none, the list is empty"
            raise InputError(f"{where}: {head!r} is no entry of that list: allowed: {allowed}")
        index = int(head)
    elif not isinstance(place, dict):
        raise InputError(f"{where}: there is nothing below a plain value at {head!r}")
    if not rest:
        place[index] = value
        return
    if isinstance(place, dict) and not isinstance(place.get(index), dict | list):
        place[index] = {}
    _put(place[index], rest, value, where)


def validate(
    block: type[SomeBlock],
    config: dict[str, Any],
    under: str = "",
    others: Mapping[str, type[BaseModel]] = MappingProxyType({}),
) -> SomeBlock:
    """The config as a block; `under`: the key that it stands at, for messages.

    others: what is called by these names and may have a key that this block has not, as another study may.

    Raises InputError: one line with the key, what was got and what is allowed.
    """
    try:
        return block.model_validate(config)
    except ValidationError as error:
        raise _explain(block, error, under, others) from None


# What pydantic says in the words of its types, in those of a config.
_WORDS = {
    "missing": "missing: this key must be given",
    "model_type": "expected a mapping of keys, such as {key: value}",
    "dict_type": "expected a mapping of keys, such as {key: value}",
}


def _explain(
    block: type[BaseModel], error: ValidationError, under: str, others: Mapping[str, type[BaseModel]]
) -> InputError:
    found = error.errors()
    found = [one for one in found if not _follows(one)] or found
    # A key that is not known comes first: what is missing may be what it was meant to be.
    found.sort(key=lambda one: one["type"] != "extra_forbidden")
    first, more = found[0], len(found) - 1
    location = [*([under] if under else []), *(str(part) for part in first["loc"])]
    where = f"config {'.'.join(location)}" if location else "config"
    tail = f" (and {more} more)" if more else ""
    if first["type"] == "extra_forbidden":
        owner = _owner(block, first["loc"][:-1])
        known: object = unknown_name("key", location[-1], owner.model_fields if owner else [])
        if having := [name for name, other in others.items() if _has(other, first["loc"])]:
            known = f"unknown key {location[-1]!r}: it is a key of {' and '.join(having)}: choose that, or leave it out"
        prefix = f"config {'.'.join(location[:-1])}" if location[:-1] else "config"
        return InputError(f"{prefix}: {known}{tail}")
    got = first.get("input")
    message = (
        _WORDS.get(first["type"])
        or _of_lists(block, first)
        or " ".join(first["msg"].removeprefix("Value error, ").split())
    )
    told = isinstance(got, dict) and any(repr(value) in message for value in got.values())
    shown = "" if first["type"] in ("missing", "too_short") or told else f", got {str(got)[:80]!r}"
    if message.startswith("config "):
        # A nested block has said it all: join the keys.
        return InputError(f"{where}{'.' if location else ' '}{message.removeprefix('config ')}{tail}")
    return InputError(f"{where}: {message}{shown}{tail}")


def _of_lists(block: type[BaseModel], error: "ErrorDetails") -> str:
    """What is wrong with a list in plain words; empty where it is something else."""
    if error["type"] == "too_short":
        got, least = error["ctx"]["actual_length"], error["ctx"]["min_length"]
        return f"an empty list: give at least {least}" if not got else f"a list of {got}: give at least {least}"
    if error["type"] not in ("tuple_type", "list_type"):
        return ""
    example = _example(block, error["loc"], error.get("input"))
    return f"expected a list, such as {example}" if example else "expected a list"


def _example(block: type[BaseModel], location: Sequence[Any], given: Any) -> str:
    """A list that may stand at a place of the config: what was given, where that may be in it."""
    owner = _owner(block, location[:-1])
    field = owner.model_fields.get(location[-1]) if owner else None
    if field is None:
        return ""
    fitting: TypeAdapter[Any] = TypeAdapter(field.annotation or object)
    for value in ([given], *_EXAMPLES):
        try:
            fitting.validate_python(value)
        except (ValidationError, InputError):
            continue
        return yaml.safe_dump(value, default_flow_style=True, width=1000).strip()
    inner = next((c for c in _inside(field.annotation) if isinstance(c, type) and issubclass(c, BaseModel)), None)
    return f"[{{{next(iter(inner.model_fields))}: …}}]" if inner else ""


# What may stand in the list of a field that what was given may not.
_EXAMPLES = ([0, 1, 2], [0.5, 0.5], ["name"])


def _inside(annotation: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


def _has(block: type[BaseModel], location: Sequence[Any]) -> bool:
    """Whether a block has a key at this place."""
    owner = _owner(block, location[:-1])
    return owner is not None and location[-1] in owner.model_fields


def _follows(error: "ErrorDetails") -> bool:
    """Whether an error only says that a list is short of the entries that others are about."""
    given = error.get("input")
    return error["type"] == "too_short" and isinstance(given, list) and len(given) >= error["ctx"]["min_length"]


def _owner(block: type[BaseModel], location: Sequence[Any]) -> type[BaseModel] | None:
    """The block that the keys at `location` belong to."""
    current: Any = block
    for part in location:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if isinstance(current, type) and issubclass(current, BaseModel) else None
        if field is None:
            return None
        nested = [c for c in _inside(field.annotation) if isinstance(c, type) and issubclass(c, BaseModel)]
        if not nested:
            return None
        current = nested[0]
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None
