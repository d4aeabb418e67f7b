"""The base of every building block of a config: unknown keys are refused, defaults leave no trace in a key."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A frozen group of settings that a user may ask for."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    def differing(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as JSON values: what goes into a key."""
        return self.model_dump(mode="json", exclude_defaults=True)
