"""A table as LaTeX, with the numbers as the page shows them."""

from typing import Any

import pandas as pd

from gnnmc.report.numbers import column_format

# Of text in math mode and out of it.
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\N{MINUS SIGN}": "$-$",
    "→": r"$\rightarrow$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "²": r"\textsuperscript{2}",
    "½": r"$\frac{1}{2}$",
}


def to_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    r"""A `longtable` with rules of booktabs: `\input` it under `\usepackage{booktabs,longtable}`. Ends with a line end.

    Numbers are right-aligned and rounded as on the page; everything else is escaped, so no text of a table is read as a
    command. Shapes: any frame without an index of its own.
    """
    numeric = [pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes]
    formats = [column_format(column) for _, column in frame.items()]
    head = _row(str(name).replace("_", " ") for name in frame.columns)
    lines = [
        rf"\begin{{longtable}}{{{''.join('r' if is_number else 'l' for is_number in numeric)}}}",
        rf"\caption{{{escaped(caption)}}}\label{{tab:{label}}}\\",
        r"\toprule",
        head,
        r"\midrule\endfirsthead",
        r"\toprule",
        head,
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
    ]
    for row in frame.itertuples(index=False, name=None):
        lines.append(_row(text(value) for text, value in zip(formats, row, strict=True)))
    return "\n".join([*lines, r"\end{longtable}", ""])


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))


def _row(cells: Any) -> str:
    return " & ".join(escaped(cell) for cell in cells) + r" \\"
