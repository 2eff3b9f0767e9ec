"""Files that are not what they should be: each says where, what and what to do, and nothing else is lost."""

import csv
import gzip
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audience.bench import Bench
from orchestrator.audience.cell import FORMS, Cell
from orchestrator.audience.encodings import encoding_of
from orchestrator.audience.mapping import What
from orchestrator.audience.texts import FileError, Form
from orchestrator.core.segments.tree import Kind
from orchestrator.providers import CannotBuildError
from orchestrator.providers.addresses import address
from tests.audience.builders import a_file, an_audience, imported, people


def reasons(done):
    with done.rejects.open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.csv", None, "there is no such file"),
        ("empty.csv", b"", "the file is empty"),
        ("empty.jsonl", b"", "the file is empty"),
        ("people.xlsx", b"PK", r"Name it \.csv, \.jsonl or \.parquet"),
        ("people.parquet", b"no parquet at all", "this is no Parquet file"),
        ("torn.csv.gz", gzip.compress(b"user,a\n" * 1000, mtime=0)[:40], "the compressed file is damaged"),
        ("plain.csv.gz", b"user,a\n", "the compressed file is damaged"),
        ("twins.csv", b"user,a,A\n", "two columns are called a"),
        ("same.csv", b"user,a,a\n", "two columns are called a"),
        ("blank.csv", b"user,,a\n", "column 2 has no name"),
        ("quote.csv", b'user,"name\n', "quote.csv:1: the line cannot be read as CSV"),
        (
            "wrong.csv",
            b"name,town\nAda,Graz\n",
            r"no column looks like the user.*columns: \{name: user\}.*Columns: name, town",
        ),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused_in_words(tmp_path, name, content, says):
    audience = an_audience(tmp_path)
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=says) as refused:
        imported(audience, What.PROFILES, path)
    assert str(path) in str(refused.value)
    assert not audience.path.exists()
    assert list(audience.spools.glob("*/*")) == []


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"column": {}}, "no key 'column'. Did you mean `columns`"),
        ({"columns": {"mail": "email"}}, "speaks of a column mail that is not there"),
        ({"columns": {"userr": "user"}}, "Did you mean user"),
        ({"columns": {"user": {"too": "x"}}}, "no key 'too'"),
        ({"columns": {"score": {"to": "score", "is": "nummer"}}}, "no kind 'nummer'"),
        ({"columns": ["user"]}, "2 columns, but the mapping lists 1"),
        ({"columns": {"score": "user"}}, "are all mapped to user"),
        ({"columns": {"user": "user", "score": "user"}}, "columns.score: 'user' is where user goes already"),
        ({"columns": {"user": "user", "score": 5}}, "columns.score: '5' is not a text"),
        ({"header": "no"}, "header: 'no' is neither true nor false"),
        ({"zone": "Europe/Wien"}, "no time zone 'Europe/Wien'"),
        ({"columns": {"score": "consent.mail.offers"}}, "columns.score: no channel 'mail'\\. .*Allowed: push, email"),
        ({"columns": {"score": "consent.email"}}, "names no topic"),
        ({"separator": "::"}, "separator: '::'"),
        ({"encoding": "utf-9"}, "no encoding 'utf-9'"),
        ({"decimal": ";"}, "decimal: ';' is no decimal sign"),
        ({"columns": {"score": {"to": "consent.email.offers", "is": "time"}}}, "a time says neither yes nor no"),
        ({"columns": {"score": {"to": "consent.email.*"}}}, "nobody says yes to everything at once"),
        ({"columns": {"score": {"to": "consent.email.*", "means_yes": ["1"]}}}, "nobody says yes to everything"),
        (
            {"columns": {"score": {"to": "stopped", "means_yes": "any", "means_no": ["0"]}}},
            "leaves nothing for another",
        ),
        ({"event": "message.opened"}, "event: 'message.opened' is a name of our own events"),
    ],
)
def test_a_mistake_in_the_mapping_names_the_key(tmp_path, mapping, says):
    with pytest.raises(FileError, match=says):
        imported(an_audience(tmp_path), What.PROFILES, a_file(tmp_path, "a.csv", "user,score", "a,1"), mapping)


ODD = (
    "anna@shop.example",
    "anna@bücher.example",
    "anna@BÜCHER.example",
    "da..vid.@docomo.example",
    "a&b=c@my-shop.co.example",
    "x@" + "l" * 63 + ".example",
    "x@" + "l" * 64 + ".example",
    "l" * 64 + "@shop.example",
    "l" * 65 + "@shop.example",
    "x@" + "shop." * 60 + "example",
    "ü@müller.example",
    '"anna"@shop.example',
    "anna(home)@shop.example",
    "anna@my_shop.example",
    "anna@-shop.example",
    "anna@shop..example",
    "anna@☃️.example",
    "anna@shop.exam+ple",
)


def mail_takes(text):
    try:
        address(text)
    except CannotBuildError:
        return False
    return True


def test_an_address_is_taken_just_where_mail_can_be_sent_to_it(tmp_path):
    """An address that every send refuses would be counted as reachable by every plan."""
    audience = an_audience(tmp_path)
    lines = [json.dumps({"user": f"u{place:02}", "email": text}) for place, text in enumerate(ODD)]
    done = imported(audience, What.PROFILES, a_file(tmp_path, "a.jsonl", *lines))
    kept = people(audience, "email")
    sent_to = {f"u{place:02}": text if mail_takes(text) else None for place, text in enumerate(ODD)}
    assert kept == sent_to
    assert len(done.conflicts) == 1
    assert 5 < done.conflicts[0].count == sum(text is None for text in sent_to.values()) < len(ODD) - 5
    told = dict(reasons(done))
    assert "letters outside ASCII before the @ need SMTPUTF8" in told[1 + ODD.index("ü@müller.example")]
    assert "a domain is letters, digits, hyphens" in told[1 + ODD.index("anna@my_shop.example")]


PART = st.lists(st.sampled_from(["a", "bc", "d.e", "f-g", "ü", ".", "-", "_", '"', "@"]), min_size=1, max_size=3).map(
    "".join
)


@given(st.lists(st.builds("{}@{}.ex".format, PART, PART), max_size=40))
def test_of_any_texts_those_are_taken_that_mail_takes(texts):
    with TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        lines = [json.dumps({"email": text}) for text in texts]
        bench.put(pa.table({"line": pa.array(range(len(texts)), pa.int64()), "json": pa.array(lines, pa.string())}))
        raw = "json_extract(json, '$.email')"
        bench.read([Cell("email", "email", raw, json=True, kind=Kind.TEXT, owned=True, form=FORMS["email"])], "json")
        taken = {line for (line,) in bench.engine.sql("SELECT line FROM read WHERE v0 IS NOT NULL").fetchall()}
    assert taken == {line for line, text in enumerate(texts) if mail_takes(text)}


def test_torn_and_foreign_lines_of_json_are_left_out(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "a.jsonl", '{"user": "a", "score": 1}', '{"user": "b", "sc', "", "[1]", '{"user": "c"}', "7"
    )
    done = imported(audience, What.PROFILES, path)
    assert reasons(done) == [(number, "no JSON object: a torn line?") for number in (2, 4, 6)]
    assert (done.rows, done.new, done.left_out) == (5, 2, 3)
    assert list(people(audience, "rest")) == ["a", "c"]


def test_bytes_that_are_no_text_cost_their_line_alone(tmp_path):
    """Beside letters that are UTF-8, others are damage."""
    audience = an_audience(tmp_path)
    path = tmp_path / "a.csv"
    path.write_bytes("user,country\na,Köln\n".encode() + b"b,M\xfcnchen\nc,AT\n")
    done = imported(audience, What.PROFILES, path)
    assert reasons(done) == [(3, "bytes that are no text; save the file as UTF-8, or name its encoding in the mapping")]
    assert people(audience, "a.country") == {"a": "Köln", "c": "AT"}


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("latin-1", "cp1252"), ("cp1252", "cp1252"), ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"),
     ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
def test_encodings_are_recognised(tmp_path, encoding, found, name):
    audience = an_audience(tmp_path)
    text = '{"user": "ü", "country": "Köln"}\n' if name == "a.jsonl" else "user,country\r\nü,Köln\r\n"
    content = text.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    imported(audience, What.PROFILES, tmp_path / name)
    assert people(audience, "a.country") == {"ü": "Köln"}
    assert encoding_of(tmp_path / name, Form()) == found


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
@pytest.mark.parametrize("damage", [b"\xd8\x00", b"\xdc\x00\x00"], ids=["half a letter", "a file cut short"])
def test_damage_in_utf_16_costs_its_row_alone(tmp_path, name, damage):
    audience = an_audience(tmp_path)
    one, two = (
        ('{"user": "a", "country": "AT"}\n', '{"user": "b", "country": "')
        if "json" in name
        else ("user,country\na,AT\n", "b,")
    )
    content = (one + two).encode("utf-16-be") + damage
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    done = imported(audience, What.PROFILES, tmp_path / name)
    assert done.rejected == 1
    assert people(audience, "a.country") == {"a": "AT"}


def test_an_encoding_that_shows_only_late_in_the_file_is_recognised(tmp_path):
    audience = an_audience(tmp_path)
    path = tmp_path / "a.csv"
    plain = b"".join(b"u%06d,AT\n" % number for number in range(150_000))
    path.write_bytes(b"user,country\n" + plain + "z,Köln\n".encode("cp1252"))
    assert imported(audience, What.PROFILES, path).rejects is None
    assert people(audience, "a.country")["z"] == "Köln"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz"])
@pytest.mark.parametrize("begins", [b"", b"user,country\na,AT\n", b"user,country\n" + b"a,AT\n" * 400_000])
def test_ten_gigabytes_of_nothing_are_refused_without_being_read(tmp_path, name, begins):
    """If they were, this test would not end today."""
    path = tmp_path / name
    path.write_bytes(begins)
    os.truncate(path, 10 << 30)
    with pytest.raises(FileError, match=r"no text|no Parquet file|damaged|is no row"):
        imported(an_audience(tmp_path), What.PROFILES, path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04" + b"\0" * 99, "a spreadsheet or a zip archive; save the sheet as CSV"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "this is no text"),
        (b"PAR1xxxx", r"a Parquet file; name it \.parquet"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_files_of_other_kinds_are_known_by_how_they_begin(tmp_path, content, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(FileError, match=says):
        imported(an_audience(tmp_path), What.PROFILES, tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_ten_thousand_columns_are_refused_with_what_to_do(tmp_path, name):
    names = ["user", *(f"c{number}" for number in range(9_999))]
    if name == "a.csv":
        a_file(tmp_path, name, ",".join(names), ",".join("1" for _ in names))
    elif name == "a.jsonl":
        a_file(tmp_path, name, json.dumps(dict.fromkeys(names, 1)))
    else:
        pq.write_table(pa.table({one: [1] for one in names}), tmp_path / name)
    with pytest.raises(FileError, match="10,000 columns, and at most 500 can be imported; leave out"):
        imported(an_audience(tmp_path), What.PROFILES, tmp_path / name)


def test_a_broken_row_in_the_middle_costs_itself_alone(tmp_path):
    audience = an_audience(tmp_path)
    rows = [f"u{number},AT" for number in range(200)]
    rows[100] = 'u100,"A"T'
    done = imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country", *rows))
    assert [(line, "cannot be read as CSV" in why) for line, why in reasons(done)] == [(102, True)]
    assert (done.rows, done.new, done.left_out) == (200, 199, 1)
    assert [(one.column, one.count, one.line) for one in done.reasons] == [("", 1, 102)]


def test_files_of_spreadsheets_are_read_with_their_marks_and_semicolons(tmp_path):
    audience = an_audience(tmp_path)
    for name, encoding in (("a.csv", "utf-8-sig"), ("b.csv", "utf-16")):
        (tmp_path / name).write_text("user;country\r\nü;ÖS\r\n", encoding=encoding)
        imported(audience, What.PROFILES, tmp_path / name)
        assert people(audience, "a.country") == {"ü": "ÖS"}


def test_quotes_line_breaks_and_rows_too_short_or_too_long_are_told_apart(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "a.csv", "user,country,shoe", 'a,"Two', 'lines, one cell",1', "b,AT", "", "c,AT,1,2", 'd,"He said ""no""",3',
    )  # fmt: skip
    done = imported(audience, What.PROFILES, path)
    assert reasons(done) == [(4, "2 cells where the header has 3"), (6, "4 cells where the header has 3")]
    assert people(audience, "a.country") == {"a": "Two\nlines, one cell", "d": 'He said "no"'}


@pytest.mark.parametrize("chunk", [20, 16_000_000])
def test_a_quote_that_is_never_closed_costs_the_line_it_was_opened_in(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr("orchestrator.audience.commas._CHUNK", chunk)
    audience = an_audience(tmp_path)
    rows = [f"u{number:03}@x.example,bounce" for number in range(500)]
    rows[4] = 'u004@x.example,"bounce'
    done = imported(audience, What.SUPPRESSIONS, a_file(tmp_path, "a.csv", "email,reason", *rows))
    assert [(line, "a quote opened in it is not closed" in reason) for line, reason in reasons(done)] == [(6, True)]
    assert (done.rows, len(done.stops), done.left_out) == (500, 499, 1)
    assert [one.address for one in done.stops][3:5] == ["u003@x.example", "u005@x.example"]
    assert done.rejects.read_text().splitlines()[1].startswith('6,,"u004@x.example,""bounce"')
    done.stops.close()


def test_a_quote_that_is_not_closed_within_the_longest_cell_costs_its_line_alone(tmp_path):
    """Whoever looks for its end does not look through all of a large file."""
    audience = an_audience(tmp_path)
    rows = [f"u{number:06},{'x' * 40}" for number in range(60_000)]
    rows[7] = 'u000007,"x'
    rows[-1] = 'u059999,"the end"'
    done = imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country", *rows))
    assert [line for line, _ in reasons(done)] == [9]
    assert (done.new, done.left_out) == (59_999, 1)


@pytest.mark.parametrize(
    ("lines", "left_out"),
    [
        (('a,"AT', "b,AT", 'c,"DE"', "d,AT"), [2]),
        (('a,"AT', "b,AT", '",c', "d,AT"), [2]),
        (('a,"AT', "b,AT", 'c,"DE', "d,AT"), [2, 4]),
    ],
)
def test_a_quote_that_another_row_closes_costs_no_row_between_them(tmp_path, lines, left_out):
    audience = an_audience(tmp_path)
    done = imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country", *lines))
    assert [line for line, _ in reasons(done)][: len(left_out)] == left_out
    assert set(people(audience, "a.country")) >= {"b", "d"}


def test_a_row_over_the_border_of_two_slices_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.audience.commas._CHUNK", 20)
    audience = an_audience(tmp_path)
    path = a_file(tmp_path, "a.csv", "user,country", "a,AT", "b,AT", 'c,"Two', 'lines"', "d,AT", "e", "f,AT")
    done = imported(audience, What.PROFILES, path)
    assert people(audience, "a.country") == {"a": "AT", "b": "AT", "c": "Two\nlines", "d": "AT", "f": "AT"}
    assert reasons(done) == [(7, "1 cells where the header has 2")]


def test_a_compressed_file_is_read_like_any_other(tmp_path):
    audience = an_audience(tmp_path)
    assert imported(audience, What.PROFILES, a_file(tmp_path, "a.csv.gz", "user,country", "a,AT")).new == 1
    assert imported(audience, What.PROFILES, a_file(tmp_path, "b.jsonl.gz", '{"user": "b"}')).new == 1


def test_a_file_of_a_header_alone_imports_nobody(tmp_path):
    audience = an_audience(tmp_path)
    done = imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country"))
    assert (done.rows, done.new, done.rejects) == (0, 0, None)
