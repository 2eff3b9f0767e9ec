"""What a file nobody has described may mean: a mapping to be shown and saved, and the questions only a person can answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from orchestrator.audience import mapping
from orchestrator.audience.coercion import NO, YES
from orchestrator.audience.exports import Export, Told
from orchestrator.audience.looking import Look, Looked
from orchestrator.audience.mapping import CONSENT, FIELDS, IGNORE, What
from orchestrator.audience.mapping_file import plan
from orchestrator.audience.texts import FileError
from orchestrator.audience.yes_no import AGREED, DECLINED, looks_agreed
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.tree import Kind

_TURNED = ("unsub", "optout", "optedout", "abmeld", "donot")
"""In the name of a column whose yes is a no."""
_CALLED = {
    "firstName": "firstname fname givenname vorname prenom",
    "lastName": "lastname lname surname familyname nachname",
    "createdAt": "createdat signupts signupat signupdate signedup signedupat registeredat registrationdate datecreated",
    "birthday": "birthday birthdate dateofbirth dob geburtsdatum",
}
"""Attributes that tracking libraries and templates call by one name, and what files call them."""


class Asked(StrEnum):
    """What a question is about."""

    CONSENT = "consent"
    KIND = "kind"
    ZONE = "zone"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say of these columns. `guess` is what a y means: an entry of the mapping, or a zone; empty for none."""

    about: Asked
    columns: tuple[Looked, ...]
    guess: Told = ""
    otherwise: Told = IGNORE
    """What an n means."""
    unread: tuple[str, ...] = ()
    """Words of a column of yes and no that are neither: their cells say nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a proposal is held against: the project's topics, the attributes its catalogue declares, and its zone."""

    topics: tuple[str, ...]
    declared: Mapping[str, Kind]
    zone: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping as far as it can be guessed, what there is to ask, and what was looked at."""

    look: Look
    known: Known
    columns: Mapping[str, Told] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    export: Export | None = None

    def content(self) -> dict[str, Any]:
        """The content of the mapping file."""
        return {**({"columns": dict(self.columns)} if self.columns else {}), **self.more}

    def answered(self, question: Question, answer: str) -> "Proposal":
        """The same with what a person said; FileError, in their words, for what cannot be taken."""
        columns, more = dict(self.columns), dict(self.more)
        match question.about:
            case Asked.CONSENT:
                columns[question.columns[0].name] = self._told(question, answer)
            case Asked.KIND if answer.lower() in ("y", "yes"):
                columns[question.columns[0].name] = question.guess
            case Asked.KIND if answer.lower() not in ("", "n", "no"):
                raise FileError(f"'{answer}' is neither y nor n")
            case Asked.ZONE:
                more["zone"] = question.guess if answer.lower() in ("", "y", "yes") else answer
            case Asked.PLATFORM if answer in columns:
                columns[answer] = "platform"
            case Asked.PLATFORM if answer:
                more["platform"] = answer.lower()
        found = replace(self, columns=columns, more=more)
        plan(found.content(), self.known.zone, "", self.known.topics)
        return found

    def _told(self, question: Question, answer: str) -> Told:
        """What was said of a column that may be consent: y, n, a topic, or where it goes."""
        if answer.lower() in ("n", "no"):
            return question.otherwise
        if answer.lower() in ("y", "yes"):
            return self._agreed(question, "")
        if answer in self.known.topics and question.guess:
            return self._agreed(question, answer)
        if answer.startswith(CONSENT):
            return self._agreed(question, answer)
        if answer in (IGNORE, question.columns[0].name, *self.known.declared):
            return answer
        topics = f", a topic ({', '.join(self.known.topics)})" if self.known.topics else ""
        raise FileError(
            f"'{answer}' is none of y, n, ignore{topics}, an attribute there is, or a place like consent.email.TOPIC"
        )

    def _agreed(self, question: Question, said: str) -> Told:
        """Where people's yes or no goes: as guessed, or to the topic or the place that was said; FileError if it cannot be read."""
        guess = question.guess
        if not guess and not said:
            raise FileError("declare a topic first, under `topics` in config/orchestrator.yaml, or say n")
        if question.unread and len(question.unread) == len(question.columns[0].words):
            raise FileError(
                "none of its words is known as a yes or a no: say n or ignore, or write into the mapping what"
                " `means_yes` and what `means_no`"
            )
        if said and not said.startswith(CONSENT):
            channel, _, _ = (guess if isinstance(guess, str) else guess["to"]).removeprefix(CONSENT).partition(".")
            said = f"{CONSENT}{channel}.{said}"
        if isinstance(guess, Mapping):
            return {**guess, "to": said or guess["to"]}
        return said or guess


def propose(what: What, look: Look, known: Known, export: Export | None, *, whole: bool) -> Proposal:
    """A mapping for what was seen. `whole`: every column is written down; else only what would not be guessed again."""
    taken = {one.to for one in look.columns if one.to}
    columns: dict[str, Told] = {}
    shown: list[Looked] = []
    for one in look.columns:
        told = export.columns.get(one.name) if export else None
        entry = told if told is not None else _entry(what, one, known, taken)
        shown.append(_declared(one, entry, known) if what is What.PROFILES else one)
        if whole or told is not None or entry not in (one.name, one.to):
            columns[one.name] = entry
    more: dict[str, Any] = dict(export.more) if export else {}
    if look.encoding not in ("", "utf-8", "utf-8-sig", "utf-16"):
        more["encoding"] = look.encoding
    look = replace(look, columns=tuple(shown))
    return Proposal(look, known, columns, more, tuple(_questions(what, look, known, export, columns)), export)


def doubts(what: What, columns: Collection[Looked], known: Known, export: Export | None) -> list[Question]:
    """The columns that look like people's yes or no: what they agreed to, nobody can know from a name."""
    if what is not What.PROFILES:
        return []
    agreed = export.agreed if export else {}
    told = export.columns if export else {}
    found = [_since(one, agreed[one.name], known) for one in columns if one.name in agreed]
    return found + [_word(one, known) for one in columns if one.name not in told and _is_word(one, known)]


def _questions(
    what: What, look: Look, known: Known, export: Export | None, columns: Mapping[str, Told]
) -> list[Question]:
    found = doubts(what, look.columns, known, export)
    for one in look.columns:
        to = columns.get(one.name, one.to)
        if one.odd and isinstance(to, str) and to not in ("", IGNORE, *known.declared):
            found.append(Question(Asked.KIND, (one,), {"to": to, **one.odd.entry}))
    if naive := tuple(one for one in look.columns if one.naive and one.to):
        found.append(Question(Asked.ZONE, naive, known.zone))
    goals = {one.to: one for one in look.columns}
    if what in (What.PROFILES, What.DEVICES) and "device" in goals and "platform" not in goals:
        found.append(Question(Asked.PLATFORM, (goals["device"],)))
    return found


def _entry(what: What, one: Looked, known: Known, taken: Collection[str]) -> Told:
    """What a mapping says of a column."""
    if not one.to:
        return IGNORE
    to = one.to
    if what is What.PROFILES and to == one.name and to not in known.declared and to not in FIELDS[what]:
        to = _usual(one, known, taken)
    kind = known.declared.get(to) if what is What.PROFILES else None
    if kind is not None and kind != one.kind:
        return to  # the catalogue says what it is
    if one.kind == Kind.TIME and to not in FIELDS[what]:
        return {"to": to, "is": str(Kind.TIME)}
    if one.decimal:
        return {"to": to, "is": str(Kind.NUMBER), "decimal": one.decimal}
    return to


def _usual(one: Looked, known: Known, taken: Collection[str]) -> str:
    """The usual name of an attribute, its own where it has none, or where the catalogue says that it holds something else."""
    words = mapping.plain(one.name)
    name = next((name for name, called in _CALLED.items() if words in called.split() and name not in taken), one.name)
    kind = known.declared.get(name)
    return name if kind in (None, Kind.TEXT, one.kind) or one.kind not in _SURE else one.name


_SURE = (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIME, Kind.VERSION)
"""Kinds that all cells of a column were found to have."""


def _declared(one: Looked, entry: Told, known: Known) -> Looked:
    """A column as it is shown where it goes to a text under another name: whatever its cells look like, they are texts."""
    if entry == one.name or not isinstance(entry, str) or known.declared.get(entry) is not Kind.TEXT:
        return one
    return replace(one, kind=str(Kind.TEXT), naive=False, decimal="")


def _is_word(one: Looked, known: Known) -> bool:
    """Whether a column nobody described looks like people's yes or no."""
    return one.to == one.name and one.name not in known.declared and looks_agreed(one.name, one.words)


def _word(one: Looked, known: Known) -> Question:
    said = [word for word, _ in one.words]
    yes, no = [word for word in said if word in AGREED], [word for word in said if word in DECLINED]
    unread = tuple(word for word in said if word not in AGREED | DECLINED)
    to = _consent(one.name, None, known)
    guess: Told = to
    if not yes + no:
        guess = {"to": to, "means_yes": ["WORD"], "means_no": ["WORD"]}
    elif any(turn in mapping.plain(one.name) for turn in _TURNED):
        # Whoever did not unsubscribe has not said yes by that.
        guess = {"to": to, "means_no": yes, "means_nothing": no} if no else {"to": to, "means_no": yes}
    elif not {*yes, *no} <= {*YES, *NO}:
        guess = {"to": to, "means_yes": yes, "means_no": no}
    return Question(Asked.CONSENT, (one,), guess if to else "", one.name, unread)


def _since(one: Looked, channel: Channel, known: Known) -> Question:
    """A column of times since when people agreed to something."""
    to = _consent(one.name, channel, known)
    guess = {"to": to, "is": str(Kind.TIME), "means_yes": "any"} if to else ""
    return Question(Asked.CONSENT, (one,), guess, IGNORE)


def _consent(name: str, channel: Channel | None, known: Known) -> str:
    """The topic a column is likeliest about; empty while the project has none."""
    plain = mapping.plain(name)
    if channel is None:
        channel = next((one for one in (Channel.SMS, Channel.PUSH) if one in plain), Channel.EMAIL)
    topic = next((one for one in known.topics if mapping.plain(one) in plain), next(iter(known.topics), ""))
    return f"{CONSENT}{channel}.{topic}" if topic else ""
