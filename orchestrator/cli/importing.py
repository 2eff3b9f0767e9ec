"""The verb that brings people and what they did into the project, and codes into pools of coupons."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, WRONG, Desk, fail, honest, no_such
from orchestrator.cli.screen import many, near, say
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    pass


COUPONS = "coupons"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import")(bring)


@honest
def bring(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="profiles, events, consent, suppressions, devices, or coupons.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="CSV, JSONL or Parquet files; for coupons, the pool's name first.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What each column is; default: config/imports/<file's name>.yaml, or guessed.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--replace", help="The file is the whole truth: what is not in it goes.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="Ask nothing: what is guessed is saved. With --replace, take a file with rows left out, or with none.",
        ),
    ] = False,
    none: Annotated[
        bool, typer.Option("--none", help="With suppressions: there are none, so a live environment may send.")
    ] = False,
) -> None:
    """Import files. The same file again changes nothing; rows that cannot be taken are set aside, with the reason for each."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.mapping import What  # noqa: PLC0415
    from orchestrator.cli.bringing import Wish, brought  # noqa: PLC0415
    from orchestrator.cli.telling import tell_the_audience  # noqa: PLC0415

    desk: Desk = context.obj
    if what == COUPONS:
        from orchestrator.cli.stocking import stock_coupons  # noqa: PLC0415

        stock_coupons(desk, files or [], more=bool(mapping or whole or yes or none))
        return
    if what not in list(What):
        if Path(what).suffix:
            fail(
                f"import {what}: what does it tell of? Write it before the file: orchestrator import profiles {what}"
                f" (or {', '.join(list(What)[1:])})",
                USAGE,
            )
        no_such("kind of file", what, [*What, COUPONS])
    if none:
        _none(desk, what, files)
        return
    if not files:
        fail(f"import {what}: which files? CSV, JSONL or Parquet", USAGE)
    if whole and len(files) > 1:
        fail("--replace takes one file: each would delete what the one before it brought; put them together", USAGE)
    opened = desk.open()
    # Words of consent and stopped addresses go to the ledger, whoever has the audience.
    for_the_ledger = what in (What.CONSENT, What.SUPPRESSIONS)
    audience = app.audience(opened) if for_the_ledger else app.own_audience(opened)
    asks = not yes and not desk.as_json and sys.stdin.isatty() and sys.stdout.isatty()
    told = [brought(desk, opened, audience, Wish(what, file, mapping, whole, yes, asks)) for file in files]
    if any(one["consent"] for one in told):
        tell_the_audience(desk, opened)

    def tell_all() -> None:
        for one in told:
            tell(one)

    desk.show(told, tell_all)
    if any(one["rejected"] for one in told) and all(one["left_out"] == one["rows"] for one in told):
        raise typer.Exit(WRONG)


def tell(one: Mapping[str, Any]) -> None:
    """What came of a file, for a person."""
    more = [f"{one[name]:,} {name}" for name in _CAME if one[name]]
    aside = f" · {one['rejected']:,} rejected, reasons in {near(one['rejects'])}" if one["rejected"] else ""
    say(f" {one['file']} · {many(one['rows'], 'row')} · {' · '.join(more) or 'nothing new'}{aside}")
    for reason in one["reasons"]:
        column = f"{reason['column']}: " if reason["column"] else ""
        say(f"   rejected   {reason['count']:,} {column}{reason['reason']} (line {reason['line']})")
    for note in one["notes"]:
        say(f"   note       {note}")
    if one["saved"]:
        say(f"   mapping    saved to {one['saved']}; change it as you like")
    if added := _names(one["added"]):
        say(f"   catalogue  config/data.yaml declares them now: {added}")
    if missing := _names(one["undeclared"]):
        say(f"   catalogue  not in config/data.yaml, so segments cannot ask for them: {missing}; --yes adds them")


def _names(found: Mapping[str, Any]) -> str:
    """The names of attributes and events, the first of many."""
    names = [*found["attributes"]]
    for event, properties in found["events"].items():
        names += [f"{event}.{name}" for name in properties] or [event]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


_NAMED = 12
"""So many names fit into a sentence."""


_CAME = ("new", "changed", "removed", "devices", "consent", "suppressed")
"""What came of a file, in the order in which a person is told."""


def _none(desk: Desk, what: str, files: list[Path] | None) -> None:
    """Write down that there is nobody whose address is stopped."""
    from orchestrator.audience.mapping import What  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import consent  # noqa: PLC0415

    if files or what != What.SUPPRESSIONS:
        fail("--none goes with `import suppressions` and no file: it says that there are none", USAGE)
    with desk.ledger() as ledger:
        consent.tell_no_suppressions(ledger.store, WallClock().now())
    desk.show(
        {"suppressions": "none"},
        lambda: say(" noted: there are no stopped addresses; import them later if there are"),
    )
