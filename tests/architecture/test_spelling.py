"""American spelling, as PyTorch's, everywhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "gnnmc", "tests", "configs", "benchmarks", "notebooks"]
TEXTS = {".py", ".md", ".yaml", ".html", ".ipynb"}
# `aria-labelledby` is an attribute of HTML.
BRITISH = re.compile(
    r"labelled(?!by)|labelling|neighbour|colour|behaviour|favour|\bgrey|\bcentre|modelling|"
    r"(?:normal|optim|initial|general|regular|minim|maxim|standard|visual|parallel|summar|recogn)is(?:e|ing|ation)",
    re.IGNORECASE,
)


def files(place):
    return [path for path in [place, *sorted(place.rglob("*"))] if path.suffix in TEXTS and path.is_file()]


@pytest.mark.parametrize("place", PLACES)
def test_spelling_is_american(place):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in files(ROOT / place)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for word in BRITISH.findall(line)
    ]
    assert not found
