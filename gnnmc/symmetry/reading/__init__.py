"""Reading the symmetry of a model off its recorded forward."""

from gnnmc.symmetry.reading import (  # noqa: F401 (their rules)
    attention,
    elementwise,
    joining,
    maps,
    normalizations,
    products,
    ranking,
    reductions,
    rows,
    shaping,
)
