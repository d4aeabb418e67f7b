"""Study `structure`: what decides the loss barrier, the structure of the graph or the architecture?"""

from gnnmc.studies.structure.config import Structure
from gnnmc.studies.structure.page import QUESTION, make_page
from gnnmc.studies.structure.plan import make_plan
from gnnmc.studies.study import Study

STUDY = Study("structure", QUESTION, Structure, make_plan, make_page)
