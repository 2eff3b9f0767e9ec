"""Agreeing on how a file is read: with a person who can be asked, or by what a program wrote down; never by a guess about consent."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator import checking, config
from orchestrator.audience.importing import Reading
from orchestrator.audience.mapping import NeededError
from orchestrator.cli.bringing import Wish, bar, stem
from orchestrator.cli.conversing import UNDONE, ask_for_needed, confirmed, converse, unread_of, words_of
from orchestrator.cli.desk import Desk, fail

if TYPE_CHECKING:
    from orchestrator import app as parts
    from orchestrator.audience.orders import Order
    from orchestrator.audience.proposing import Proposal
    from orchestrator.audience.reader import Reader


@contextmanager
def opened_file(audience: "Reader", order: "Order", wish: Wish, progress: bar, *, looked: bool) -> Iterator["Reading"]:
    """The file, read; what it needs and no column looks like is asked of a person."""
    while True:
        try:
            reading = Reading(audience, order, progress, looked=looked)
            reading.__enter__()
        except NeededError as problem:
            if not (wish.asks and looked):
                raise
            with progress.aside():
                order = replace(order, mapping=ask_for_needed(order, problem))
        else:
            break
    with closing(reading):
        yield reading


def agree(desk: Desk, opened: "parts.Opened", reading: "Reading", wish: Wish) -> str | None:
    """Show a person what was guessed, ask the rest, and write it down; ends where they do not want it so, with nothing written."""
    proposal = converse(wish.file, reading.propose())
    if not confirmed(proposal.look.rows):
        fail(
            f"{UNDONE}, and no answer was saved; import again to answer otherwise, or write what each column is into"
            f" {_mapping_of(wish)}"
        )
    return save(desk, opened, reading, wish, proposal)


def _mapping_of(wish: Wish) -> str:
    """The mapping that is called like the file."""
    return f"config/imports/{stem(wish.file)}.yaml"


def save(desk: Desk, opened: "parts.Opened", reading: "Reading", wish: Wish, proposal: "Proposal") -> str | None:
    """Write the mapping into the project, and read the file by it; its name, None where there is nothing to write down."""
    content = proposal.content()
    if not content:
        return None
    name = _mapping_of(wish)
    text = config.mapping_text(content, f"how {wish.file.name} is read by `orchestrator import {wish.what}`").encode()
    order = replace(reading.order, mapping=checking.mapping(name, text, opened.project.settings, None))
    reading.anew(order)
    config.write_whole(desk.root / name, text)
    return name


def refuse_doubts(reading: "Reading", wish: Wish) -> None:
    """End where a column looks like people's yes or no: what they agreed to, nobody can guess for them."""
    doubts = reading.doubts()
    if not doubts:
        return
    lines = [
        f"{wish.file}: nothing was imported: this looks like people's yes or no, and only a person can say to what."
    ]
    told = wish.mapping or _mapping_of(wish)
    lines.append(
        f"Write it into {told}, or import once at a terminal, which asks:"
        if reading.order.mapping is None
        else f"Write it into {told}:"
    )
    lines.append("columns:")
    for question in doubts:
        one = question.columns[0]
        name, guess = config.written(one.name), config.written(question.guess or "consent.email.TOPIC")
        lines.append(f"  {name}: {guess}    # {words_of(one)}{unread_of(question)}")
        lines.append(f"  # or, to keep it as an attribute: {name}: {name}; or: {name}: ignore")
    fail("\n".join(lines))
