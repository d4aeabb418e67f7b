"""Tables as LaTeX: rounded as on the page, and no text of theirs is a command."""

import re

import pandas as pd
import pytest

from gnnmc.report.latex import escaped, to_latex


def lines(frame: pd.DataFrame) -> list[str]:
    return to_latex(frame, "A caption.", "name").splitlines()


def test_a_table_has_its_columns_rules_caption_and_label() -> None:
    frame = pd.DataFrame({"model_name": ["gcn", "mlp"], "barrier": [0.12345, float("nan")], "pairs": [6, 12000]})
    assert lines(frame) == [
        r"\begin{longtable}{lrr}",
        r"\caption{A caption.}\label{tab:name}\\",
        r"\toprule",
        r"model name & barrier & pairs \\",
        r"\midrule\endfirsthead",
        r"\toprule",
        r"model name & barrier & pairs \\",
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
        r"gcn & 0.123 & 6 \\",
        r"mlp & — & 12,000 \\",
        r"\end{longtable}",
    ]


def test_a_negative_number_has_a_minus_sign() -> None:
    assert r"$-$0.250 \\" in "\n".join(lines(pd.DataFrame({"a": [-0.25, 0.12345]})))


@pytest.mark.parametrize("hostile", [r"\input{/etc/passwd}", r"a & b \\ c", "50 % {x}_1^2 ~ #1 $y$", "a\nb\n\nc"])
def test_text_is_never_a_command(hostile: str) -> None:
    text = escaped(hostile)
    assert "\n" not in text
    known = r"\\textbackslash\{\}|\\textasciitilde\{\}|\\textasciicircum\{\}|\\[&%$#_{}]"
    assert not re.search(r"[\\&%$#_{}~^]", re.sub(known, "", text))


def test_every_cell_of_a_hostile_table_stays_in_its_cell() -> None:
    body = lines(pd.DataFrame({"a": [r"x & y \\"], "b": [r"\end{longtable}"]}))[9]
    assert len(re.findall(r"(?<!\\)&", body)) == 1
    assert body.endswith(r" \\") and body.count(r"\\") == 1
