"""Images by name, and the files they are read from."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from gnnmc.data.idx import read_idx
from gnnmc.data.images import FASHION_FILES, load_images
from gnnmc.errors import InputError, MissingDataError
from gnnmc.problem import Problem

DEBIAN = Path("/usr/share/datasets")


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def small_fashion(tmp_path):
    """120 training and 30 test images, with the label in the first pixel."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for part, count in (("train", 120), ("t10k", 30)):
        labels = np.arange(count) % 10
        images = rng.integers(0, 256, (count, 28, 28))
        images[:, 0, 0] = labels
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return tmp_path


def test_digits_are_scikit_learns_in_zero_to_one():
    images = load_images("digits")
    assert images.x.shape == (1797, 1, 8, 8)
    assert torch.equal(images.x[:, 0] * 16, torch.from_numpy(load_digits().images).float())
    assert (float(images.x.min()), float(images.x.max())) == (0.0, 1.0)
    together = torch.cat(list(images.splits.values())).sort().values
    assert torch.equal(together, torch.arange(1797))  # every image in one split
    for index in images.splits.values():
        assert len(images.y[index].unique()) == 10
    problem = Problem.arrays(images.x, images.y, images.splits, name=images.name)
    assert (problem.item_shape, problem.num_outputs, problem.num_features) == ((1, 8, 8), 10, 64)


def test_fashion_mnist_keeps_its_own_test_images(small_fashion):
    images = load_images("fashion-mnist", root=small_fashion)
    assert images.x.shape == (150, 1, 28, 28)
    assert torch.equal((images.x[:, 0, 0, 0] * 255).round().long(), images.y)
    assert images.splits["test"].tolist() == list(range(120, 150))
    assert (len(images.splits["train"]), len(images.splits["val"])) == (60, 60)
    assert sorted(images.files) == sorted(f"fashion-mnist/{file}" for file in FASHION_FILES)


def test_a_few_of_them_and_a_few_labels_per_class(small_fashion):
    few = load_images("fashion-mnist", root=small_fashion, limit=60)
    assert len(few) == 60
    assert bool((few.splits["test"] >= len(few) - len(few.splits["test"])).all())
    labeled = load_images("fashion-mnist", root=small_fashion, train_per_class=2)
    assert torch.bincount(labeled.y[labeled.splits["train"]]).tolist() == [2] * 10


def test_what_is_not_there_is_said_with_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"t10k-images-idx3-ubyte.gz.* not found: put them into .*fashion-mnist"):
        load_images("fashion-mnist", root=tmp_path)
    with pytest.raises(InputError, match=r"unknown image set 'fashion'.*fashion-mnist"):
        load_images("fashion")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "begins with nothing"),
        (b"\x00\x00\x0d\x01" + bytes(8), "is no IDX file of bytes"),
        (idx(np.zeros((3, 2, 2)))[:-1], "says it has 28 bytes and has 27"),
        (idx(np.zeros((3, 2, 2)))[:9], "says it has"),
    ],
)
def test_damaged_files_are_named(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_idx(path)
    packed = tmp_path / "images.gz"
    packed.write_bytes(gzip.compress(idx(np.zeros((3, 2, 2))))[:-9])
    with pytest.raises(InputError, match=r"images.gz cannot be read"):
        read_idx(packed)


@pytest.mark.skipif(not (DEBIAN / "fashion-mnist").is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_real_fashion_mnist():
    images = load_images("fashion-mnist", root=DEBIAN)
    assert images.x.shape == (70000, 1, 28, 28)
    assert torch.bincount(images.y).tolist() == [7000] * 10
    assert {name: len(index) for name, index in images.splits.items()} == {"train": 59500, "val": 500, "test": 10000}
