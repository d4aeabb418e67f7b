"""How a curve is fitted: every setting is checked before anything is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gnnmc.connectivity.path import PATHS
from gnnmc.errors import InputError
from gnnmc.training import SCHEDULES, real_number, require_optimizer, share, whole_number

# train's default, for ends that do not say what they were trained with (a plain state_dict).
DEFAULT_L2 = 5e-4
DEFAULT_SCHEDULE = "garipov"


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The settings of `fit_paths`, as it describes them. Raises InputError for one out of range."""

    kind: str = "bezier"
    points: int = 3
    steps: int = 400
    lr: float = 0.01
    l2: float | None = None
    optimizer: str = "adam"
    momentum: float | None = None
    batch_size: int | None = None
    schedule: str = DEFAULT_SCHEDULE
    dropout: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "points": whole_number("points", self.points),
            "steps": whole_number("steps", self.steps, least=1),
            "lr": real_number("lr", self.lr, zero=False),
            "seed": whole_number("seed", self.seed),
            "l2": None if self.l2 is None else real_number("l2", self.l2, zero=True),
            "momentum": None if self.momentum is None else share("momentum", self.momentum),
            "batch_size": None if self.batch_size is None else whole_number("batch_size", self.batch_size, least=1),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        PATHS[self.kind].check_count(self.points)
        require_optimizer(self.optimizer, self.momentum)
        SCHEDULES[self.schedule]

    def decay(self, a: object, b: object) -> float:
        """The weight of ½‖φ(t)‖² for these ends: as given, or their own weight decay."""
        if self.l2 is not None:
            return self.l2
        stated = [getattr(end, "settings", {}).get("weight_decay") for end in (a, b)]
        known = {float(value) for value in stated if value is not None}
        if len(known) > 1:
            raise InputError(f"the ends were trained with different weight decays {sorted(known)}: say which with l2=")
        return known.pop() if known else DEFAULT_L2

    def record(self, decay: float, losses: Sequence[float], status: str) -> dict[str, Any]:
        """The settings, the loss of every step and how the fit ended, as JSON values.

        Momentum, batch size and schedule are there where they differ from their defaults.
        """
        kept: dict[str, Any] = {
            "kind": self.kind,
            "points": self.points,
            "steps": self.steps,
            "lr": self.lr,
            "l2": decay,
            "optimizer": self.optimizer,
            "dropout": self.dropout,
            "seed": self.seed,
            "loss": list(losses),
            "status": status,
        }
        optional: dict[str, tuple[Any, Any]] = {
            "momentum": (self.momentum, None),
            "batch_size": (self.batch_size, None),
            "schedule": (self.schedule, DEFAULT_SCHEDULE),
        }
        return kept | {name: value for name, (value, default) in optional.items() if value != default}
