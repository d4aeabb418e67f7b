"""Study `homophily_barrier`: does the barrier between trained modes go with the homophily of the graph?"""

from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.homophily_barrier.page import QUESTION, make_page
from gnnmc.studies.homophily_barrier.plan import make_plan
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.study import Study

STUDY = Study("homophily_barrier", QUESTION, HomophilyBarrier, make_plan, make_page, {"aligned": AS_TRAINED})
