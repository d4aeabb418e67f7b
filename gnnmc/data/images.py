"""Images by name, for a CNN or an MLP beside the graphs."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gnnmc.data.digests import sha256_of
from gnnmc.data.idx import read_idx
from gnnmc.data.roots import VARIABLE, find_place
from gnnmc.errors import InputError, MissingDataError
from gnnmc.problem.splits import MAX_VALIDATION, share_split, standard_split
from gnnmc.registry import Registry
from gnnmc.seeding import numpy_generator


@dataclass(frozen=True, eq=False)
class Images:
    """Images with their classes, as `Problem.arrays(images.x, images.y, images.splits)` takes them.

    Shapes: x (N, channels, height, width) float32 in [0, 1]; y (N,) int64; splits name → (M,) int64.
    files: raw file → sha256; none for images that come with a package.
    """

    x: Tensor
    y: Tensor
    splits: Mapping[str, Tensor]
    name: str
    files: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {len(index)}" for name, index in self.splits.items())
        return f"Images({self.name!r}: {len(self)} of {tuple(self.x.shape[1:])}, splits {splits})"


@dataclass(frozen=True)
class ImageSet:
    """One set: how it is read from its folder (None: it needs none), and its raw files."""

    read: Callable[[Path | None], tuple[Tensor, Tensor, int | None]]
    folder: str = ""
    files: tuple[str, ...] = ()
    source: str = ""


IMAGES: Registry[ImageSet] = Registry("image set")


def list_images() -> list[str]:
    """The names that `load_images` takes."""
    return IMAGES.names()


def load_images(
    name: str,
    root: str | os.PathLike[str] | None = None,
    train_per_class: int | None = None,
    split_seed: int = 0,
    limit: int | None = None,
) -> Images:
    """Load images by name.

    Raw files are looked for below `root`, then below GNNMC_DATA, then in the user's cache; nothing is downloaded.

    Args:
        train_per_class: the rule of science 1.2, as for graphs. By default a set's own test images are `test`, 500 of
            the others `val` and the rest `train`; a set without them is shared 80/10/10 %.
        limit: at most so many images, chosen at random on the stream `split_seed` (of the test images as many as their
            share), for quick looks.

    Shapes:
        .x: (N, channels, height, width) float32 in [0, 1]; .y: (N,) int64; .splits: name → (M,) int64

    Raises:
        InputError: an unknown name, a damaged file, or a split that the classes do not allow.
        MissingDataError: raw files are nowhere; the message says which and where to put them.
    """
    entry = IMAGES[name]
    folder = _folder(name, entry, root)
    x, y, own_test = entry.read(folder)
    if limit is not None:
        if limit < 1:
            raise InputError(f"limit={limit}: at least 1 image is needed")
        drawn = numpy_generator(split_seed, "images", "limit").permutation(len(y))[:limit]
        chosen = torch.from_numpy(drawn).sort().values
        own_test = None if own_test is None else int((chosen < own_test).sum())
        x, y = x[chosen], y[chosen]
    if train_per_class is not None:
        splits = standard_split(y, train_per_class, seed=split_seed)
    elif own_test is None:
        splits = share_split(len(y), y, seed=split_seed)
    else:
        order = torch.from_numpy(numpy_generator(split_seed, "split").permutation(own_test))
        num_val = min(MAX_VALIDATION, own_test // 2)
        splits = {
            "train": order[num_val:].sort().values,
            "val": order[:num_val].sort().values,
            "test": torch.arange(own_test, len(y)),
        }
    return Images(x, y, splits, name, image_files(name, root))


def image_files(name: str, root: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """The raw files of an image set and their sha256, none for what comes with a package. Raises as `load_images`."""
    entry = IMAGES[name]
    folder = _folder(name, entry, root)
    return {} if folder is None else {f"{entry.folder}/{file}": sha256_of(folder / file) for file in entry.files}


def _folder(name: str, entry: ImageSet, root: str | os.PathLike[str] | None) -> Path | None:
    if not entry.files:
        return None
    place = find_place(root, "images", entry.folder, entry.files)
    if place.missing:
        raise MissingDataError(
            f"images {name!r}: {', '.join(place.missing)} not found: put them into {place.folder}, or set {VARIABLE} "
            f"to a folder that holds {entry.folder} ({entry.source})"
        )
    return place.folder


def _digits(folder: Path | None) -> tuple[Tensor, Tensor, int | None]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return torch.from_numpy(found.images).float()[:, None] / 16, torch.from_numpy(found.target).long(), None


def _fashion_mnist(folder: Path | None) -> tuple[Tensor, Tensor, int | None]:
    parts = [read_idx((folder or Path()) / file) for file in FASHION_FILES]
    for (images, labels), file in zip((parts[:2], parts[2:]), FASHION_FILES[::2], strict=True):
        if images.ndim != 3 or labels.shape != images.shape[:1] or (len(labels) and labels.max() > 9):
            raise InputError(f"{file} and its labels do not fit: {images.shape} images, {labels.shape} labels")
    x = torch.cat([torch.from_numpy(images.copy()) for images in parts[::2]]).float()[:, None] / 255
    y = torch.cat([torch.from_numpy(labels.copy()) for labels in parts[1::2]]).long()
    return x, y, len(parts[1])


FASHION_FILES = tuple(
    f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)
IMAGES.add("digits", ImageSet(_digits, source="scikit-learn, 8 × 8, 1,797 images"))
IMAGES.add(
    "fashion-mnist",
    ImageSet(
        _fashion_mnist,
        folder="fashion-mnist",
        files=FASHION_FILES,
        source="Xiao et al. 2017, github.com/zalandoresearch/fashion-mnist; Debian: dataset-fashion-mnist",
    ),
)
