"""One sentence of an answer: where it holds, what it is about, and what it says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from gnnmc.analysis.wording import setting

TREND, SIZE, SHAPE, RIVALS, AXIS = "trend", "size", "shape", "other statistics", "axis"


@dataclass(frozen=True)
class Sentence:
    """`str()` gives a short paragraph that stands alone; a table can do without the repetition.

    group: the setting, column → value. about: what kind of finding. said: without where it holds, ends with a period.
    held: of a controlled association, what was controlled for.
    """

    group: Mapping[str, Any] = field(hash=False)
    about: str
    said: str
    held: str = ""

    def __str__(self) -> str:
        what = f", {self.about}" if self.about not in (TREND, SIZE, SHAPE, RIVALS, AXIS) else ""
        return f"{setting(self.group)}{what}{f' ({self.held})' if self.held else ''}: {self.said}"


def sentence_table(sentences: Iterable[Sentence]) -> pd.DataFrame:
    """One row per sentence: the columns of its setting, `about`, `finding`."""
    rows = [
        {**each.group, "about": each.about, "finding": f"{each.held}: {each.said}" if each.held else each.said}
        for each in sentences
    ]
    return pd.DataFrame(rows)
