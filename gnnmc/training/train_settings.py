"""How modes are trained: every setting is checked before anything is trained."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from gnnmc.errors import InputError
from gnnmc.numbers import real_number, share, whole_number
from gnnmc.registry import unknown_name
from gnnmc.training.optimizers import require_optimizer
from gnnmc.training.schedules import SCHEDULES
from gnnmc.training.variation import SPAWN, VARY

# Kept in every record; the others are where they differ from their defaults.
_ALWAYS = ("epochs", "lr", "weight_decay", "optimizer")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The settings of `train`, as it describes them. Raises InputError for one out of range."""

    epochs: int = 200
    lr: float = 0.01
    weight_decay: float = 5e-4
    optimizer: str = "adam"
    momentum: float | None = None
    batch_size: int | None = None
    schedule: str = "constant"
    warmup: float = 0.0
    vary: str = "all"
    shared_seed: int = 0
    spawn_step: int | None = None
    evaluate_every: int = 1

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "epochs": whole_number("epochs", self.epochs, least=1),
            "lr": real_number("lr", self.lr, zero=False),
            "weight_decay": real_number("weight_decay", self.weight_decay, zero=True),
            "momentum": None if self.momentum is None else share("momentum", self.momentum),
            "batch_size": None if self.batch_size is None else whole_number("batch_size", self.batch_size, least=1),
            "warmup": share("warmup", self.warmup),
            "shared_seed": whole_number("shared_seed", self.shared_seed),
            "spawn_step": None if self.spawn_step is None else whole_number("spawn_step", self.spawn_step, least=0),
            "evaluate_every": whole_number("evaluate_every", self.evaluate_every, least=1),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        require_optimizer(self.optimizer, self.momentum)
        SCHEDULES[self.schedule]
        if self.vary not in VARY:
            raise unknown_name("pair kind (vary)", self.vary, VARY)
        if self.shared_seed and self.vary == "all":
            raise InputError(f"shared_seed={self.shared_seed}: vary='all' shares nothing: choose another vary, or 0")
        if self.spawn_step is not None and self.vary != SPAWN:
            raise InputError(f"spawn_step={self.spawn_step} is for vary={SPAWN!r}, got vary={self.vary!r}")
        if self.spawn_step is None and self.vary == SPAWN:
            raise InputError(f"vary={SPAWN!r} needs spawn_step=, the optimizer steps that the modes share")

    @property
    def one_start(self) -> bool:
        """Whether all seeds share the initialization."""
        return "init" not in VARY[self.vary]

    def init_seeds(self, seeds: Sequence[int]) -> list[int]:
        """The seeds of the initializations: of each, or of the one that all share."""
        return [self.shared_seed] if self.one_start else list(seeds)

    def draws_seed(self, seed: int) -> int:
        """The seed of the order of mini-batches and of what the model draws in training."""
        return seed if "draws" in VARY[self.vary] else self.shared_seed

    def record(self) -> dict[str, Any]:
        """Epochs, rate, weight decay and optimizer; the others where they differ from their defaults."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name in _ALWAYS or getattr(self, field.name) != field.default
        }
