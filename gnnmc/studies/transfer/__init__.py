"""Study: whether connectivity curves tell how far two domains are apart, and what transfer between them costs."""

from gnnmc.studies.study import Study
from gnnmc.studies.transfer.config import TransferStudy
from gnnmc.studies.transfer.page import QUESTION, make_page
from gnnmc.studies.transfer.plan import make_plan

STUDY = Study("transfer", QUESTION, TransferStudy, make_plan, make_page)
