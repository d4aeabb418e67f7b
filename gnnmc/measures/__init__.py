"""What may tell how well a mode generalizes: norms, margins, sharpness, PAC-Bayes; of any model on any problem."""

from gnnmc.measures import errors, margins, norms, pac_bayes, sharpness  # noqa: F401 (they register themselves)
from gnnmc.measures.measure import MEASURES, Measure
from gnnmc.measures.measured import measure_modes

__all__ = ["MEASURES", "Measure", "measure_modes"]
