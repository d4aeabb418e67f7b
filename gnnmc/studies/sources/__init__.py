"""Kinds of data that studies take, one file each; nothing outside tells them apart."""

from gnnmc.studies.sources import csbm as _csbm  # noqa: F401
from gnnmc.studies.sources import items as _items  # noqa: F401
from gnnmc.studies.sources import real as _real  # noqa: F401
from gnnmc.studies.sources.packing import data_of
from gnnmc.studies.sources.source import SOURCES, Source, data_rows, source_of

__all__ = ["SOURCES", "Source", "data_of", "data_rows", "source_of"]
