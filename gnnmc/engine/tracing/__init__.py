"""A forward recorded once, rewritten to fewer operations, and run for many points of weight space at once."""

from gnnmc.engine.tracing import attention, images, normalizations, shapes  # noqa: F401 (their rules)
from gnnmc.engine.tracing.along import Along
from gnnmc.engine.tracing.program import Program
from gnnmc.engine.tracing.record import Operation, Ref, Trace, record
from gnnmc.engine.tracing.refusal import NotTraceable, refusing
from gnnmc.engine.tracing.replay import Replay
from gnnmc.engine.tracing.rewrite import for_many, rewritten
from gnnmc.engine.tracing.route import Route
from gnnmc.engine.tracing.side_by_side import side_by_side

__all__ = [
    "Along",
    "NotTraceable",
    "Operation",
    "Program",
    "Ref",
    "Replay",
    "Route",
    "Trace",
    "for_many",
    "record",
    "refusing",
    "rewritten",
    "side_by_side",
]
