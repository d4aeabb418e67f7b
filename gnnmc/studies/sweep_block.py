"""What configs of studies share that train modes and connect their pairs."""

import math

from pydantic import Field, field_validator

from gnnmc.config import (
    Block,
    ModelBlock,
    PathBlock,
    PlaneBlock,
    ProfileBlock,
    RunBlock,
    SourceEntry,
    StudyBlock,
    TrainBlock,
)
from gnnmc.connectivity import PATHS, LinearPath
from gnnmc.connectivity.evaluation import BATCHNORM
from gnnmc.engine import ENGINES
from gnnmc.errors import InputError
from gnnmc.models import check_model
from gnnmc.registry import unknown_name
from gnnmc.training import SCHEDULES, require_optimizer
from gnnmc.training.train_settings import TrainSettings
from gnnmc.weights.mode import ENDPOINTS

MOST_SEEDS = 1000


class SweepBlock(StudyBlock):
    """Seeds → modes, pairs of modes × paths → barriers.

    seeds: of the modes of each problem and model; every pair of them is connected. planes: losses on planes through two
    modes and the curve between them; none by default. least_train_accuracy: what an end
    should reach on its training items, a fraction; ends below are flagged (GMC001).
    """

    train: TrainBlock = TrainBlock()
    seeds: tuple[int, ...] = Field((0, 1, 2, 3), min_length=2)
    endpoint: str = "last"
    paths: tuple[PathBlock, ...] = Field((PathBlock(),), min_length=1)
    profile: ProfileBlock = ProfileBlock()
    planes: PlaneBlock | None = None
    least_train_accuracy: float = Field(0.9, ge=0, le=1)

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds {list(seeds)} repeat: give each once")
        if len(seeds) > MOST_SEEDS:
            raise ValueError(f"{len(seeds)} seeds: at most {MOST_SEEDS} are allowed, since every pair is connected")
        return seeds

    @field_validator("paths")
    @classmethod
    def _known_paths(cls, paths: tuple[PathBlock, ...]) -> tuple[PathBlock, ...]:
        for path in paths:
            _check_path(path)
        return paths

    @field_validator("train")
    @classmethod
    def _known_training(cls, train: TrainBlock) -> TrainBlock:
        return known_training(train)

    @field_validator("endpoint")
    @classmethod
    def _known_endpoint(cls, endpoint: str) -> str:
        if endpoint not in ENDPOINTS:
            raise unknown_name("endpoint", endpoint, ENDPOINTS)
        return endpoint

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, profile: ProfileBlock) -> ProfileBlock:
        if profile.batchnorm not in BATCHNORM:
            raise unknown_name("batchnorm rule", profile.batchnorm, BATCHNORM)
        return profile

    @field_validator("run")
    @classmethod
    def _known_engine(cls, run: RunBlock) -> RunBlock:
        ENGINES[run.engine]
        return run

    @property
    def num_pairs(self) -> int:
        """Pairs of modes of each problem and model."""
        return math.comb(len(self.seeds), 2)


class ProblemEntry(Block):
    """Data and the models that are trained on them. train: where that is not as for the others."""

    data: SourceEntry
    models: tuple[ModelBlock, ...] = Field(min_length=1)
    train: TrainBlock | None = None

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)

    @field_validator("train")
    @classmethod
    def _known_training(cls, train: TrainBlock | None) -> TrainBlock | None:
        return None if train is None else known_training(train)


def known_models(models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
    """The models. Raises InputError for a name or a setting that there is not."""
    for model in models:
        check_model(**model.model_dump())
    return models


def known_training(train: TrainBlock) -> TrainBlock:
    """The training. Raises InputError for settings that `train` would refuse."""
    TrainSettings(**train.model_dump())
    return train


def _check_path(path: PathBlock) -> None:
    """Raise InputError for settings that `fit_path` would refuse, and for any on a line: it is not fitted."""
    PATHS[path.kind]
    if path.kind != LinearPath.kind:
        PATHS[path.kind].check_count(path.points)
        require_optimizer(path.optimizer, path.momentum)
        SCHEDULES[path.schedule]
    elif of_a_fit := {name: value for name, value in path.differing().items() if name not in ("kind", "pairs")}:
        told = ", ".join(f"{name}={value}" for name, value in of_a_fit.items())
        curves = ", ".join(kind for kind in PATHS if kind != LinearPath.kind)
        raise InputError(f"a {path.kind} path is not fitted, got {told}: leave that out, or choose a curve: {curves}")
