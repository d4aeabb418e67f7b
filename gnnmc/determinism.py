"""The same bits from one run to the next on an accelerator, too.

On a CPU with one thread they are the same anyway. Some kernels of accelerators add in an order that changes from run to
run (scattered sums, cuSPARSE, convolutions chosen by trial); torch has others, slower ones, for the asking. This is the
one place that asks, and only inside a block that puts torch's settings back.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from gnnmc.errors import InputError

_WORKSPACE, _SIZES = "CUBLAS_WORKSPACE_CONFIG", (":4096:8", ":16:8")


@contextmanager
def deterministic() -> Iterator[None]:
    """Run a block with torch's deterministic kernels alone; what it computes is bit-repeatable on one machine.

    An operation that has none raises, and says so. Threads of the same process are under the same settings meanwhile.

    Raises InputError on a machine with CUDA where cuBLAS was not told to be deterministic, which only the environment
    of the process can do.

    ```python
    with gnnmc.deterministic():
        modes = gnnmc.train(model, problem, seeds=[0, 1], device="cuda")
    ```
    """
    import torch
    from torch.backends import cudnn

    if torch.cuda.is_available() and os.environ.get(_WORKSPACE) not in _SIZES:
        raise InputError(
            f"{_WORKSPACE} is {os.environ.get(_WORKSPACE)!r}: cuBLAS gives equal bits only where that variable is one "
            f"of {', '.join(_SIZES)} before Python starts: export {_WORKSPACE}={_SIZES[0]}"
        )
    asked, only_warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    tries = cudnn.benchmark
    try:
        torch.use_deterministic_algorithms(True)
        cudnn.benchmark = False
        yield
    finally:
        torch.use_deterministic_algorithms(asked, warn_only=only_warned)
        cudnn.benchmark = tries
