"""Study `generalization`: which measure of a network follows its generalization gap, and where barriers stand."""

from gnnmc.studies.generalization.config import Generalization
from gnnmc.studies.generalization.page import QUESTION, make_page
from gnnmc.studies.generalization.plan import make_plan
from gnnmc.studies.study import Study

STUDY = Study("generalization", QUESTION, Generalization, make_plan, make_page)
