"""Study: graph networks beside MLPs and CNNs, in one pipeline."""

from gnnmc.studies.architectures.config import Architectures
from gnnmc.studies.architectures.page import QUESTION, make_page
from gnnmc.studies.architectures.plan import make_plan
from gnnmc.studies.study import Study

STUDY = Study("architectures", QUESTION, Architectures, make_plan, make_page)
