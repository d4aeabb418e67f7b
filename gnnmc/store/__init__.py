"""Artifacts on disk: input-addressed cells, the store that keeps their results, and exported tables."""

from gnnmc.store.address import Address, Addressed, Description
from gnnmc.store.cell import Cell, Request, Result, StageFunction, Task, Value
from gnnmc.store.directory import Store
from gnnmc.store.execution import Execution
from gnnmc.store.tables import export_table, read_table
from gnnmc.store.writing import replace_file
from gnnmc.store.written import Written

__all__ = [
    "Address",
    "Addressed",
    "Cell",
    "Description",
    "Execution",
    "Request",
    "Result",
    "StageFunction",
    "Store",
    "Task",
    "Value",
    "Written",
    "export_table",
    "read_table",
    "replace_file",
]
