"""Study: what alignment leaves of the loss barriers between trained modes."""

from gnnmc.connectivity import LinearPath
from gnnmc.studies.study import Study
from gnnmc.studies.symmetry.config import SymmetryStudy
from gnnmc.studies.symmetry.page import QUESTION, make_page
from gnnmc.studies.symmetry.plan import make_plan

STUDY = Study("symmetry", QUESTION, SymmetryStudy, make_plan, make_page, {"path": LinearPath.kind})
