"""The two parsers of YAML: libyaml, which is some forty times as fast, and ruamel's, which has the last word.

Both tell a file as the same events, so one reader hears either. What the events mean is settled by us (see `scalars`):
nothing is resolved, built or looked up by a parser. libyaml's grammar is YAML 1.1; a file that the two might take
differently is none of its, and of mistakes ruamel's alone speaks.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from ruamel.yaml import YAML, events
from ruamel.yaml.events import Event

# libyaml's events are classes of its own, which have the same fields.
SCALAR = (yaml.ScalarEvent, events.ScalarEvent)
ALIAS = (yaml.AliasEvent, events.AliasEvent)
SEQUENCE = (yaml.SequenceStartEvent, events.SequenceStartEvent)
SEQUENCE_END = (yaml.SequenceEndEvent, events.SequenceEndEvent)
MAPPING = (yaml.MappingStartEvent, events.MappingStartEvent)
MAPPING_END = (yaml.MappingEndEvent, events.MappingEndEvent)
DOCUMENT = (yaml.DocumentStartEvent, events.DocumentStartEvent)
NODE = (*SCALAR, *SEQUENCE, *MAPPING)

_TAKEN_DIFFERENTLY = re.compile(
    r"[\t\r\x85\u2028\u2029\ufeff]"  # tabs, and what ends a line for one of the two alone
    r"|^%"  # orders to the parser itself
    r"|[|>][-+0-9]*(?: *#| *\n *$)"  # a block of text with a comment at its head or a blank line at its beginning
    r"|(?<![^\s\[{,])[&*][A-Za-z0-9_-]*[^A-Za-z0-9_\-\s]",  # a name of an anchor with other letters, or none behind it
    re.MULTILINE,
)

LibyamlError = yaml.YAMLError


def libyaml(text: str) -> Iterator[Any] | None:
    """The events of a text, one by one, up to a `LibyamlError`; None if this text is none of libyaml's."""
    if not yaml.__with_libyaml__ or _TAKEN_DIFFERENTLY.search(text):
        return None
    told: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
    return told


def ruamel(text: str) -> Iterator[Event]:
    """The events of a text, one by one, up to a `YAMLError` that says where and why."""
    return iter(YAML(typ="safe", pure=True).parse(text))
