"""In what the modes of different seeds differ (the pair kinds of science 1.4)."""

import torch
from torch import nn

from gnnmc.engine.function import private_copy
from gnnmc.problem import Problem
from gnnmc.seeding import forked
from gnnmc.training.pursuit import Bound, Pursuit

# What the seed names; the shared seed names what is left. Order is that of the mini-batches; "draws" is what a model
# draws in training, such as dropout.
VARY = {
    "all": frozenset({"init", "order", "draws"}),
    "init": frozenset({"init"}),
    "data_order": frozenset({"order", "draws"}),
    "spawn": frozenset({"order", "draws"}),  # from the spawn step on; shared before
}
SPAWN = "spawn"

# A weak dropout may drop nothing now and then; not so often.
_TRIALS = 8


@torch.no_grad()
def draws_in_training(module: nn.Module, problem: Problem, objective: Bound | None = None) -> bool:
    """Whether what is minimized depends on random numbers drawn in training, such as dropout's. A copy is asked."""
    train = problem.splits["train"]
    losses = []
    for trial in range(_TRIALS):
        copied = private_copy(module).to(problem.device).train()
        with forked("train", "draws", trial, device=problem.device):
            if objective is None:
                losses.append(problem.loss_on(copied, train))
            else:
                with torch.enable_grad():
                    loss, _ = Pursuit(objective, copied, train, 0, trial)(copied, train, 0.5)
                losses.append(loss.detach())
        if not torch.equal(losses[0].nan_to_num(), losses[-1].nan_to_num()):
            return True
    return False
