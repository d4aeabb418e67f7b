"""RESULTS.md of all that was measured."""

from typing import Any


def page(sections: dict[str, Any]) -> str:
    """The whole page."""
    return "\n"
