"""The toy run again and again without the time of its imports: for each folder on standard input a forked process.

Prints the id of each process, then how it ended. Serial: everything happens in the process that is killed.
"""

import os
import sys

import gnnmc_toy_run
import torch

import gnnmc.store.values  # noqa: F401  (what takes long to import)

torch.set_num_threads(1)
for line in sys.stdin:
    folder, seconds = line.rstrip("\n").rsplit(" ", 1)
    child = os.fork()
    if child == 0:
        sys.stdout = sys.stderr
        os._exit(gnnmc_toy_run.main([folder, seconds, "serial"]))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
