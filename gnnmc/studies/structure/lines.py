"""What the lines between modes are called: the kind of path, and how the second end was moved."""

import pandas as pd

from gnnmc.draw.looks import WITH_REPAIR
from gnnmc.studies.stages.align import AS_TRAINED


def called_line(path: str, aligned: str) -> str:
    """A line in a word before "path": "linear", "weights-aligned linear", "bezier"."""
    if aligned == AS_TRAINED:
        return path
    if aligned == AS_TRAINED + WITH_REPAIR:
        return path + WITH_REPAIR
    return f"{aligned}-aligned {path}"


def with_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with `path` as lines are called, in place of the path and the alignment."""
    if frame.empty:
        return frame
    lines = [called_line(path, aligned) for path, aligned in zip(frame["path"], frame["aligned"], strict=True)]
    return frame.assign(path=lines).drop(columns="aligned")


def first_line(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one line only, the first of the config: the straight one as trained where there is one."""
    straight = frame[(frame["path"] == "linear") & (frame["aligned"] == AS_TRAINED)]
    if len(straight):
        return straight
    first = frame.iloc[0]
    return frame[(frame["path"] == first["path"]) & (frame["aligned"] == first["aligned"])]
