"""Real graphs by name, through torch_geometric's own data set classes."""

import os
from pathlib import Path

from torch import Tensor
from torch_geometric.data import Data

from gnnmc.data.catalogue import GRAPHS, LEVELS, GraphSet, find_graph
from gnnmc.data.catalogue.entry import RANDOM
from gnnmc.data.features import FEATURES
from gnnmc.data.layout import LAYOUTS
from gnnmc.data.sources import describe_source, raw_folder
from gnnmc.data.splits import random_split, set_masks
from gnnmc.data.staging import read_staged
from gnnmc.errors import InputError
from gnnmc.registry import unknown_name

MASKS = ("train_mask", "val_mask", "test_mask")


def list_graphs(level: str | None = None) -> list[str]:
    """The names that `load_graph` (level "node") and `load_graphs` (level "graph") take, family by family.

    Raises InputError for an unknown level.
    """
    if level is not None and level not in LEVELS:
        raise unknown_name("level", level, LEVELS)
    return [name for name in GRAPHS if level in (None, GRAPHS[name].level)]


def load_graph(
    name: str,
    root: str | os.PathLike[str] | None = None,
    features: str = "default",
    split: str | None = None,
    fold: int | None = None,
    train_per_class: int | None = None,
    train_fraction: float | None = None,
    split_seed: int = 0,
    layout: str = "auto",
    val: float | None = None,
    test: float | None = None,
) -> Data:
    """Load a real graph.

    Raw files are looked for below `root`, then below the folder in the environment variable GNNMC_DATA, then in the
    user's cache; what is nowhere is downloaded into the cache by the set's own class. Found files are never written to,
    nor anything beside them. The graph is as the class gives it: WebKB stays directed.

    Args:
        name: `family-name` as in `list_graphs("node")`, in any case; "Cora", "CiteSeer" and "PubMed" go without family.
        root: a folder that holds the families (`planetoid/Cora/raw/…`), or one family's own folder (`Cora/raw/…`).
        features: "row" (rows sum to 1), "raw" (as stored), "standard" (columns with mean 0 and deviation 1), "degree"
            (one-hot degree instead, the same columns for every graph: see `degree_features`) or "default": row for the
            bags of words of Planetoid, Amazon, Coauthor and CitationFull, raw elsewhere (science 0).
        split: which of the splits that come with the set: Planetoid has "public" (default) and "geom-gcn".
        fold: which column of a split that has several, from 0 (default 0).
        train_per_class, train_fraction, split_seed: a random split instead (see `random_split`); sets that come without
            a split get the one of science 1.2.
        val, test: how large the other parts of a random split are: numbers of nodes, or below 1 shares of them.
        layout: "dense", "sparse" (`torch.sparse_csr`) or "auto": dense up to 256 MiB; above that sparse where less than
            a quarter of the features is non-zero (the Coauthor sets). Bags of words that are stored by their non-zeros
            or as bytes are not made dense on the way.

    Shapes:
        x: (N, F) float32; y: (N,) int64; edge_index: (2, E) int64; train_mask, val_mask, test_mask: (N,) bool
        y_multi: (N, C) int64, all labels, only in the citation domains
        metrics: what the set's authors report, then accuracy: names in `gnnmc.problem.METRICS`
        name, features: str; fold: int, only where the split has several
        source: dict of `name`, `split` and `fold` (None where there is none), `files` (raw file → sha256), `sha256` (of
            all together), `url`, `license`

    Raises:
        InputError: an unknown name, treatment, layout, split or fold, a set of graphs (`load_graphs`), a random split
            that the labels do not allow, sparse "standard" features (no zero stays), or damaged raw files.
        MissingDataError: raw files are nowhere and cannot be downloaded; the message says which and where to put them.
    """
    full, entry = find_graph(name, level="node")
    features = entry.features if features == "default" else features
    treat, lay_out = FEATURES[features], LAYOUTS[layout]
    if (features, layout) == ("standard", "sparse"):
        raise InputError("features 'standard' leave no zero to save: choose layout 'dense', or features 'row' or 'raw'")
    split, raw = entry.raw(split)
    own_split = train_per_class is not None or train_fraction is not None
    if own_split and fold is not None:
        raise InputError(f"fold {fold} and a random split (train_per_class, train_fraction) exclude each other")
    if not own_split and (val is not None or test is not None):
        raise InputError("val and test are parts of a random split: give train_per_class or train_fraction too")

    folder = raw_folder(full, entry, raw, root)
    data = read_staged(entry, raw, folder)[0]
    _check_whole(data, full, folder)
    data.x = lay_out(treat(data))
    if own_split or MASKS[0] not in data:
        if fold is not None:
            raise InputError(
                f"graph {full!r} comes without a split, got fold {fold!r}: leave it out, or give split_seed"
            )
        per_class = 20 if train_per_class is None else train_per_class
        set_masks(data, random_split(data.y, per_class, train_fraction, split_seed, val, test))
        split = RANDOM
    else:
        _choose_fold(data, full, entry, fold)

    data.name = full
    data.features = features
    data.metrics = (entry.metric,) if entry.metric == "accuracy" else (entry.metric, "accuracy")
    data.source = describe_source(full, entry, raw, folder, split=split, fold=data.fold if "fold" in data else None)
    return data


def _check_whole(data: Data, full: str, folder: Path) -> None:
    """Sizes that agree, in the dtypes that are promised; raises InputError for what a damaged file leaves behind."""
    num_nodes = data.y.size(0)
    sizes = {name: data[name].size(0) for name in ("x", *MASKS) if data.get(name) is not None}
    if wrong := {name: size for name, size in sizes.items() if size != num_nodes}:
        found = ", ".join(f"{size} rows of {name}" for name, size in wrong.items())
        raise InputError(
            f"raw files of {full!r} in {folder} disagree: {num_nodes} labels but {found}; put them there anew"
        )
    ends = data.edge_index
    if ends.numel() and not 0 <= int(ends.min()) <= int(ends.max()) < num_nodes:
        raise InputError(
            f"raw files of {full!r} in {folder} disagree: edges name nodes {int(ends.min())} to {int(ends.max())}, "
            f"but there are {num_nodes} nodes; put them there anew"
        )
    data.x = data.x.float()
    data.y = data.y.long()


def _choose_fold(data: Data, full: str, entry: GraphSet, fold: int | None) -> None:
    """Boolean (N,) masks; of masks (N, K), those of one fold. Some sets have folds for training but one test set."""
    masks: dict[str, Tensor] = {name: data[name].bool() for name in data.to_dict() if name.endswith("_mask")}
    folds = max(mask.size(1) if mask.dim() == 2 else 0 for mask in masks.values())
    if folds:
        fold = 0 if fold is None else fold
        if type(fold) is not int or not 0 <= fold < folds:
            raise InputError(f"graph {full!r} has folds 0 to {folds - 1}, got fold {fold!r}")
        masks = {name: mask[:, fold].contiguous() if mask.dim() == 2 else mask for name, mask in masks.items()}
        data.fold = fold
    elif fold is not None:
        others = "".join(f", or choose split={name!r}" for name in list(entry.splits)[1:])
        raise InputError(f"this split of graph {full!r} has no folds, got fold {fold!r}: leave it out{others}")
    for name, mask in masks.items():
        data[name] = mask
