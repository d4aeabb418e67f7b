import pandas as pd
import pytest

from gnnmc.errors import InputError, StoreError
from gnnmc.store import export_table, read_table

FRAME = pd.DataFrame({"graph": ["cora", "x,y"], "barrier": [0.1 + 0.2, float("nan")], "n": [1, 2]})


def test_a_table_is_there_for_programs_and_for_people(tmp_path):
    parquet, csv = export_table(FRAME, tmp_path / "tables", "barriers")
    pd.testing.assert_frame_equal(read_table(tmp_path / "tables", "barriers"), FRAME, check_exact=True)
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), FRAME)
    assert csv.read_text() == 'graph,barrier,n\ncora,0.30000000000000004,1\n"x,y",,2\n'
    assert sorted(p.name for p in (tmp_path / "tables").iterdir()) == ["barriers.csv", "barriers.parquet"]


def test_an_index_that_says_something_is_written_out(tmp_path):
    _, csv = export_table(FRAME.set_index("graph"), tmp_path, "t")
    assert csv.read_text().splitlines()[0] == "graph,barrier,n"


def test_a_table_replaces_the_one_before(tmp_path):
    export_table(FRAME, tmp_path, "t")
    export_table(FRAME.iloc[:1], tmp_path, "t")
    assert len(read_table(tmp_path, "t")) == 1


@pytest.mark.parametrize("name", ["../t", "", "a/b"])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="not allowed"):
        export_table(FRAME, tmp_path, name)
    with pytest.raises(InputError, match="not allowed"):
        read_table(tmp_path, name)


def test_missing_and_broken_tables_are_one_line(tmp_path):
    with pytest.raises(InputError, match="no table 't'"):
        read_table(tmp_path, "t")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(StoreError, match=r"t\.parquet cannot be read") as error:
        read_table(tmp_path, "t")
    assert "\n" not in str(error.value)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot write table"):
        export_table(FRAME, tmp_path / "file", "t")
