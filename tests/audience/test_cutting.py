"""Cutting CSV files: the quick way and the careful way come to the same rows, the same lines and the same complaints."""

import csv
from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.audience import commas
from orchestrator.audience.texts import Form

CELLS = st.sampled_from(
    [
        "",
        "a",
        "Ä",
        " ",
        "a b",
        '"a"',
        '"a,b"',
        '"a""b"',
        '""',
        '"',
        'a"b',
        '"a"b',
        '"a\nb"',
        '"a\r\nb"',
        "\r",
        "\0",
        "'",
        "\\",
        '"""a"""',
        '""a',
        '"a"""',
        "\x02",
        "\x03",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", ""])
LINES = st.lists(st.tuples(st.lists(CELLS, min_size=1, max_size=3).map(",".join), ENDS), max_size=12)


def cut(path):
    """Every row with its line, and every complaint."""
    rows, broken = [], []
    for part in commas.rows_of_csv(path, Form(encoding="utf-8")):
        rows += part.rows.to_pylist()
        broken += part.broken
    return rows, broken


@given(LINES)
@settings(deadline=None, max_examples=400)
@example([('"a"b,c', "\n")])
@example([('a,"a"b', "\n"), ("x,y", "\n")])
@example([('a,""b', "\n")])
@example([('"a" ,b', "\n")])
@example([('a,"b', "\n"), ('c",d', "\n"), ("e,f", "\r")])
@example([('a,"b', "\n"), ("c,d", "\n"), ("e,f", "\n"), ('g,"h"', "\n"), ("i,j", "")])
@example([('a,"b', "\n"), ("c\rd", "\r"), ('e,"f"', "\n")])
def test_the_quick_way_cuts_as_the_careful_way_does(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("cut") / "a.csv"
    path.write_bytes(("x,y\n" + "".join(chain.from_iterable(lines))).encode())
    quick = cut(path)
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_):
            raise csv.Error

        patch.setattr(commas, "_CHUNK", 7)
        assert cut(path) == quick
        patch.setattr(commas, "_at_once", refuse)
        assert cut(path) == quick
        patch.undo()
        patch.setattr(commas, "_at_once", refuse)
        assert cut(path) == quick


def test_a_row_that_would_be_half_a_file_costs_its_first_line(tmp_path, monkeypatch):
    monkeypatch.setattr(commas, "_LONGEST_ROW", 1000)
    monkeypatch.setattr(commas, "_CHUNK", 100)
    path = tmp_path / "a.csv"
    path.write_text('x,y\n"\n' + '","\n' * 1000 + "a,b\n")
    rows, broken = cut(path)
    assert [(row["line"], row["c0"], row["c1"]) for row in rows] == [(1003, "a", "b")]
    assert (broken[0].line, len(broken)) == (2, 1001)
    assert "a row that goes on without end" in broken[0].reason
