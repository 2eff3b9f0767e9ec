"""The first import of a file is a conversation: what was guessed is shown, and what cannot be known is asked, once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestrator.audience.encodings import IN_WORDS
from orchestrator.audience.looking import Looked
from orchestrator.audience.mapping import CONSENT, FIELDS, IGNORE, addressed
from orchestrator.audience.mapping_file import plan
from orchestrator.audience.proposing import Asked, Proposal, Question
from orchestrator.audience.texts import FileError
from orchestrator.cli.asking import answer_to
from orchestrator.cli.screen import many, say
from orchestrator.core.nouns import Channel

if TYPE_CHECKING:
    from orchestrator.audience.mapping import NeededError
    from orchestrator.audience.orders import Order

UNDONE = "nothing was imported"
_SHOWN = 40
"""Columns that are shown, those that only keep their name; of more, how many there are."""
_LONGEST = 24
"""Letters of an example."""
_FIELDS = frozenset(field for fields in FIELDS.values() for field in fields)
_BY = {Channel.EMAIL: "e-mail", Channel.IN_APP: "in-app message"}
_NEEDED = {
    "user": "the person's id", "event": "the event, or what is its name", "time": "the time", "device": "the token",
    "channel": "the channel, or which channel is it", "topic": "the topic, or which topic is it", "granted": "the yes or no",
}  # fmt: skip


def converse(file: Path, proposal: Proposal) -> Proposal:
    """Show what was guessed and ask what cannot be known; the answers are in what comes back. Ends where a person stops."""
    console = Console(highlight=False)
    console.print(_head(file, proposal), soft_wrap=False)
    console.print(table_of(proposal))
    for note in proposal.export.notes if proposal.export else ():
        console.print(Padding(Text(f"note: {note}", style="yellow"), (0, 0, 0, 1)))
    for question in proposal.questions:
        proposal = _asked(proposal, question)
    return proposal


def confirmed(rows: int) -> bool:
    """Whether a person wants it imported like this; what is neither yes nor no is asked again."""
    while True:
        answer = answer_to(f" Import {rows:,} rows like this? [Y/n]", UNDONE).lower()
        if answer in ("", "y", "yes"):
            return True
        if answer in ("n", "no"):
            return False
        say(f"   '{answer}' is neither y nor n")


def ask_for_needed(order: "Order", problem: "NeededError") -> dict[str, Any]:
    """The content of a mapping with what no column looked like, as a person says."""
    said = dict(order.mapping or {})
    names = ", ".join(problem.names[:20]) + (", …" if len(problem.names) > 20 else "")
    say(f" {order.path.name} has these columns: {names}")
    while True:
        answer = answer_to(f" Which of them is {_NEEDED[problem.needed]}?", UNDONE, needed=True)
        columns = {**said.get("columns", {}), answer: problem.needed}
        content = {**said, "columns": columns}
        if answer not in problem.names or (problem.needed == "user" and addressed(answer)):
            content = {**said, problem.needed: answer}
        if problem.needed == "user" and answer not in problem.names:
            say("   there is no such column")
            continue
        try:
            plan(content, order.zone, "", order.topics)
        except FileError as wrong:
            say(f"   there is no such column{_because(wrong)}")
        else:
            return content


def _because(problem: FileError) -> str:
    text = str(problem).strip().removeprefix(":").strip()
    return f", and {text}" if text and "no key" not in text else ""


def _asked(proposal: Proposal, question: Question) -> Proposal:
    """The proposal with an answer to one question that can be taken."""
    while True:
        answer = answer_to(
            " " + asking(question, proposal.known.topics), UNDONE, needed=question.about is Asked.CONSENT
        )
        try:
            return proposal.answered(question, answer)
        except FileError as problem:
            say(f"   {str(problem).strip().removeprefix(':').strip()}")


_LISTED = 4
"""Topics that are listed in a question; of more, that one may be named."""


def asking(question: Question, topics: Sequence[str]) -> str:
    """The question in one line, with what it takes."""
    names = ", ".join(one.name for one in question.columns[:4]) + (", …" if len(question.columns) > 4 else "")
    one = question.columns[0]
    match question.about:
        case Asked.KIND if one.odd is not None:
            return (
                f"{names}: all but {one.odd.count:,} of {one.odd.filled:,} cells are a {one.odd.kind}; read it so, and set the"
                f" others aside, like {_short(one.odd.example)}? [y/N]"
            )
        case Asked.ZONE:
            return f"{names}: no zone in the file; read as {question.guess} [enter/zone]"
        case Asked.PLATFORM:
            return f"{names}: {one.filled:,} tokens, platform missing [ios/android/web/column/enter]"
        case _ if not question.guess:
            return (
                f"{names}: {words_of(one)}: is this people's yes or no? No topic is declared for it yet, under `topics` in"
                " config/orchestrator.yaml: keep it as an attribute (n), or leave it out [n/ignore]"
            )
        case _:
            goal = question.guess if isinstance(question.guess, str) else question.guess["to"]
            channel, _, topic = goal.removeprefix(CONSENT).partition(".")
            since = "since when people said yes" if one.kind == "time" else "people's yes or no"
            said = f"{words_of(one)}{unread_of(question)}"
            choice = "/".join(topics) if len(topics) <= _LISTED else "a topic"
            return f"{names}: is this {since} to {topic} by {_BY.get(Channel(channel), channel)}? ({said}) [y/n/ignore/{choice}]"


def unread_of(question: Question) -> str:
    """Which of a column's words are neither yes nor no, and what becomes of them."""
    if not question.unread:
        return ""
    return f"; neither yes nor no, so their cells say nothing: {', '.join(question.unread)}"


def _head(file: Path, proposal: Proposal) -> Text:
    look = proposal.look
    parts = [many(look.rows, "row"), many(len(look.columns), "column")]
    parts += [IN_WORDS[look.encoding]] if look.encoding in IN_WORDS else []
    told = Text(f" {file.name} · {' · '.join(parts)}", style="bold")
    if proposal.export:
        told.append(f"\n looks like {proposal.export.name}", style="green")
    return told


def table_of(proposal: Proposal) -> Table:
    """Every column, where it goes, and what its cells say."""
    shown = Table.grid(padding=(0, 1))
    for width in (34, None, 34, None):
        shown.add_column(overflow="fold", max_width=width)
    asked: dict[str, Question] = {}
    for question in proposal.questions:
        for one in question.columns:
            asked.setdefault(one.name, question)
    ignored, more = [], 0
    for number, one in enumerate(proposal.look.columns):
        told = proposal.columns.get(one.name, one.to or IGNORE)
        if told == IGNORE:
            ignored.append(one.name)
        elif number >= _SHOWN and told == one.name and one.name not in asked:
            more += 1
        else:
            shown.add_row(*_row(one, told, asked.get(one.name)))
    if more:
        shown.add_row(f"   … {more:,} more", "->", "attributes", "of the same names")
    if ignored:
        names = ", ".join(ignored[:_SHOWN]) + (", …" if len(ignored) > _SHOWN else "")
        shown.add_row(Text(f"   {len(ignored):,} left out", style="dim"), "", "", Text(names, style="dim"))
    return shown


def _row(one: Looked, told: Any, question: Question | None) -> Iterator[Text]:
    yield Text(f"   {one.name}")
    yield Text("->", style="dim")
    yield Text(_goal(told, question), style="yellow" if question else "")
    yield Text(" · ".join(said_of(one, told)))


def _goal(told: Any, question: Question | None) -> str:
    if question is not None and question.about is Asked.CONSENT and question.guess:
        told = question.guess
    to = str(told if isinstance(told, str) else told["to"])
    return f"{to}?" if question is not None and question.about is Asked.CONSENT else to


def said_of(one: Looked, told: Any) -> Iterator[str]:
    """What there is to say of a column's cells."""
    to = told if isinstance(told, str) else told["to"]
    if one.words and (to.startswith(CONSENT) or one.to == one.name):
        yield words_of(one)
        return
    if to == "user":
        yield (
            f'kept as written ("{one.example}" stays "{one.example}")' if one.example[:1] == "0" else "kept as written"
        )
    elif to == one.name or to not in _FIELDS or one.kind != "text":
        yield one.kind.replace("json", "as it comes") + (" with a decimal comma" if one.decimal == "," else "")
    if one.naive:
        yield "no zone in the file"
    yield f"{one.filled:,} valid"
    if one.rejected:
        yield f"{one.rejected:,} rejected"
    if one.empty:
        yield f"{one.empty:,} empty"
    if one.example and to != "user":
        yield f"like {_short(one.example)}"
    if one.odd is not None:
        yield f"no {one.odd.kind} in {one.odd.count:,} of {one.odd.filled:,}, like {_short(one.odd.example)}"


def _short(example: str) -> str:
    return example if len(example) <= _LONGEST else example[: _LONGEST - 1] + "…"


def words_of(one: Looked) -> str:
    """The values of a column of words with their numbers."""
    if not one.words:
        return f"{one.filled:,} filled" + (f" · {one.empty:,} empty" if one.empty else "")
    counts = [f"{word} {count:,}" for word, count in one.words]
    others = one.filled + one.rejected - sum(count for _, count in one.words)
    counts += [f"others {others:,}"] if others else []
    return " · ".join(counts + ([f"empty {one.empty:,}"] if one.empty else []))
