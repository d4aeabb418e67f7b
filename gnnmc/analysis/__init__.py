"""Tables in, tables out: what in the graph goes with the barrier, with inference over independent graphs."""

from gnnmc.analysis import observations as _observations  # noqa: F401  registers the claims
from gnnmc.analysis.association import Association, associate
from gnnmc.analysis.barrier_bound import Bound, bound
from gnnmc.analysis.bounds import csbm_bound, effective_gap, generalization_bound, weight_bound, weight_distance
from gnnmc.analysis.claims import CLAIMS, Claim, Judged, Judgment, judge_claims
from gnnmc.analysis.collinearity import Collinear, collinear_statistics
from gnnmc.analysis.comparison import compare_statistics
from gnnmc.analysis.curve_distance import CurveDistance, curve_distance
from gnnmc.analysis.domains import Likeness, domain_likeness
from gnnmc.analysis.gap_ranking import GapRanking, rank_measures
from gnnmc.analysis.interaction_map import interaction_map, interaction_test
from gnnmc.analysis.mixed_model import mixed_model_check
from gnnmc.analysis.overview import overview, verdict_cells, verdict_table
from gnnmc.analysis.paired import paired_differences
from gnnmc.analysis.partial_dependence import partial_dependence
from gnnmc.analysis.prediction import Prediction, predict_barrier
from gnnmc.analysis.rank_predictions import STATEMENTS, Statement, rank_predictions
from gnnmc.analysis.sentence import Sentence, sentence_table
from gnnmc.analysis.sentences import Answer, answer
from gnnmc.analysis.shape import shape_test
from gnnmc.analysis.summary import barrier_summary
from gnnmc.analysis.survival import survival
from gnnmc.analysis.variance_shares import variance_shares

__all__ = [
    "CLAIMS",
    "STATEMENTS",
    "Answer",
    "Association",
    "Bound",
    "Claim",
    "Collinear",
    "CurveDistance",
    "GapRanking",
    "Judged",
    "Judgment",
    "Likeness",
    "Prediction",
    "Sentence",
    "Statement",
    "answer",
    "associate",
    "barrier_summary",
    "bound",
    "collinear_statistics",
    "compare_statistics",
    "csbm_bound",
    "curve_distance",
    "domain_likeness",
    "effective_gap",
    "generalization_bound",
    "interaction_map",
    "interaction_test",
    "judge_claims",
    "mixed_model_check",
    "overview",
    "paired_differences",
    "partial_dependence",
    "predict_barrier",
    "rank_measures",
    "rank_predictions",
    "sentence_table",
    "shape_test",
    "survival",
    "variance_shares",
    "verdict_cells",
    "verdict_table",
    "weight_bound",
    "weight_distance",
]
