"""Study `observations`: what the paper observed of graph networks, measured again on real and generated graphs."""

from gnnmc.studies.observations.config import Observations
from gnnmc.studies.observations.page import QUESTION, make_page
from gnnmc.studies.observations.plan import make_plan
from gnnmc.studies.study import Study

STUDY = Study("observations", QUESTION, Observations, make_plan, make_page)
