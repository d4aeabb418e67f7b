"""Studies: one module per scientific question, composed of config blocks and stages."""

from gnnmc.studies import homophily_barrier
from gnnmc.studies.study import STUDIES, Plan, Study

STUDIES.add(homophily_barrier.STUDY.name, homophily_barrier.STUDY)

__all__ = ["STUDIES", "Plan", "Study"]
