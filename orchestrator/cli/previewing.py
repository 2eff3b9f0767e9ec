"""The verb that shows what somebody would get: the words in the terminal, the e-mail as a page."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import Desk, honest
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.core.nouns import Person


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(preview)


@honest
def preview(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help="The campaign.")],
    user: Annotated[str, typer.Option("--as", help="As whom (a user's id).")],
    variant: Annotated[str | None, typer.Option(help="This variant, whatever the draw says.")] = None,
    locale: Annotated[str | None, typer.Option(help="In this language.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the pages; default: preview/ in the project.")
    ] = None,
) -> None:
    """Show what each channel would say to this person. Nothing leaves, nothing is written to the ledger."""
    from orchestrator.cli.choosing import chosen_locale, chosen_variant, one_of  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.shipping import ready  # noqa: PLC0415
    from orchestrator.core.assignment import addresses_of, assign  # noqa: PLC0415
    from orchestrator.core.nouns import Address, DeliveryKey, delivery_id  # noqa: PLC0415
    from orchestrator.pipeline import Letter, Unwritten, coupons_of  # noqa: PLC0415

    desk: Desk = context.obj
    now = WallClock().now()
    with ready(desk, campaign, now) as (opened, _, prepared, _):
        if variant is not None:
            chosen_variant(prepared.campaign, variant)
        if locale is not None:
            chosen_locale(opened.project.settings.locales, locale)
        person = one_of(opened, prepared, user, now)
        drawn, _ = assign(prepared.campaign, user)
        person = replace(person, variant=drawn if variant is None else variant, locale=locale or person.locale)
        person = coupons_of(opened.project, prepared.letters).sample(person, now)
        letters = []
        for channel in prepared.campaign.channels:
            key = DeliveryKey(0, user, channel)
            address = next(iter(addresses_of(person, channel)), Address(""))
            letters.append(Letter(person, key, delivery_id(campaign, "preview", key), address, now))
        contents = list(prepared.letters.render(letters))
    told: list[dict[str, Any]] = []
    for letter, content in zip(letters, contents, strict=True):
        said: dict[str, Any] = {"channel": str(letter.key.channel), "to": letter.address.value}
        if isinstance(content, Unwritten):
            said |= {"nothing": content.reason, "detail": content.detail}
        else:
            said |= {"content": asdict(content)}
        told.append(said)
    pages = _pages(out or desk.root / "preview", campaign, person, told)
    desk.show(
        {"user": user, "segment": person.segment, "variant": person.variant, "messages": told, "pages": pages},
        lambda: _print(person, told, pages),
    )


def _pages(folder: Path, campaign: str, person: "Person", told: list[dict[str, Any]]) -> list[str]:
    """Write each message's HTML, and return where."""
    pages = []
    for said in told:
        html = said.get("content", {}).get("html")
        if html:
            folder.mkdir(parents=True, exist_ok=True)
            name = "-".join(part for part in (campaign, person.user, person.variant, said["channel"]) if part)
            path = folder / f"{''.join(c if c.isalnum() or c in '-_' else '_' for c in name)}.html"
            path.write_text(html, encoding="utf-8")
            pages.append(str(path))
    return pages


def _print(person: "Person", told: list[dict[str, Any]], pages: list[str]) -> None:
    variant = f" · variant {person.variant}" if person.variant else ""
    typer.echo(f" {person.user} · segment {person.segment}{variant} · {person.locale or 'no language known'}")
    for said in told:
        typer.echo(f"\n {said['channel']}   {said['to'] or 'no address'}")
        if "nothing" in said:
            typer.echo(f"   nothing: {said['nothing'].replace('_', ' ')} {said['detail']}")
            continue
        for name, value in said["content"].items():
            if value and name not in ("html", "headers"):
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                typer.echo(f"   {name:<10} " + text.strip().replace("\n", "\n" + " " * 14))
    for page in pages:
        typer.echo(f"\n open {page}")
