"""`gnnmc doctor`: what this installation has to work with, and what cannot be used and why."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import typer

from gnnmc.version import __version__

OK, NOTE, UNUSABLE = "ok", "note", "unusable"
# Compiled extras of PyG: used where they are, never needed.
OPTIONAL = ("pyg-lib", "torch-sparse", "torch-scatter")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_LEAST = re.compile(r">=\s*([0-9.]+)")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its topic and name, its state (ok, note, unusable), and what there is to say."""

    topic: str
    name: str
    state: str
    text: str


def show_doctor(as_json: bool) -> int:
    """Print what was found, one line each; exit code 1 where something that is needed cannot be used."""
    found = [*_versions(), *_devices(), *_threads(), *_memory(), *_data()]
    if as_json:
        import json

        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        width = max(len(finding.name) for finding in found)
        topic = ""
        for finding in found:
            if finding.topic != topic:
                topic = finding.topic
                typer.echo(topic)
            mark = {OK: " ", NOTE: "·", UNUSABLE: "✗"}[finding.state]
            typer.echo(f" {mark} {finding.name:<{width}}  {finding.text}")
    return int(any(finding.state == UNUSABLE for finding in found))


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "gnnmc", OK, f"{__version__} in {Path(__file__).parents[1]}")
    yield Finding("versions", "Python", OK, f"{platform.python_version()} on {platform.platform()}")
    for requirement in metadata.requires("gnnmc") or []:
        if "extra ==" in requirement:
            continue
        name = _NAME.match(requirement)
        least = _LEAST.search(requirement)
        if name:
            yield _package(name.group(), least.group(1) if least else "0")
    for optional in OPTIONAL:
        try:
            yield Finding("versions", optional, OK, f"{metadata.version(optional)} (optional)")
        except metadata.PackageNotFoundError:
            continue


def _package(name: str, least: str) -> Finding:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding("versions", name, UNUSABLE, f"not installed, {least} or newer is needed: pip install {name}")
    if _release(version) < _release(least):
        text = f"{version}, {least} or newer is needed: pip install -U {name}"
        return Finding("versions", name, UNUSABLE, text)
    return Finding("versions", name, OK, version)


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3]]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _devices() -> Iterator[Finding]:
    import torch

    from gnnmc.engine.device import resolve_device

    yield Finding("devices", "auto", OK, f"means {resolve_device('auto')}")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(number).total_memory / 2**30
            yield Finding("devices", f"cuda:{number}", OK, f"{torch.cuda.get_device_name(number)}, {memory:.0f} GiB")
    else:
        built = torch.version.cuda
        text = f"torch is built for CUDA {built}, but finds no device" if built else "torch is built without CUDA"
        yield Finding("devices", "cuda", NOTE, text)
    if torch.backends.mps.is_available():
        yield Finding("devices", "mps", OK, "Metal")


def _threads() -> Iterator[Finding]:
    from gnnmc.run import usable_cores

    cores = usable_cores()
    yield Finding(
        "threads", "cores", OK, f"{cores} of {os.cpu_count()} usable: a run has as many workers of one thread"
    )
    asked = os.environ.get("OMP_NUM_THREADS")
    if asked not in (None, "1") or (asked is None and cores > 1):
        text = f"OMP_NUM_THREADS is {asked or 'not set'}: library calls use several threads; runs do not"
        yield Finding("threads", "OpenMP", NOTE, text)
    else:
        yield Finding("threads", "OpenMP", OK, f"OMP_NUM_THREADS is {asked}" if asked else "one core")


def _memory() -> Iterator[Finding]:
    try:
        page, total, free = (os.sysconf(name) for name in ("SC_PAGE_SIZE", "SC_PHYS_PAGES", "SC_AVPHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        yield Finding("memory", "RAM", NOTE, f"not known on {sys.platform}")
        return
    yield Finding("memory", "RAM", OK, f"{page * total / 2**30:.1f} GiB, {page * free / 2**30:.1f} GiB free")


def _data() -> Iterator[Finding]:
    from gnnmc.data.catalogue import GRAPHS
    from gnnmc.data.roots import VARIABLE, cache_root

    given = os.environ.get(VARIABLE)
    if given is None:
        yield Finding("data", VARIABLE, NOTE, "not set: raw files are looked for in the cache alone")
    else:
        yield _root(VARIABLE, Path(given).expanduser())
    cache = cache_root()
    yield _root("cache", cache) if cache.exists() else Finding("data", "cache", OK, f"{cache}, made when needed")
    here = [name for name in GRAPHS if _is_here(name)]
    text = f"{len(here)} of {len(GRAPHS)} named graphs and sets are here; the others are downloaded where a network is"
    yield Finding("data", "graphs", OK, text)


def _root(name: str, folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding("data", name, UNUSABLE, f"{folder} is no folder: set {name} to one, or unset it")
    if not os.access(folder, os.R_OK | os.X_OK):
        return Finding("data", name, UNUSABLE, f"{folder} cannot be read")
    free = shutil.disk_usage(folder).free / 2**30
    kind = "writable" if os.access(folder, os.W_OK) else "read-only"
    return Finding("data", name, OK, f"{folder} ({kind}, {free:.1f} GiB free)")


def _is_here(name: str) -> bool:
    from gnnmc.data.catalogue import GRAPHS
    from gnnmc.data.roots import find_place

    entry = GRAPHS[name]
    _, raw = entry.raw(None)
    return not find_place(None, entry.family, raw.folder, raw.files).missing
