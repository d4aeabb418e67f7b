"""A forward recorded once, rewritten to fewer operations, and run for many points of weight space at once."""

from gnnmc.engine.tracing import attention, images, normalizations, shapes  # noqa: F401 (their rules)
from gnnmc.engine.tracing.along import Along
from gnnmc.engine.tracing.plan import Plan
from gnnmc.engine.tracing.program import Program
from gnnmc.engine.tracing.record import NotTraceable, Trace, record
from gnnmc.engine.tracing.replay import Replay
from gnnmc.engine.tracing.rewrite import rewritten

__all__ = ["Along", "NotTraceable", "Plan", "Program", "Replay", "Trace", "record", "rewritten"]
