"""Train one mode for each seed, every one repeatable alone."""

from collections.abc import Sequence

import torch

from gnnmc.engine import MEMORY
from gnnmc.problem import Problem
from gnnmc.training.initialize import ModuleOrFactory
from gnnmc.training.objective import AnyObjective
from gnnmc.training.train_many import train_many
from gnnmc.weights import Mode


def train(
    model: ModuleOrFactory,
    problem: Problem,
    seeds: Sequence[int] = (0,),
    *,
    objective: AnyObjective | None = None,
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
    objective: what is minimized, by default the problem's loss; a function of a `gnnmc.training.Step` that returns a
    scalar, or a `gnnmc.training.Objective`, which may look at further problems and have parameters of its own, such as
    those in `gnnmc.training.adaptation`. What it reports is in the log as `objective_<term>`. Seeds are then trained
    one after another, whatever the engine.
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
    that could make shared starts end differently, for settings out of range, for what is no model, no Problem or no
    objective, and for an objective that gives no scalar that depends on the weights.
    """
    return train_many(
        [(model, problem, seeds)],
        objective=None if objective is None else [objective],
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
        endpoint=endpoint,
        engine=engine,
        memory=memory,
        device=device,
    )[0]
