"""Train one mode for each seed, every one repeatable alone."""

import logging
import operator
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from gnnmc.engine import ENGINES, MEMORY, ModelFunction, NotTraceable, described, out_of_memory
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.training.in_turn import train_in_turn
from gnnmc.training.initialize import ModuleOrFactory, initialize
from gnnmc.training.jointly import train_jointly
from gnnmc.training.order import BatchOrder
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import weights_on_cpu
from gnnmc.training.variation import draws_in_training
from gnnmc.weights import Mode, digest
from gnnmc.weights.mode import ENDPOINTS

_LOG = logging.getLogger(__name__)


def train(
    model: ModuleOrFactory,
    problem: Problem,
    seeds: Sequence[int] = (0,),
    *,
    epochs: int = 200,
    lr: float = 0.01,
    weight_decay: float = 5e-4,
    optimizer: str = "adam",
    momentum: float | None = None,
    batch_size: int | None = None,
    schedule: str = "constant",
    warmup: float = 0.0,
    vary: str = "all",
    shared_seed: int = 0,
    spawn_step: int | None = None,
    evaluate_every: int = 1,
    endpoint: str = "last",
    engine: str = "stacked",
    memory: int = MEMORY,
    device: str | torch.device = "auto",
) -> list[Mode]:
    """Train the model once per seed; the defaults are the older profile of science 1.5, full batch.

    model: a module (copied and re-initialized for each seed) or a factory. Seeds name the streams for initialization,
    the order of mini-batches and dropout: a seed alone comes to the same mode as the seed among others.
    weight_decay: on all parameters. momentum: of SGD (.9 unless given, never Nesterov's).
    batch_size: labeled items in an optimizer step, shuffled anew every epoch; all of them by default, and where there
    are no more than that. The nodes of one graph are always computed together; the loss is over the batch's.
    schedule: a name in SCHEDULES, what the rate does over all optimizer steps, after a linear rise over a share
    `warmup` of them.
    vary: in what the seeds differ. "all"; "init": order and dropout are those of `shared_seed`; "data_order": the
    initialization is, order and dropout are the seed's own; "spawn": all is shared for `spawn_step` optimizer steps
    (Frankle et al. 2020), then order and dropout are the seed's own.
    evaluate_every: epochs from one evaluation on every split to the next; the log has the evaluated ones and the last.
    endpoint: which weights `.weights` is, "last" or "best_val" (science 0), of the evaluated epochs; both are kept.
    engine: "stacked" trains the seeds together where the model allows, to the same numbers up to rounding; "loop" is
    the reference, one after another, of which a seed alone gives the same bits as the seed among others.
    memory: bytes that training together may take beside model and data; no more seeds at once than fit, one at least.
    A run whose weights stop being finite ends with a `.status` that says so; the others go on.

    Shapes:
        returns: a Mode per seed, in their order; .weights: name → tensor, shaped as the model's parameters and buffers

    Raises InputError when two different seeds start from equal weights that are meant to differ, when nothing is left
    that could make shared starts end differently, for settings out of range, and for what is no model or no Problem.
    """
    if endpoint not in ENDPOINTS:
        raise InputError(f"unknown endpoint {endpoint!r}: allowed: {', '.join(ENDPOINTS)}")
    settings = TrainSettings(
        epochs=epochs,
        lr=lr,
        weight_decay=weight_decay,
        optimizer=optimizer,
        momentum=momentum,
        batch_size=batch_size,
        schedule=schedule,
        warmup=warmup,
        vary=vary,
        shared_seed=shared_seed,
        spawn_step=spawn_step,
        evaluate_every=evaluate_every,
    )
    numbers, budget = _whole_numbers(seeds), whole_number("memory", memory, least=1)
    starts = {start: initialize(model, start) for start in settings.init_seeds(numbers)}
    _require_different(starts)
    first = next(iter(starts.values()))
    function = ModelFunction(first, problem, device)
    if settings.one_start:
        _require_different_ends(first, function.problem, settings)
    if ENGINES[engine].many_at_once:
        try:
            return train_jointly(function, starts, numbers, settings, endpoint, budget)
        except NotTraceable as reason:
            _LOG.debug("one training after another: %s", reason)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            _LOG.warning("%s: one training after another", described(error))
            modes = train_in_turn(function.problem, starts, numbers, settings, endpoint)
            for mode in modes:
                mode.settings["modes_at_once"] = 1
            return modes
    return train_in_turn(function.problem, starts, numbers, settings, endpoint)


def _require_different_ends(module: nn.Module, problem: Problem, settings: TrainSettings) -> None:
    """Raise InputError where one start leads all seeds to one end, or never to a spawn step."""
    order = BatchOrder(problem.splits["train"], settings.batch_size, "train", "order", settings.shared_seed)
    steps, until = settings.epochs * order.per_epoch, settings.spawn_step or 0
    if until >= steps:
        raise InputError(f"spawn_step={until}: the training has {steps} optimizer steps: give fewer")
    if order.per_epoch == 1 and not draws_in_training(module, problem):
        raise InputError(
            f"vary={settings.vary!r} in full batch without dropout makes identical ends: give a batch_size below "
            f"{len(problem.splits['train'])}, dropout, or vary='init'"
        )


def _whole_numbers(seeds: Sequence[int]) -> list[int]:
    try:
        numbers = [operator.index(seed) for seed in seeds]
    except TypeError:
        raise InputError(f"seeds={seeds!r}: expected a list of whole numbers, such as [0, 1, 2]") from None
    if len(set(numbers)) != len(numbers) or not numbers:
        raise InputError(f"seeds={numbers}: give at least one, each once")
    return numbers


def _require_different(starts: Mapping[int, nn.Module]) -> None:
    first: dict[str, int] = {}
    for seed, module in starts.items():
        other = first.setdefault(digest(weights_on_cpu(module)), seed)
        if other != seed:
            raise InputError(
                f"seeds {other} and {seed} start from equal weights: the factory must draw its initialization from "
                "torch's global generator and not seed it"
            )
