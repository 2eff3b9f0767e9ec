"""The verb that shows what somebody would get: the words in the terminal, and a page with every message side by side."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, WRONG, Desk, fail, honest
from orchestrator.core.errors import ConfigError

if TYPE_CHECKING:
    from orchestrator.cli.looking import Seen
    from orchestrator.core.nouns import Person
    from orchestrator.rendering import Preview, Tile


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(preview)


@honest
def preview(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help="The campaign.")],
    user: Annotated[
        str | None, typer.Option("--as", help="As whom (a user's id); default: made-up values, which need no database.")
    ] = None,
    variant: Annotated[str | None, typer.Option(help="This variant, whatever the draw says.")] = None,
    locale: Annotated[str | None, typer.Option(help="In this language.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the e-mails' pages; default: preview/ in the project.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the page with every message into this one file, and end.")
    ] = None,
    links: Annotated[
        bool, typer.Option("--links", help="Ask every link and picture whether it is there (this leaves the machine).")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the page also where nobody sits at a terminal.")
    ] = False,
    no_open: Annotated[
        bool,
        typer.Option("--no-open", help="Only the words: no page, no browser. So it is in a pipe and with --json, too."),
    ] = False,
    port: Annotated[
        int, typer.Option(help="The page's port on this machine; 0: any that is free.", min=0, max=65535)
    ] = 0,
) -> None:
    """Print what one person would get, and show every message of the campaign on one page that follows each save.

    Nothing is sent and nothing is written to the ledger. Nothing leaves this machine either, unless --links or the page's
    button for pictures asks for it.
    """
    from orchestrator.cli.looking import Chosen, Looking  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.config import fingerprint  # noqa: PLC0415
    from orchestrator.rendering import RenderChild  # noqa: PLC0415

    desk: Desk = context.obj
    if serve and desk.as_json:
        fail("--serve shows a page to people and --json answers a program; choose one", USAGE)
    opens = sys.stdout.isatty() and not (desk.as_json or no_open or html)
    serves = serve or opens
    # The child is forked before there are threads or databases here.
    with RenderChild() as child:
        files = fingerprint(desk.root)
        looking = Looking(desk, Chosen(campaign, user, variant, locale, links), child)
        seen = looking.look()
        if seen.broken and not (serves or html):
            raise ConfigError(seen.broken)
        _show(desk, seen, out or desk.root / "preview", html)
        if serves:
            from orchestrator.cli.pages import Page  # noqa: PLC0415

            Page(desk.root, seen.preview, looking.again, port).serve(files, opens=opens)
        elif seen.broken:
            raise ConfigError(seen.broken)
        elif _dead(seen.preview):
            raise typer.Exit(WRONG)


def _show(desk: Desk, seen: "Seen", folder: Path, html: Path | None) -> None:
    """Say what the person would get, and write the pages."""
    told = _told(seen)
    pages = _pages(folder, seen.preview.campaign, seen.person, told)
    if html is not None:
        from orchestrator.rendering.page import page  # noqa: PLC0415 - only who wants it waits for it

        _write(html, page(seen.preview))
        pages.append(str(html))
    user = seen.preview.user or None
    answer: dict[str, Any] = {
        "user": user,
        "source": seen.preview.source,
        "segment": seen.person.segment,
        "variant": seen.person.variant,
    }
    answer |= {"messages": told, "pages": pages, "tiles": [_tile(tile) for tile in seen.preview.tiles]}
    desk.show(answer, lambda: _print(seen, told, pages))


def _told(seen: "Seen") -> list[dict[str, Any]]:
    """The person's own message on each channel, or why there is none."""
    from orchestrator.pipeline import Unwritten, letter_to  # noqa: PLC0415 - keeps `--help` fast

    scene, told = seen.scene, list[dict[str, Any]]()
    for channel in scene.campaign.channels:
        letter = letter_to(scene.campaign.name, seen.person, channel, scene.at)
        content = next(iter(scene.letters.render([letter])))
        said: dict[str, Any] = {"channel": str(channel), "to": letter.address.value}
        if isinstance(content, Unwritten):
            said |= {"nothing": content.reason, "detail": content.detail}
        else:
            said |= {"content": asdict(content)}
        told.append(said)
    return told


def _tile(tile: "Tile") -> dict[str, Any]:
    """A message of the page, for a program."""
    seen = tile.inspection
    return {
        "channel": str(tile.channel),
        "segments": tile.segments,
        "variants": [name for name in tile.variants if name],
        "locales": tile.locales,
        "files": tile.files,
        "nothing": tile.nothing,
        "mistakes": [asdict(mistake) for mistake in tile.mistakes],
        "findings": [asdict(found) for found in seen.findings],
        "bytes": seen.weight,
        "links": [link.url for link in seen.links],
        "pictures": [picture.url for picture in seen.pictures],
        "parts": None if seen.parts is None else {"alphabet": seen.parts.alphabet, "parts": len(seen.parts)},
    }


def _pages(folder: Path, campaign: str, person: "Person", told: list[dict[str, Any]]) -> list[str]:
    """Write each message's HTML, and return where."""
    pages = []
    for said in told:
        html = said.get("content", {}).get("html")
        if html:
            name = "-".join(part for part in (campaign, person.user, person.variant, said["channel"]) if part)
            path = folder / f"{''.join(c if c.isalnum() or c in '-_' else '_' for c in name)}.html"
            _write(path, html)
            pages.append(str(path))
    return pages


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        fail(f"{path}: cannot be written: {problem.strerror}")


def _dead(preview: "Preview") -> dict[str, str]:
    """The addresses that lead nowhere, and what was answered; none where nobody asked."""
    from orchestrator.rendering import DEAD  # noqa: PLC0415 - keeps `--help` fast

    return {url: said for url, said in (preview.answers or {}).items() if said.startswith(DEAD)}


def _print(seen: "Seen", told: list[dict[str, Any]], pages: list[str]) -> None:
    from orchestrator.cli.screen import near  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.sheet import Sheet  # noqa: PLC0415

    sheet, person, user = Sheet(), seen.person, seen.preview.user
    variant = f" · variant {person.variant}" if person.variant else ""
    whom = user or "made-up values"
    dead, asked = _dead(seen.preview), seen.preview.answers
    sheet.title(f"{whom} · segment {person.segment}{variant} · {person.locale or 'no language known'}")
    for said in told:
        sheet.blank()
        sheet.title(said["channel"] + ("" if not user else f"   {said['to'] or 'no address'}"))
        if "nothing" in said:
            sheet.text(f"  nothing: {said['nothing'].replace('_', ' ')} {said['detail']}")
        else:
            sheet.message(said["content"], indent="  ")
    if asked is not None:
        sheet.blank()
        sheet.title(f"links and pictures of all messages: {len(asked):,} asked, {len(dead):,} dead")
        for url, answer in dead.items():
            sheet.command(f"  {answer}:", url)
    for page in pages:
        sheet.blank()
        sheet.command("open", near(page))
    sheet.print()
