"""Real graphs by name, through torch_geometric's own data set classes."""

import hashlib
import os
from pathlib import Path

from torch import Tensor
from torch_geometric.data import Data

from gnnmc.data.catalogue import GRAPHS, GraphSet, RawFiles, find_graph
from gnnmc.data.digests import sha256_of
from gnnmc.data.features import FEATURES
from gnnmc.data.roots import VARIABLE, cache_root, find_place
from gnnmc.data.splits import random_split, set_masks
from gnnmc.data.staging import download, read_staged
from gnnmc.errors import InputError, MissingDataError

MASKS = ("train_mask", "val_mask", "test_mask")


def list_graphs() -> list[str]:
    """The names that `load_graph` takes, family by family."""
    return GRAPHS.names()


def load_graph(
    name: str,
    root: str | os.PathLike[str] | None = None,
    features: str = "default",
    split: str | None = None,
    fold: int | None = None,
    train_per_class: int | None = None,
    train_fraction: float | None = None,
    split_seed: int = 0,
) -> Data:
    """Load a real graph.

    Raw files are looked for below `root`, then below the folder in the environment variable GNNMC_DATA, then in the
    user's cache; what is nowhere is downloaded into the cache by the set's own class. Found files are never written to,
    nor anything beside them. The graph is as the class gives it: WebKB stays directed.

    Args:
        name: `family-name` as in `list_graphs()`, in any case; "Cora", "CiteSeer" and "PubMed" go without family.
        root: a folder that holds the families (`planetoid/Cora/raw/…`), or one family's own folder (`Cora/raw/…`).
        features: "row" (rows sum to 1), "raw" (as stored), "standard" (columns with mean 0 and deviation 1) or
            "default": row for the bags of words of the Planetoid family, raw elsewhere (science 0).
        split: which of the splits that come with the set: Planetoid has "public" (default) and "geom-gcn".
        fold: which column of a split that has several, from 0 (default 0).
        train_per_class, train_fraction, split_seed: a random split instead (see `random_split`); sets that come without
            a split get the one of science 1.2.

    Shapes:
        x: (N, F) float32; y: (N,) int64; edge_index: (2, E) int64; train_mask, val_mask, test_mask: (N,) bool
        name, features: str; fold: int, only where the split has several
        source: dict of `name`, `split` and `fold` (None where there is none), `files` (raw file → sha256), `sha256` (of
            all together), `url`, `license`

    Raises:
        InputError: an unknown name, treatment, split or fold, or a random split that the labels do not allow.
        MissingDataError: raw files are nowhere and cannot be downloaded; the message says which and where to put them.
    """
    full, entry = find_graph(name)
    treat = FEATURES[entry.features if features == "default" else features]
    split, raw = entry.raw(split)
    own_split = train_per_class is not None or train_fraction is not None
    if own_split and fold is not None:
        raise InputError(f"fold {fold} and a random split (train_per_class, train_fraction) exclude each other")

    folder = _raw_folder(full, entry, raw, root)
    data = read_staged(entry, raw, folder)
    data.x = treat(data.x.float())
    data.y = data.y.long()
    if own_split or MASKS[0] not in data:
        per_class = 20 if train_per_class is None else train_per_class
        set_masks(data, random_split(data.y, per_class, train_fraction, seed=split_seed))
        split = "random"
    else:
        _choose_fold(data, full, entry, fold)

    data.name = full
    data.features = entry.features if features == "default" else features
    files = _digests(entry, raw, folder)
    data.source = {
        "name": full,
        "split": split,
        "fold": data.fold if "fold" in data else None,
        "files": files,
        "sha256": hashlib.sha256("".join(f"{file} {digest}\n" for file, digest in files.items()).encode()).hexdigest(),
        "url": entry.url,
        "license": entry.license,
    }
    return data


def raw_files(name: str, root: str | os.PathLike[str] | None = None, split: str | None = None) -> dict[str, str]:
    """The raw files of a graph and their sha256: what a result computed from it is addressed by.

    File names are relative to a root and the same wherever the files were found. Missing files are downloaded first.

    Raises:
        InputError: an unknown name or split.
        MissingDataError: as `load_graph`.
    """
    full, entry = find_graph(name)
    _, raw = entry.raw(split)
    return _digests(entry, raw, _raw_folder(full, entry, raw, root))


def _raw_folder(full: str, entry: GraphSet, raw: RawFiles, root: str | os.PathLike[str] | None) -> Path:
    """The folder with all raw files, after a download if need be."""
    place = find_place(root, entry.family, raw.folder, raw.files)
    if not place.missing:
        return place.folder
    try:
        return download(entry, raw, cache_root())
    except OSError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MissingDataError(
            f"data set {full!r}: {', '.join(place.missing)} not found and not downloaded from {entry.url} ({reason}): "
            f"put them into {place.folder}, or set {VARIABLE} to a folder that holds "
            f"{entry.family}/{raw.folder}"
        ) from None


def _digests(entry: GraphSet, raw: RawFiles, folder: Path) -> dict[str, str]:
    return {f"{entry.family}/{raw.folder}/{file}": sha256_of(folder / file) for file in raw.files}


def _choose_fold(data: Data, full: str, entry: GraphSet, fold: int | None) -> None:
    """Boolean (N,) masks; of masks (N, K), those of one fold."""
    masks: dict[str, Tensor] = {mask: data[mask].bool() for mask in MASKS}
    folds = masks[MASKS[0]].size(1) if masks[MASKS[0]].dim() == 2 else 0
    if folds:
        fold = 0 if fold is None else fold
        if type(fold) is not int or not 0 <= fold < folds:
            raise InputError(f"graph {full!r} has folds 0 to {folds - 1}, got fold {fold!r}")
        masks = {name: mask[:, fold].contiguous() for name, mask in masks.items()}
        data.fold = fold
    elif fold is not None:
        others = "".join(f", or choose split={name!r}" for name in list(entry.splits)[1:])
        raise InputError(f"this split of graph {full!r} has no folds, got fold {fold!r}: leave it out{others}")
    for name, mask in masks.items():
        data[name] = mask
