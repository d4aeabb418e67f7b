"""Text by name, for a language model beside the graphs."""

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.data.text_digests import PYDOC_TOPICS
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.registry import Registry

# Shares of the text, in its order; the rest is `test`.
_SHARES = {"train": 0.8, "val": 0.1}


@dataclass(frozen=True, eq=False)
class Text:
    """Windows of a text, as `Problem.language_modeling(text.windows, text.splits)` takes them.

    vocabulary: the characters, token k standing for the k-th. source: where the text is from, its sha256, and the
    `release` that is known to have this text, None for one that nobody has looked at.

    Shapes: windows (N, T + 1) int64; splits name → (M,) int64.
    """

    windows: Tensor
    splits: Mapping[str, Tensor]
    vocabulary: str
    name: str
    source: Mapping[str, str | None]

    def __len__(self) -> int:
        return len(self.windows)

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {len(index)}" for name, index in self.splits.items())
        return (
            f"Text({self.name!r}: {len(self)} windows of {self.windows.shape[1] - 1} tokens, "
            f"{len(self.vocabulary)} different ones, splits {splits})"
        )

    def decoded(self, tokens: Tensor) -> str:
        """The characters of tokens. Shapes: (T,)."""
        return "".join(self.vocabulary[token] for token in tokens.tolist())


@dataclass(frozen=True)
class TextSet:
    """One text: how it is read, and the known digests of its releases."""

    read: Callable[[], str]
    releases: Mapping[str, str]
    source: str


TEXTS: Registry[TextSet] = Registry("text")


def list_texts() -> list[str]:
    """The names that `load_text` takes."""
    return TEXTS.names()


def load_text(name: str, context: int = 64, limit: int | None = None) -> Text:
    """Load a text by name, as windows of characters.

    The first 80 % of the text are `train`, the next 10 % `val`, the rest `test`; each piece is cut into windows of
    `context` + 1 characters, of which the last is the first of the next: every character of a piece but the first is
    predicted once, and no window sees anything of another piece.

    "pydoc-topics", the help texts of Python's language reference, comes with every Python, and is another text in
    every release: `.source` has the sha256 of the one that was read, and the release, where it is a known one.

    Args:
        context: how many characters a model sees at once.
        limit: at most about so many windows, of the beginning of the text, for quick looks.

    Shapes:
        .windows: (N, T + 1) int64, T the context; .splits: name → (M,) int64

    Raises:
        InputError: an unknown name, a context below 2, or one that leaves a piece without a window.
    """
    entry = TEXTS[name]
    context = whole_number("context", context, least=2)
    text = entry.read()
    vocabulary = "".join(sorted(set(text)))
    number = {character: token for token, character in enumerate(vocabulary)}
    tokens = torch.tensor([number[character] for character in text])
    if limit is not None:
        tokens = tokens[: whole_number("limit", limit, least=1) * context]
    windows, splits = _windows(tokens, context)
    return Text(windows, splits, vocabulary, name, _source(entry, text))


def text_source(name: str) -> dict[str, str | None]:
    """Where a text is from, its sha256 and its release. Raises InputError for an unknown name."""
    entry = TEXTS[name]
    return _source(entry, entry.read())


def _windows(tokens: Tensor, context: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Shapes: tokens (M,) → (N, T + 1), name → (n,)."""
    lengths = [round(share * len(tokens)) for share in _SHARES.values()]
    pieces = tokens.split([*lengths, len(tokens) - sum(lengths)])
    if min(map(len, pieces)) <= context:
        raise InputError(
            f"context={context} leaves no window in a piece of {min(map(len, pieces))} of the {len(tokens)} characters:"
            " ask for a shorter one, or a higher limit"
        )
    found = [piece.unfold(0, context + 1, context) for piece in pieces]
    numbers = torch.arange(sum(map(len, found))).split([len(each) for each in found])
    return torch.cat(found), dict(zip([*_SHARES, "test"], numbers, strict=True))


def _source(entry: TextSet, text: str) -> dict[str, str | None]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    release = next((release for release, known in entry.releases.items() if known == digest), None)
    return {"source": entry.source, "python": platform.python_version(), "sha256": digest, "release": release}


def _pydoc_topics() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


TEXTS.add("pydoc-topics", TextSet(_pydoc_topics, PYDOC_TOPICS, "pydoc_data.topics of Python's standard library, PSF"))
