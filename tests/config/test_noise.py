"""Whatever somebody's cat types into the files: load answers with mistakes, never with a crash, and never carries it out."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config import load
from tests.config.builders import the_example

FILES = sorted(file for file in the_example() if not file.startswith("lists/"))
# fmt: off
PIECES = st.sampled_from([
    "{", "}", "[", "]", ":", ": ", "- ", "#", '"', "'", "|", ">", "&a ", "*a", "!x ", "%", "@", "\n", "\n  ", "\t", "{{",
    "${", "~", "0", "null", "?", ",", "---\n", "\x00", "é", "\u2028", "9" * 30, "1e999", "true", "- - - ", "<<: ",
])
# fmt: on


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_noise_in_any_file_gives_mistakes_or_a_project(data):
    files = the_example()
    for _ in range(data.draw(st.integers(1, 3))):
        file = data.draw(st.sampled_from(FILES))
        text = files[file].decode()
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        files[file] = (text[:start] + data.draw(PIECES) + text[end:]).encode()
    found = load(files, "live")
    assert (found.project is None) == bool(found.mistakes)
    for mistake in found.mistakes:
        assert mistake.file
        assert mistake.text
        lines = files.get(mistake.file, b"").decode().count("\n") + 1
        assert 0 <= mistake.line <= lines + 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.binary(max_size=200))
def test_bytes_of_any_kind_give_mistakes_or_a_project(file, content):
    found = load({**the_example(), file: content}, "live")
    assert (found.project is None) == bool(found.mistakes)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([file for file in FILES if file.startswith("config/")]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["x", "about", "48 hours", "purchase"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["all", "any", "event", "audience", "providers", "caps", "experiment", "goal", "channels", "about", "state"]), inner, max_size=4),
        max_leaves=12,
    ),
)  # fmt: skip
def test_values_of_any_shape_give_mistakes_or_a_project(file, value):
    found = load({**the_example(), file: json.dumps(value).encode()}, "live")
    assert (found.project is None) == bool(found.mistakes)
