"""The verb that shows what somebody saw, and says how sure that is: kept, or written again and held against what left."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such
from orchestrator.cli.times import when
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.app import Opened
    from orchestrator.ledger import Ledger
    from orchestrator.ledger.deliveries import Delivery
    from orchestrator.pipeline.seen import Seen
    from orchestrator.rendering import RenderChild


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(show)


@honest
def show(
    context: typer.Context,
    delivery: Annotated[
        str,
        typer.Argument(
            help="A delivery as `why` and `deliveries` name it (7/u00417/email), its id, or with --user a campaign."
        ),
    ],
    user: Annotated[
        str | None,
        typer.Option(
            "--user", "-u", help="With a campaign: whose newest message (id, e-mail address or phone number)."
        ),
    ] = None,
    channel: Annotated[str | None, typer.Option(help="With --user: on this channel.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write an e-mail's page; default: preview/ in the project.")
    ] = None,
) -> None:
    """Show what somebody saw. Says whether it is the message itself, or written again and how like what left."""
    from orchestrator.rendering import RenderChild  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    if channel is not None and user is None:
        fail("--channel goes with --user; a delivery's name says its channel", USAGE)
    opened = desk.open()
    # The child is forked before there are threads or databases here.
    with RenderChild() as child:
        ledger = opened.ledger()
        try:
            row = _found(opened, ledger, delivery, user, channel)
            seen = _untracked(opened, ledger, _seen(opened, ledger, row, child))
        finally:
            ledger.close()
    page = _page(out or desk.root / "preview", row, seen)
    desk.show(_told(row, seen, page), lambda: _print(row, seen, page, opened.project.settings.time_zone))


def _found(opened: "Opened", ledger: "Ledger", word: str, user: str | None, channel: str | None) -> "Delivery":
    """The delivery a word names, or the newest that left of a person and campaign; ends if there is none."""
    from orchestrator.core.keys import read_key  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import deliveries  # noqa: PLC0415

    if user is not None:
        return _newest(opened, ledger, word, user, channel)
    key = read_key(word)
    if key is None and re.fullmatch(r"[0-9a-f]{32}", word):
        key = deliveries.called(ledger.store, word) or fail(f"no message of the id {word} has left", USAGE)
    if key is None:
        what = f"orchestrator show {word} --user ID" if word in opened.project.campaigns else "orchestrator deliveries"
        fail(
            f"{word} names no delivery; write its run, person and channel, 7/u00417/email, as `why` and `deliveries` do: {what}",
            USAGE,
        )
    asked = deliveries.Asked(run=key.run, users=(key.user,), channel=key.channel)
    row = next((one for one in deliveries.listed(ledger.store, asked) if one.key == key), None)
    return row or fail(f"no delivery {word}; orchestrator deliveries --user {key.user} lists those of a person", USAGE)


def _newest(opened: "Opened", ledger: "Ledger", campaign: str, word: str, channel: str | None) -> "Delivery":
    """The newest message of a campaign that left for somebody, else the newest that waits, else the newest row."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.finding import known_as  # noqa: PLC0415
    from orchestrator.cli.explaining import find_person, refuse_unknown  # noqa: PLC0415
    from orchestrator.core.nouns import OPEN, Channel  # noqa: PLC0415
    from orchestrator.ledger import deliveries  # noqa: PLC0415

    refuse_unknown(opened, ledger, campaign)
    if channel is not None and channel not in list(Channel):
        no_such("channel", channel, Channel)
    who = find_person(ledger, known_as(app.audience(opened), word), word, f"orchestrator show {campaign} --user")
    on = None if channel is None else Channel(channel)
    rows = list(deliveries.listed(ledger.store, deliveries.Asked(campaign, None, (who.user,), on)))
    if not rows:
        fail(
            f"{who.user} has no delivery of {campaign}{f' by {channel}' if channel else ''};"
            f" orchestrator why {campaign} {who.user} says why",
            USAGE,
        )
    left = (row for row in rows if row.intent_at is not None)
    waiting = (row for row in rows if row.state in OPEN)
    return next(left, None) or next(waiting, rows[0])


def _seen(opened: "Opened", ledger: "Ledger", row: "Delivery", child: "RenderChild") -> "Seen":
    """The message itself where it is kept, else written again."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.bundles import Bundles  # noqa: PLC0415
    from orchestrator.config import Deliver  # noqa: PLC0415
    from orchestrator.core.errors import StoreError  # noqa: PLC0415
    from orchestrator.ledger import runs  # noqa: PLC0415
    from orchestrator.pipeline import seen  # noqa: PLC0415

    if row.intent_at is None:
        return seen.Seen(seen.How.NEVER, f"nothing has left: {said_state(row)}")
    sink = opened.root / app.SINK if opened.project.environment.deliver is Deliver.SINK else None
    if (found := seen.kept(ledger, row, sink)) is not None:
        return found
    run = runs.find(ledger.store, row.key.run)
    assert run is not None  # noqa: S101 - the row is one of its own
    bundles = Bundles(opened.project.environment, WallClock().now(), child)
    prepared = bundles.prepare(ledger, run.campaign, run.version)
    person = seen.planned(ledger, row)
    try:
        if person is None:
            project = bundles.project(ledger, run.version)
            person = seen.asked_anew(app.audience(opened), project, prepared, run, row.key.user)
    except StoreError as problem:
        return seen.Seen(seen.How.LOST, f"it cannot be written again: {problem}")
    if person is None:
        return seen.Seen(
            seen.How.LOST, "it cannot be written again: by the data of now they are not in the audience of that run"
        )
    return seen.written_again(ledger, row, prepared, person)


def _untracked(opened: "Opened", ledger: "Ledger", seen: "Seen") -> "Seen":
    """The same with the links of the template: whoever looks at somebody's mail must not click for them."""
    from orchestrator.core.nouns import EmailContent  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import Purpose  # noqa: PLC0415
    from orchestrator.pipeline.tracking import Untracked  # noqa: PLC0415

    url, now = opened.project.settings.public_url, WallClock().now()
    if not isinstance(seen.content, EmailContent) or not any(f"{url}/{way}/" in seen.content.html for way in "co"):
        return seen
    untracked = Untracked(ledger.seal(Purpose.CLICK, now), ledger.seal(Purpose.OPEN, now))
    why = f"{seen.why}; links stand here as the template has them, so that following one is no click of theirs"
    return replace(seen, why=why, content=untracked.content(seen.content, url))


def said_state(row: "Delivery") -> str:
    """State, reason and detail of a row in words."""
    words = str(row.state).replace("_", " ")
    if row.reason:
        words += f": {row.reason.replace('_', ' ')}" + (f" ({row.detail})" if row.detail else "")
    return words


def _page(folder: Path, row: "Delivery", seen: "Seen") -> str:
    """Write an e-mail's HTML, and return where; empty for every other message."""
    html = getattr(seen.content, "html", "")
    if not html:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(("run", str(row.key.run), row.key.user, row.key.channel))
    path = folder / f"{''.join(c if c.isalnum() or c in '-_' else '_' for c in name)}.html"
    path.write_text(html, encoding="utf-8")
    return str(path)


def _print(row: "Delivery", seen: "Seen", page: str, zone: str) -> None:
    from orchestrator.cli.screen import near  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.sheet import Sheet  # noqa: PLC0415
    from orchestrator.core.keys import say_key  # noqa: PLC0415
    from orchestrator.pipeline.seen import How  # noqa: PLC0415

    sheet = Sheet()
    variant = f" · variant {row.variant}" if row.variant else ""
    sheet.title(f"{say_key(row.key)} · {row.campaign} · segment {row.segment}{variant}")
    if row.intent_at is not None:
        sheet.text(f"{said_state(row)} by {row.provider} · sent {when(row.intent_at, zone)} to {row.address}")
    sheet.text(seen.why)
    if seen.how is How.NEVER:
        sheet.command("why:", f"orchestrator why {row.campaign} {row.key.user} --run {row.key.run}")
    if seen.content is not None:
        sheet.blank()
        sheet.message(asdict(seen.content))
    if page:
        sheet.blank()
        sheet.command("open", near(page))
    sheet.print()


def _told(row: "Delivery", seen: "Seen", page: str) -> dict[str, Any]:
    from orchestrator.cli.lookups import plain_delivery  # noqa: PLC0415 - keeps `--help` fast

    own = ("delivery", "id", "run", "campaign", "user", "channel", "segment", "variant", "state", "reason", "detail")
    plain = plain_delivery(row)
    return {
        **{name: plain[name] for name in own},
        "address": row.address,
        "provider": row.provider,
        "sent_at": row.intent_at,
        "how": seen.how,
        "why": seen.why,
        "content": None if seen.content is None else asdict(seen.content),
        "page": page,
    }
