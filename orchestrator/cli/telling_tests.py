"""How the results of tests read: a line for a persona that got what was expected, every difference of one that did not."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import typer

from orchestrator.cli import screen
from orchestrator.cli.conditions import said_value, tree_of
from orchestrator.cli.screen import Line, beside, fitted, width
from orchestrator.core.segments import Finding, say
from orchestrator.personas import Failure, Outcome, Tested, Told
from orchestrator.personas.wording import title_of, words_of

_LABEL = 10
_OWN = frozenset({"campaign", "at", "when", "line", "column"})
"""What an expectation says of itself, and not of what is expected."""


class Page:
    """The results on a screen or in a pipe: wrapped and in colour on a terminal alone."""

    def __init__(self, zone: str, names: Sequence[str] = (), *, screen: bool = True) -> None:
        """For these personas, their times in a zone; without `screen` for a file, whatever the output is."""
        self._zone = zone
        self._wide = max((len(name) for name in names), default=0)
        self._room = width() if screen else None
        self._colour = screen and sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def tell(self, tested: Tested) -> None:
        """One persona."""
        many, failed = _counted(len(tested.told), "expectation"), sum(bool(one.failures) for one in tested.told)
        mark = self._painted("ok", "green") if tested.well else self._painted("!!", "red")
        screen.say(
            f" {mark}  {tested.persona.name:<{self._wide}}   {f'{failed} of {many} not met' if failed else many}"
        )
        for one in tested.told:
            for line in self.lines(tested, one):
                screen.say(line)

    def lines(self, tested: Tested, told: Told) -> Iterator[str]:
        """An expectation that was not met, and each of its differences."""
        if not told.failures:
            return
        it = told.expectation
        variant = next((f", in variant {one.variant}" for one in told.failures if one.variant), "")
        place = f"{tested.persona.file}:{it.line}:{it.column}"
        yield from fitted(f"     {place}  {it.campaign} at {it.when}{variant}", self._room)
        for failure in told.failures:
            yield from self._difference(failure)

    def sum_up(self, found: Sequence[Tested]) -> None:
        """The last line."""
        if not found:
            screen.say(
                " no personas yet: write one to personas/NAME.yaml, and `orchestrator test` holds campaigns to it"
            )
            return
        failed = sum(bool(one.failures) for it in found for one in it.told)
        what = f"{_counted(len(found), 'persona')}, {_counted(sum(len(it.told) for it in found), 'expectation')}"
        screen.say(f" {what}: " + (f"{failed} not met" if failed else "all met"))

    def plain(self, tested: Tested) -> dict[str, Any]:
        """One persona for JSON."""
        return {
            "persona": tested.persona.name,
            "file": tested.persona.file,
            "user": tested.persona.user,
            "passed": tested.well,
            "expectations": [self._plain(one) for one in tested.told],
        }

    def _difference(self, failure: Failure) -> Iterator[str]:
        yield from self._labelled("expected", failure.expected)
        if failure.near[1]:
            yield from self._labelled("nearest", f"text: {failure.near[1]}   (in the {failure.near[0]})")
        else:
            yield from self._labelled("got", failure.got)
        label = "because"
        if failure.note:
            yield from self._labelled(label, failure.note)
            label = ""
        for name, found in failure.because:
            yield from self._labelled(label, f"{name} says {_answer(found)}:")
            label = ""
            for depth, node in _conditions(found, deciding=len(failure.because) > 1):
                value = "" if node.value is None else f"   ({said_value(node, self._zone)})"
                indent = 9 + _LABEL + 3 * depth
                if self._room is not None:  # on a narrow screen what stands deep inside keeps half of it
                    indent = min(indent, self._room // 2)
                yield from self._beside(f"{'':<{indent}}{_answer(node):<3}  ", f"{say(node.node, self._zone)}{value}")

    def _labelled(self, label: str, text: str) -> Iterator[str]:
        yield from self._beside(f"{'':<7}{label:<{_LABEL}}", text)

    def _beside(self, left: str, text: str) -> Iterator[str]:
        return (line.text for line in beside([Line(left)], text, self._room))

    def _painted(self, text: str, colour: str) -> str:
        return typer.style(text, fg=colour) if self._colour else text

    def _plain(self, told: Told) -> dict[str, Any]:
        it = told.expectation
        return {
            "line": it.line,
            "column": it.column,
            "campaign": it.campaign,
            "at": it.at,
            "passed": not told.failures,
            "expected": {name: value for name, value in asdict(it).items() if value and name not in _OWN},
            "got": _got(told.outcome),
            "failures": [self._plain_failure(one) for one in told.failures],
        }

    def _plain_failure(self, failure: Failure) -> dict[str, Any]:
        return {
            "what": failure.what,
            "expected": failure.expected,
            "got": failure.got,
            "variant": failure.variant,
            "nearest": failure.near[1],
            "note": failure.note,
            "because": [
                {"segment": name, "in": it.holds, "conditions": tree_of(it, self._zone)["parts"]}
                for name, it in failure.because
            ],
        }


def _got(outcome: Outcome) -> dict[str, Any]:
    messages = [
        {
            "channel": it.channel,
            "locale": it.locale,
            "title": title_of(it.content),
            "texts": {name: text for name, text in words_of(it.content) if name != "html"},
        }
        for it in outcome.messages
    ]
    reason, detail = outcome.why if outcome.why is not None else ("", "")
    return {
        "segment": outcome.segment,
        "variant": outcome.variant,
        "messages": messages,
        "nothing": reason,
        "detail": detail or outcome.trouble,
        "until": outcome.until,
    }


def _conditions(found: Finding, depth: int = 0, *, deciding: bool) -> Iterator[tuple[int, Finding]]:
    """The conditions of a segment, and inside groups that decided, theirs; or only those that it was up to."""
    for part in found.parts:
        decided = part.holds == found.holds
        if decided or not deciding:
            yield depth, part
        if decided and len(part.parts) > 1:
            yield from _conditions(part, depth + 1, deciding=deciding)


def _answer(found: Finding) -> str:
    return "yes" if found.holds else "no"


def _counted(many: int, noun: str) -> str:
    return f"{many:,} {noun}{'' if many == 1 else 's'}"
