"""Writing into files people review: what is new comes behind what stands there, and no line of theirs is touched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import extend_catalogue, mapping_of, mapping_text, news, written
from orchestrator.config.adding import with_more
from orchestrator.core.errors import ConfigError
from tests.config.builders import ROOT

SEEN = {"score": "number", "First name": "text", "NO": "text"}
DONE = {
    "app_open": {"screen": "text"},
    "purchase": {"amount": "text", "sku": "text"},
    "visit": {"page": "url"},
    "left": {},
}
NOTHING = "# nothing yet\n"
WRITTEN = [
    (ROOT / "config/data.yaml").read_text(),
    "",
    NOTHING,
    "events: {}\nattributes: {a: text}\n",
    "{attributes: {a: text}}\n",
    "attributes: {}",
    "attributes:   # mine\n  a: text   # keep\n\n  # about b\n  b: {is: text, values: [x,\n     z]}\n\n# tail\nevents:\n  purchase:\n    amount: number\n    # the end of purchase\nrevenue: purchase.amount",
    "events:\n    purchase: {}   # four blanks\n    app_open:\n        screen: text\n",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_new_is_added_and_what_stood_there_stays(text):
    before = mapping_of("data.yaml", text.encode()) if text not in ("", NOTHING) else {}
    new = news(before, SEEN, DONE)
    after = with_more(text, {"attributes": new.attributes, "events": new.events})
    found = mapping_of("data.yaml", after.encode())
    for section, seen in (("attributes", SEEN), ("events", DONE)):
        there = before.get(section) or {}
        for name, told in seen.items():
            if section == "events":
                assert found[section][name] == {**told, **(there.get(name) or {})}
            else:
                assert found[section][name] == there.get(name, told)
        assert set(found[section]) == set(there) | set(seen)
    assert not news(found, SEEN, DONE)
    rest = iter(re.findall(r"\S+", after))
    # Every word that stood there stands there still, in its order: braces and commas may have got something before them.
    assert all(any(word.strip("{},") in other for other in rest) for word in re.findall(r"\S+", text))


@pytest.mark.parametrize("comment", ["# about b", "# the end of purchase", "# four blanks", "# keep", "# tail"])
def test_comments_stay_behind_what_they_are_about(comment):
    text = next(text for text in WRITTEN if comment in text)
    before = text.splitlines()
    place = next(number for number, line in enumerate(before) if comment in line)
    new = news(mapping_of("data.yaml", text.encode()), SEEN, DONE)
    after = with_more(text, {"attributes": new.attributes, "events": new.events}).splitlines()
    there = next(number for number, line in enumerate(after) if comment in line)
    if comment not in ("# tail", "# four blanks"):
        assert after[there - 1] == before[place - 1]
    assert after[there].endswith(comment)


def test_names_no_catalogue_may_have_are_left_out_and_named(tmp_path):
    new = news(
        {"attributes": {"Score": "number"}},
        {"score": "number", "a.b": "text", "ok": "text"},
        {"c[0]": {}, "d": {"e.f": "text"}},
    )
    assert (dict(new.attributes), dict(new.events)) == ({"ok": "text"}, {"d": {}})
    assert set(new.refused) == {"score", "a.b", "c[0]", "e.f"}


def test_a_file_that_is_not_there_is_made_and_one_that_cannot_be_added_to_is_left(tmp_path):
    (tmp_path / "config").mkdir()
    extend_catalogue(tmp_path, news({}, SEEN, DONE))
    path = tmp_path / "config" / "data.yaml"
    assert mapping_of("data.yaml", path.read_bytes())["attributes"] == SEEN
    odd = b"base: &base {a: text}\nattributes: *base\n"
    path.write_bytes(odd)
    with pytest.raises(ConfigError, match="is written in a way nothing can be added to"):
        extend_catalogue(tmp_path, news({"attributes": {"a": "text"}}, SEEN, {}))
    assert path.read_bytes() == odd
    assert [one.name for one in path.parent.iterdir()] == ["data.yaml"]


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn", "Zl", "Zp"]), min_size=1, max_size=12)


@given(
    st.dictionaries(
        PLAIN, st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(PLAIN, PLAIN, max_size=3)), min_size=1
    )
)
def test_what_is_written_reads_as_it_was_meant_by_whoever_reads_it(columns):
    text = mapping_text({"columns": columns, "zone": "Europe/Vienna"}, "how it is read")
    assert mapping_of("a.yaml", text.encode()) == {"columns": columns, "zone": "Europe/Vienna"}


@pytest.mark.parametrize(
    ("value", "text"),
    [("no", '"no"'), ("12", '"12"'), ("007", '"007"'), ("Email Address", "Email Address"), ("a: b", '"a: b"'), (",", '","'),
     (["true", "x"], '["true", x]'), ({"to": "consent.email.*", "means_no": "any"}, "{to: consent.email.*, means_no: any}")],
)  # fmt: skip
def test_texts_that_others_would_read_otherwise_stand_in_quotes(value, text):
    assert written(value) == text
