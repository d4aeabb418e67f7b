"""What is held against the generalization gap: of the modes, of the pair, of the path between them."""

from dataclasses import dataclass

from gnnmc.measures import MEASURES


@dataclass(frozen=True)
class Rival:
    """title: in words. expected: the sign that its association with the gap should have. of: what it belongs to."""

    title: str
    expected: int
    of: str


MODE, PAIR, LINE, PATH, SIZE = "the modes", "the pair", "the line", "the path", "the split's size"


def rivals(gap_metric: str) -> dict[str, Rival]:
    """Every measure by the name of its column, in the order of what it belongs to."""
    words = gap_metric.replace("_", " ")
    found = {
        f"val_{gap_metric}": Rival(f"validation {words}", -1, MODE),
        "val_loss": Rival("validation loss", 1, MODE),
        "train_loss": Rival("train loss", 1, MODE),
    }
    read = ("train_loss", "val_loss", "val_metric")
    further = {name: MEASURES[name] for name in MEASURES if name not in read}
    found |= {name: Rival(measure.title, measure.expected, MODE) for name, measure in further.items()}
    return found | {
        "disagreement": Rival("disagreement of the ends", 1, PAIR),
        "softmax_distance": Rival("softmax distance of the ends", 1, PAIR),
        "weight_distance": Rival("distance of the weights, layer by layer", 1, LINE),
        "train_loss_barrier": Rival("barrier of the train loss", 1, PATH),
        f"train_{gap_metric}_barrier": Rival(f"barrier of the train {words}", 1, PATH),
        "mean_path_loss": Rival("mean train loss along the path", 1, PATH),
        "path_length": Rival("length of the path", 1, PATH),
        "bound_rho_0": Rival("the barrier's bound on the gap (ρ = 0)", 1, PATH),
        "bound_size_term": Rival("size of the split alone, n^1.5/(m(n−m))", 1, SIZE),
    }
