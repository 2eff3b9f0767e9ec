"""One message for one person: the texts of their cell, written from what is known of them; a refusal concerns only them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from orchestrator.core.errors import Mistake
from orchestrator.core.frozen import value
from orchestrator.core.nouns import CODES, UNLINKED, Address, Channel, Content, Person, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.core.zones import zone_of
from orchestrator.rendering.compiling import Compiler, Flawed, Form, Setting
from orchestrator.rendering.environment import COUPONS, GLOBALS
from orchestrator.rendering.forms import TooLargeError
from orchestrator.rendering.lookup import Cell, Shelf, shelve
from orchestrator.rendering.needing import Reads
from orchestrator.rendering.pieces import Place
from orchestrator.rendering.reading import READER, Reader, known_locale
from orchestrator.rendering.scripts import Path, Script, spell
from orchestrator.rendering.straight import MOST
from orchestrator.rendering.values import AbortError, MissingDataError, NoCouponError

_NOTHING: Mapping[str, Any] = {}
_MAPS = frozenset(
    {
        "userAttribute", "latest", "firstOccurrenceOf", "lastOccurrenceOf", "occurrencesOf", "valueOf", "parameter",
        "linkedData",
    }
)  # fmt: skip
"""Variables that hold others: without any they are empty, so that what is missing is the path within."""


@value(frozen=True, slots=True)
class RenderRequest:
    """One message to render: for whom, on which channel, as of when, under which delivery id.

    `extras` are the values of this one message: unsubscribe_url, linkedData, parameter.
    """

    person: Person
    channel: Channel
    judged_at: Instant
    delivery_id: str
    address: Address
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody's message could not be written; `detail` is a path or an error with file and line.

    `fatal`: it took its writer with it, and the time or the memory a message may take.
    """

    reason: Reason
    detail: str
    fatal: bool = field(default=False, compare=False)

    @property
    def state(self) -> State:
        """Missing data is nobody's mistake: the person is skipped. The rest failed."""
        return State.SKIPPED if self.reason in {Reason.MISSING_DATA, Reason.NO_COUPON} else State.RENDER_FAILED


BUILT_IN: Mapping[str, Callable[[RenderRequest], Any]] = {
    "locale": lambda request: request.person.locale,
    "language": lambda request: _language(request.person.locale),
    "user_id": lambda request: request.person.user,
    "time_zone": lambda request: request.person.zone,
    "segment": lambda request: request.person.segment,
    "variant": lambda request: request.person.variant,
    "now": lambda request: request.judged_at,
    "delivery_id": lambda request: request.delivery_id,
}
"""Variables that need no attribute; a declared attribute of the same name wins."""


class Compiled:
    """A campaign's templates, ready to write messages. `mistakes` are those of cells that cannot be written.

    Among them `unreadable` are those for which a head or a file could not be read at all.
    """

    def __init__(self, campaign: str, sources: Mapping[str, bytes], setting: Setting | None = None) -> None:
        """Compile every message there is to write from a bundle's files (path → content)."""
        self.campaign = campaign
        self.sources = {path: content for path, content in sources.items() if _concerns(path, campaign)}
        self.setting = setting or Setting()
        self.key = _key(self.recipe)
        self.shelf: Shelf = shelve(campaign, self.sources)
        compiler = Compiler(self.shelf, self.sources, self.setting)
        found: list[Mistake] = list(self.shelf.mistakes)
        self.forms: dict[Cell, Form] = {}
        self.flawed: dict[Cell, Flawed] = {}
        self.unreadable: set[Mistake] = set()
        for cell in self.shelf.cells():
            made = compiler.compile(cell)
            if isinstance(made, Form):
                self.forms[cell] = made
            else:
                self.flawed[cell] = made
                found += made.mistakes
                self.unreadable |= set(made.unreadable)
        self.mistakes = tuple(dict.fromkeys(found))
        self._cells: dict[tuple[str, Channel, str, str], Form | Refusal] = {}

    @property
    def recipe(self) -> tuple[str, dict[str, bytes], Setting]:
        """What this was compiled from, in plain types: another process can compile it too."""
        senders = {name: dict(sender) for name, sender in (self.setting.senders or {}).items()}
        return self.campaign, self.sources, replace(self.setting, senders=senders)

    def touched(self) -> frozenset[Path]:
        """Every path the templates may read: `("userAttribute", "firstName")`, `("latest", "add_to_cart", "price")`."""
        forms = self.forms.values()
        return frozenset(path for form in forms if form.script is not None for path, _ in form.script.paths)

    def coupons(self) -> frozenset[str]:
        """The pools of coupons that the templates take codes from."""
        forms = self.forms.values()
        return frozenset(pool for form in forms if form.script is not None for pool, _ in form.script.coupons)

    def coupons_of(self, person: Person, channels: Iterable[Channel]) -> frozenset[str]:
        """The pools that a person's messages on these channels take codes from."""
        found: set[str] = set()
        for channel in channels:
            form = self._form(person, channel)
            if isinstance(form, Form) and form.script is not None:
                found.update(pool for pool, _ in form.script.coupons)
        return frozenset(found)

    def reads(self, person: Person, channel: Channel) -> Reads | None:
        """What a person's message on a channel reads; None if there is no message to write for them."""
        form = self._form(person, channel)
        return None if isinstance(form, Refusal) else form.reads

    def render(self, request: RenderRequest) -> Content | Refusal:
        """Write one message. Nothing is raised: whatever goes wrong with one person's data is a refusal of theirs."""
        person = request.person
        place = (person.segment, request.channel, person.variant, person.locale)
        form = self._cells.get(place) or self._look_up(place)
        if isinstance(form, Refusal):
            return form
        script = form.script
        try:
            texts = script(self._values(script, request)) if script is not None else ()
            return form.make(texts)
        except Exception as error:  # noqa: BLE001 - a template and one person's data may raise anything
            return _refusal(script, error, person.attributes.get(UNLINKED) or _NOTHING)

    def straight(self, request: RenderRequest, weight: int) -> bool:
        """Whether writing this message takes little, where no value of the person's is longer than `weight` bytes."""
        form = self._form(request.person, request.channel)
        if isinstance(form, Refusal) or form.script is None:
            return True
        return form.script.reads is not None and form.script.reads * weight <= MOST

    def file_of(self, request: RenderRequest) -> str:
        """The file that has the last word on somebody's message; empty if there is none."""
        person = request.person
        cell = self.shelf.find(person.segment, request.channel, person.variant, person.locale)
        chain = self.shelf.chain(cell) if cell is not None else ()
        return chain[-1].path if chain else ""

    def spot(self, script: str, line: int) -> str:
        """The template's file and line (`file:line`) behind a line of a compiled script; empty if there is none."""
        for form in self.forms.values():
            if form.script is not None and form.script.filename == script:
                return _spot(form.script.place_of(line)[0])
        return ""

    def render_many(self, requests: Iterable[RenderRequest]) -> Iterator[Content | Refusal]:
        """One answer for each request, in order, in this process; a template that never ends is not stopped."""
        return map(self.render, requests)

    def _form(self, person: Person, channel: Channel) -> Form | Refusal:
        place = (person.segment, channel, person.variant, person.locale)
        return self._cells.get(place) or self._look_up(place)

    def _look_up(self, place: tuple[str, Channel, str, str]) -> Form | Refusal:
        cell = self.shelf.find(*place)
        form = self.forms.get(cell) if cell is not None else None
        found: Form | Refusal
        if form is not None:
            found = form
        else:
            segment, channel, variant, locale = place
            what = f"variant {variant} of {channel}" if variant else str(channel)
            words = f"no {what} for segment {segment}" + (f" in {locale}" if locale else "")
            broken = "; ".join(str(mistake) for mistake in self.mistakes[:1]) if cell is not None else ""
            found = Refusal(Reason.TEMPLATE_ERROR, broken or words)
        self._cells[place] = found
        return found

    def _values(self, script: Script, request: RenderRequest) -> dict[str, Any]:
        """What one message is written from, by name."""
        person, extras = request.person, request.extras
        attributes = person.attributes
        own = attributes.get("userAttribute") or _NOTHING
        values: dict[str, Any] = dict(GLOBALS)
        for root in script.roots:
            found = extras.get(root)
            if found is None:
                found = own.get(root) if root not in _MAPS else None
            if found is None:
                found = attributes.get(root)
            if found is None:
                found = _built_in(root, request)
            if found is not None:
                values[root] = found
        values[READER] = _reader(
            person.locale,
            script.locale or self.setting.locale,
            person.zone,
            self.setting.time_zone,
            request.judged_at,
        )
        if codes := person.attributes.get(CODES):
            values[COUPONS] = codes
        return values


def _built_in(root: str, request: RenderRequest) -> Any:
    """What is known of a person and their message without any attribute."""
    if root in _MAPS:
        return {}
    ask = BUILT_IN.get(root)
    return ask(request) or None if ask is not None else None


@lru_cache(maxsize=4096)
def _reader(own: str, written: str, zone: str, project_zone: str, judged_at: Instant) -> Reader:
    """The reader of a message that is written in this locale; people of a shard are alike in all of it."""
    # Words of a date must be in the language of the text around them, whatever the person speaks besides.
    locale = known_locale(own if _language(own) == _language(written) else written)
    return Reader(locale, zone_of(zone, project_zone), judged_at)


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].lower()


def _key(recipe: tuple[str, dict[str, bytes], Setting]) -> str:
    """The same for the same files and setting, in every process."""
    campaign, sources, setting = recipe
    text = repr((campaign, sorted(sources.items()), setting))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _concerns(path: str, campaign: str) -> bool:
    return path.startswith((f"templates/{campaign}/", "templates/_base/"))


def _spot(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file


def _refusal(script: Script | None, error: Exception, unlinked: Mapping[str, str]) -> Refusal:
    """What an error of one message means for its person; `unlinked` says why sources of linked data had no answer."""
    match error:
        case NoCouponError():
            return Refusal(Reason.NO_COUPON, _told(script, error))
        case MissingDataError():
            return Refusal(Reason.MISSING_DATA, _missing(script, error, unlinked))
        case AbortError():
            return Refusal(Reason.MISSING_DATA, _told(script, error))
        case TooLargeError():
            return Refusal(Reason.TEMPLATE_TOO_LARGE, str(error))
        case MemoryError():
            return Refusal(Reason.TEMPLATE_TOO_LARGE, "more memory than a message may take")
        case _:
            return Refusal(Reason.TEMPLATE_ERROR, _told(script, error))


def _missing(script: Script | None, error: MissingDataError, unlinked: Mapping[str, str]) -> str:
    name = str(error)
    if script is None:
        return name
    path, place = script.missing(name, error.__traceback__)
    told = {spell(("linkedData", source)): why for source, why in unlinked.items()}
    why = next((f": {why}" for source, why in told.items() if re.match(re.escape(source) + r"(?![^.\[])", path)), "")
    return f"{path}{why} ({_spot(place)})"


def _told(script: Script | None, error: Exception) -> str:
    text = str(error) or type(error).__name__
    text = text if len(text) <= 300 else text[:299] + "…"
    if script is None:
        return text
    place, _ = script.place(error.__traceback__)
    return f"{text} ({_spot(place)})"


def touched(campaign: str, sources: Mapping[str, bytes], setting: Setting | None = None) -> frozenset[Path]:
    """Every path a campaign's templates may read, so that the planner asks the engine for nothing else."""
    return Compiled(campaign, sources, setting).touched()
