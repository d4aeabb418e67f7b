"""Studies: one module per scientific question, composed of config blocks and stages."""

from gnnmc.studies import architectures, generalization, homophily_barrier, observations, structure, symmetry, transfer
from gnnmc.studies.study import STUDIES, Plan, Study

for _study in (
    homophily_barrier.STUDY,
    architectures.STUDY,
    symmetry.STUDY,
    generalization.STUDY,
    structure.STUDY,
    transfer.STUDY,
    observations.STUDY,
):
    STUDIES.add(_study.name, _study)

__all__ = ["STUDIES", "Plan", "Study"]
