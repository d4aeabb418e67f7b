"""The base of every building block of a config: unknown keys are refused, defaults leave no trace in a key."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Block(BaseModel):
    """A frozen group of settings that a user may ask for."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _yes_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        # YAML reads yes, on and true as a boolean, which would pass for the number 1.
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and not {bool, Any} & {annotation, *get_args(annotation)}:
            raise ValueError("a boolean (yes, no, on, off, true, false) is not allowed here")
        return value

    def differing(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as JSON values: what goes into a key."""
        return self.model_dump(mode="json", exclude_defaults=True)
