"""The verb that tells a person's whole story with one campaign, on one screen, true to the rows of the ledger."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such, run_of
from orchestrator.cli.times import moment_of
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.app import Opened
    from orchestrator.audience.finding import Profile
    from orchestrator.audience.reader import Reader
    from orchestrator.config import Project
    from orchestrator.core.times import Instant
    from orchestrator.ledger import Ledger, Run
    from orchestrator.pipeline.story import Story


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(why)


@honest
def why(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help="The campaign.")],
    person: Annotated[str, typer.Argument(help="A user's id, e-mail address or phone number.")],
    run: Annotated[
        int | None,
        typer.Option(
            help="In this run; default: the newest that was planned, or, if that only repeats, the last that gave them something."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="What a plan would say at this moment, as if no run had them: 2026-03-02T10:00+01:00."
        ),
    ] = None,
) -> None:
    """Tell a person's whole story with a campaign: in its audience or not and why, what they drew, each channel, the goal.

    Of a run that was planned the ledger's rows speak; before there is one, or with --at, the judge does, as in `plan`.
    """
    from orchestrator.cli.story_json import told  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.storytelling import print_story  # noqa: PLC0415

    desk: Desk = context.obj
    if run is not None and at is not None:
        fail("--run tells what was, --at what would be: leave one of them away", USAGE)
    opened = _opened(desk, campaign, run) if at is None else desk.open()
    moment = moment_of(at, opened.project.settings.time_zone)
    ledger = opened.ledger()
    try:
        refuse_unknown(opened, ledger, campaign)
        found = _run(ledger, campaign, run) if at is None else None
        audience, called, trouble = _asked(opened, found, person)
        who = find_person(ledger, called, person, f"orchestrator why {campaign}", trouble)
        story = _story(opened, ledger, (audience, who), (campaign, found), moment)
        newest = None
        if run is None and (before := _before_repeat(ledger, story)) is not None:
            newest, found = found, before
            story = _story(opened, ledger, (audience, who), (campaign, found), moment)
        others = _other_runs(ledger, story)
    finally:
        ledger.close()
    if trouble:
        desk.note(f"only the ledger's part can be told: {trouble}")
    place, now = _place(opened), WallClock().now()
    desk.show(told(desk.environment, story, others), lambda: print_story(place, story, others, now, newest))


def _opened(desk: Desk, campaign: str, run: int | None) -> "Opened":
    """The project; where its files have mistakes, as it was when the run was fired that is asked about."""
    from orchestrator import app, config  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.errors import ConfigError  # noqa: PLC0415

    try:
        return desk.open()
    except ConfigError as problem:
        if problem.unknown_environment:
            raise
        with desk.ledger(despite_mistakes=True) as ledger:
            found = _run(ledger, campaign, run)
            if found is None:
                raise
            files = ledger.bundle(found.version)
        project = config.load(files, desk.environment).sound()
        return app.Opened(desk.root, project, files, config.MachineSecrets(desk.root))


def _place(opened: "Opened") -> str:
    """The environment, and whom it reaches if not everyone."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.config import Deliver  # noqa: PLC0415

    environment = opened.project.environment
    reaches = "" if environment.deliver is Deliver.EVERYONE else f" ({app.whom(opened)})"
    return f"{environment.name}{reaches}"


def refuse_unknown(opened: "Opened", ledger: "Ledger", campaign: str) -> None:
    """End, unless the project or the ledger knows this campaign."""
    from orchestrator.ledger import runs  # noqa: PLC0415 - keeps `--help` fast

    if campaign not in opened.project.campaigns and not runs.listed(ledger.store, campaign, limit=1):
        no_such("campaign", campaign, opened.project.campaigns)


def _run(ledger: "Ledger", campaign: str, number: int | None) -> "Run | None":
    """The run asked for, else the newest that is planned; None where there is none."""
    from orchestrator.ledger import runs  # noqa: PLC0415 - keeps `--help` fast

    if number is None:
        return next((one for one in runs.listed(ledger.store, campaign) if one.audience is not None), None)
    found = run_of(ledger, number)
    if found.campaign != campaign:
        fail(f"run {number} is one of {found.campaign}, not of {campaign}", USAGE)
    if found.audience is None:
        fail(f"run {number} is {found.state}: nobody is in it yet, so there is nothing to tell of it", USAGE)
    return found


def _before_repeat(ledger: "Ledger", story: "Story") -> "Run | None":
    """The last run in which they got, or wait for, something, where the one told says only that they had the campaign."""
    from orchestrator.core.reasons import Reason  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import runs, standing  # noqa: PLC0415

    if story.run is None or story.came.reason != Reason.REPEAT:
        return None
    before = standing.last_with_something(ledger.store, story.who.user, story.campaign.name)
    return None if before is None else runs.find(ledger.store, before)


def _asked(opened: "Opened", run: "Run | None", word: str) -> "tuple[Reader | None, Sequence[Profile], str]":
    """The audience and whom it knows by a word. Of a run the ledger tells its part where it cannot be read: then also why."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.finding import known_as  # noqa: PLC0415
    from orchestrator.core.errors import StoreError  # noqa: PLC0415

    try:
        audience = app.audience(opened)
        return audience, known_as(audience, word), ""
    except StoreError as problem:
        if run is None:
            raise
        return None, (), str(problem)


def find_person(ledger: "Ledger", found: "Sequence[Profile]", word: str, verb: str, trouble: str = "") -> "Profile":
    """Whom a word means of those the audience knows by it; ends if it is nobody's, or several people's address.

    `trouble` is why the audience could not be asked.
    """
    from orchestrator.audience.finding import Profile  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import deliveries  # noqa: PLC0415

    if not _sure(found) and deliveries.knows(ledger.store, word):
        return Profile(word)  # gone from the audience, but their rows stay
    if trouble:
        fail(
            f"the ledger knows nobody by the id {word}, and the audience, where addresses stand, cannot be read: {trouble}"
        )
    return whom(found, word, verb)


def whom(found: "Sequence[Profile]", word: str, verb: str) -> "Profile":
    """Whom a word means of those the audience knows by it; ends if it is nobody's, or several people's address."""
    if not found:
        fail(f"nobody is known by the id, e-mail address or phone number {word}", USAGE)
    return found[0] if _sure(found) else _several(word, found, verb)


def _sure(found: "Sequence[Profile]") -> bool:
    return len(found) == 1 or (len(found) > 1 and found[0].by == "user")


def _several(word: str, found: "Sequence[Profile]", verb: str) -> NoReturn:
    what = {"email": "e-mail address", "phone": "phone number"}[found[0].by]
    names = ", ".join(one.user for one in found)
    fail(f"{word} is the {what} of {len(found)} people: {names}; say which by id: {verb} {found[0].user}", USAGE)


def _story(
    opened: "Opened",
    ledger: "Ledger",
    who: "tuple[Reader | None, Profile]",
    what: "tuple[str, Run | None]",
    now: "Instant",
) -> "Story":
    """The story of a run by the files it was fired with, or of a plan by those of now."""
    from orchestrator.pipeline import story as stories  # noqa: PLC0415 - keeps `--help` fast

    (audience, person), (campaign, run) = who, what
    declared = dict(opened.project.catalogue.known.attributes)
    if run is not None:
        project = _of_then(opened, ledger, run)
        return stories.past(stories.Asked(person, project, ledger, audience, declared), run)
    if campaign not in opened.project.campaigns:
        fail(f"{campaign} is no campaign any more, so no plan can be made of it; leave --at away", USAGE)
    return stories.coming(stories.Asked(person, opened.project, ledger, audience, declared), campaign, now)


def _of_then(opened: "Opened", ledger: "Ledger", run: "Run") -> "Project":
    """The project as it was when the run was fired."""
    from orchestrator.bundles import Bundles  # noqa: PLC0415 - keeps `--help` fast

    return Bundles(opened.project.environment, WallClock().now()).project(ledger, run.version)


def _other_runs(ledger: "Ledger", story: "Story") -> list[int]:
    """Other runs of the campaign that have a row of the person, the newest first."""
    from orchestrator.ledger import deliveries  # noqa: PLC0415 - keeps `--help` fast

    own = story.run.id if story.run is not None else None
    return [one for one in deliveries.runs_of(ledger.store, story.who.user, story.campaign.name) if one != own]
