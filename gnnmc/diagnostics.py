"""Numbered diagnostics: what may be wrong with a result, in words a person understands.

The catalogue is here, so that a code means one thing everywhere; the parts that can tell fire them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gnnmc.errors import InputError


@dataclass(frozen=True)
class Kind:
    """One entry of the catalogue: its title, what it means, what to do, and the rule by which it fires."""

    title: str
    meaning: str
    remedy: str
    rule: str


# A number keeps its meaning. GMC009 (homophily target unreachable) is reserved: a homophily that no graph can have is
# an error of `csbm` and `rewire`.
CATALOGUE: dict[str, Kind] = {
    "GMC001": Kind(
        "ends under-trained",
        "A barrier between badly trained ends is meaningless: it says little about minima of the training loss.",
        "Train longer, raise the learning rate, or state the accuracy that these ends should reach.",
        "The train loss of an end is above half of that of guessing, ½·log C nats for C classes, or its "
        "train accuracy is below `least_train_accuracy` of the config.",
    ),
    "GMC002": Kind(
        "ends share the initialization",
        "Two ends of a path started from equal weights, so their barrier is not one of independent training runs.",
        "Give the ends different seeds, or say that a shared start is meant.",
        "The digests of the ends' initial weights are equal although the pair kind is `all` or `init`.",
    ),
    "GMC003": Kind(
        "stale BatchNorm statistics",
        "Re-estimating the running statistics changes the loss of an end by more than 1 %.",
        "Read the re-estimated losses; train longer or raise the momentum if the stored ones are to be used.",
        "At an end, on some split, the loss with re-estimated statistics differs from that with the stored "
        "ones by more than 1 %.",
    ),
    "GMC004": Kind(
        "grid too coarse",
        "The loss changes between two neighboring grid points by more than half of the barrier itself.",
        "Profile with more points.",
        "The chord barrier is above .05, its grid has fewer than 61 points, and the loss changes between "
        "two neighbors by more than half of the barrier where no refinement looked.",
    ),
    "GMC005": Kind(
        "nothing was aligned",
        "The ends were connected as trained: part of a linear barrier may only be another order of the hidden units.",
        "Compare with the fitted path, and align the ends before a linear barrier is believed.",
        "A straight path joins ends whose rows say `aligned` = none.",
    ),
    "GMC006": Kind(
        "test-loss barrier of a fitted curve",
        "A fitted curve is low on the training loss but has a barrier on the test loss: over-confident predictions.",
        "Fit with weight decay on the curve point (l2), and read the accuracy barrier beside it.",
        "The chord barrier of a fitted curve's test loss is above .05 and above that of its train loss.",
    ),
    "GMC007": Kind(
        "bound vacuous",
        "The bound on the generalization gap that a barrier gives, in its shape with all unknown constants 1, is "
        "larger than any gap can be: as a bound it says nothing.",
        "Read the order of the values, and beside it what the barrier adds to the size of the training split; label "
        "more items, since the bound falls with their number.",
        "The bound at ρ = 0 is above the largest gap: 1 for error rates, log C nats, the loss of guessing, for losses.",
    ),
    "GMC008": Kind(
        "too few graphs for a correlation",
        "Fewer than 10 independent graphs: no bootstrap interval is given, and with one alone no p-value either.",
        "Add independently generated or collected graphs.",
        "A group of the association has fewer than 10 clusters.",
    ),
    "GMC010": Kind(
        "mixed devices, engines or versions",
        "Rows of one table were computed on different devices, by different engines or by different package versions.",
        "Recompute the run in one place before small differences are interpreted.",
        "The cells of one stage differ in device, engine, processor, or version of torch or gnnmc.",
    ),
    "GMC011": Kind(
        "a control is constant and was dropped",
        "A variable to control for takes one value over all graphs; it cannot be controlled for and was left out.",
        "Nothing, or vary it.",
        "All graphs of a group have one and the same value of a control.",
    ),
    "GMC012": Kind(
        "an end diverged",
        "Training gave weights that are not finite; its cells carry the status and no number.",
        "Lower the learning rate or check the features of that graph.",
        "The status of an end is not `ok`, or the loss of an end of a profile is not finite.",
    ),
    "GMC013": Kind(
        "barriers pile up at zero",
        "Many barriers are exactly or nearly zero; ranks among them carry no information.",
        "Read the share of zeros beside the correlation.",
        "At least a quarter of the graphs of a group have a barrier within .001 of 0.",
    ),
    "GMC014": Kind(
        "a fitted curve diverged",
        "Fitting a curve gave weights that are not finite; the pair carries the status and no number for that path.",
        "Lower the learning rate of the fit.",
        "The status of a fit is not `ok`, or the loss is not finite on a path between sound ends.",
    ),
    "GMC015": Kind(
        "a class without training nodes",
        "The split leaves a class out of training: no network can learn it, and its nodes weigh on the test loss.",
        "Read the train split, or choose another fold or a split of your own.",
        "A class that occurs among the labels does not occur among those of the train split.",
    ),
    "GMC016": Kind(
        "graphs of one origin counted as independent",
        "Two clusters, or two domains, hold the same labels node by node: they are versions of one data set or of one "
        "random draw, or a raw file is damaged.",
        "Leave one of them out, put the files right, or give generated graphs different seeds; until then correlations "
        "count one graph twice, and p, A-distance and floors between domains do not hold.",
        "The labels of two clusters, or of two domains with as many nodes, are equal (sorted labels of domains: and "
        "their features).",
    ),
    "GMC017": Kind(
        "ends are equal",
        "Both ends hold the same weights: there is nothing between them, and a barrier of zero says nothing.",
        "Give two modes; two files of one training may hold the same epoch.",
        "The Euclidean distance between the ends of a profile is exactly 0.",
    ),
    "GMC018": Kind(
        "splits share items",
        "Items that were trained on are in another split too, so what is measured there is no generalization.",
        "Make the masks or index sets disjoint.",
        "An index of another split is in the train split too.",
    ),
    "GMC019": Kind(
        "units were left as they are",
        "Some weights could not be aligned: an operation on them is not understood or asks for their order, they meet "
        "a constant of the model, or a test by numbers failed.",
        "Read what stopped it; part of a barrier that is left may still be another order of these units.",
        "An axis of a weight of an aligned model is not moved, and is neither an input nor an output of the model.",
    ),
    "GMC020": Kind(
        "dead units in activation matching",
        "Units that give the same for every item have no correlation with any other: their place is arbitrary.",
        "Read the barrier as it is; a narrower network, or another nonlinearity, has fewer of them.",
        "The activations of a unit that is matched do not vary over the items that it is compared on: training "
        "items, or all nodes of one graph.",
    ),
    "GMC021": Kind(
        "alignment did not help",
        "Moving one end onto the other did not bring the modes together, or did not lower the barrier between them.",
        "Try more restarts or another method; the modes may differ by more than the order of their units.",
        "What a method lowers (the distance, the loss at the midpoint, 1 − the mean correlation of units) is no lower "
        "than for the mode as trained, or no unit was moved; or the mean train-loss barrier of a graph and model is "
        "higher than as trained, by more than .01.",
    ),
    "GMC022": Kind(
        "a moved mode computes something else",
        "An alignment must leave what a network computes unchanged; here its losses changed, so its barrier is wrong.",
        "Do not use these rows; report the model, whose symmetry was misread.",
        "A loss of the moved end differs from that of the end as trained by more than 1e-4, or 1e-4 of it.",
    ),
    "GMC023": Kind(
        "a connectivity curve is flat",
        "A curve has no sure peak, so it has no shape either: only noise would be compared with the other curve.",
        "Read the size of the distance, not its shape; more pairs of modes make the peak surer.",
        "The peak of a mean chord excess is below .01, or below 3 of its standard errors.",
    ),
    "GMC024": Kind(
        "classes that only one domain has",
        "The two graphs do not have the same classes: part of any distance and of any transfer gap is due to that.",
        "Leave those classes out of both graphs, or read the distances with them in mind.",
        "A class occurs among the labels of one of the two graphs only.",
    ),
    "GMC025": Kind(
        "collinear statistics",
        "Statistics that predict a barrier together carry the same information, so their importances are shared "
        "between them, and a partial dependence on one says nothing apart from the other.",
        "Read them as one; leave all but one out, or add graphs on which they differ.",
        "Over graphs, every cluster counting once, |Spearman's ρ| of two statistics of one prediction is at least .95; "
        "or, where no two are so alike, the condition number of the matrix of their correlations is at least 30.",
    ),
    "GMC026": Kind(
        "ends below the stated accuracy",
        "Ends are more than 2 points below what a tuned network is stated to reach: their barriers are of other minima "
        "than the published ones.",
        "Train as published (recipes: true), longer, or read these graphs apart.",
        "The mean test metric of a model's modes at the stated endpoint is more than 2 points below the value that its "
        "recipe states.",
    ),
}


@dataclass(frozen=True)
class Diagnostic:
    """A diagnostic that fired: its code and one line on where and how much.

    Raises InputError for a code that is not in the catalogue.
    """

    code: str
    message: str

    def __post_init__(self) -> None:
        if self.code not in CATALOGUE:
            raise InputError(f"unknown diagnostic {self.code!r}: allowed: {', '.join(CATALOGUE)}")

    @property
    def kind(self) -> Kind:
        """The catalogue's entry: title, meaning, remedy."""
        return CATALOGUE[self.code]

    def __str__(self) -> str:
        return f"{self.code} {self.kind.title}: {self.message}"


def as_records(diagnostics: Iterable[Diagnostic]) -> list[dict[str, str]]:
    """Rows `code, title, message, meaning, remedy`, one per diagnostic, for a table."""
    return [
        {
            "code": d.code,
            "title": d.kind.title,
            "message": d.message,
            "meaning": d.kind.meaning,
            "remedy": d.kind.remedy,
        }
        for d in diagnostics
    ]


def as_markdown() -> str:
    """The catalogue as a page: `DIAGNOSTICS.md` of the repository."""
    parts = ["# Diagnostics\n\nWhat may be wrong with a result, and what to do. A report lists those that fired.\n"]
    for code, kind in CATALOGUE.items():
        parts.append(
            f"## {code} {kind.title}\n\n{kind.meaning}\n\n**Fires when:** {kind.rule}\n\n**Do:** {kind.remedy}\n"
        )
    return "\n".join(parts)
