"""Where this package's operations are registered with torch."""

import torch

LIBRARY = torch.library.Library("gnnmc", "DEF")
