"""A campaign's audience resolved and judged for a run that is only imagined: what plan shows, and what send shows before it asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from orchestrator import app
from orchestrator.cli import standing as earlier_runs
from orchestrator.cli.desk import Desk
from orchestrator.cli.occasions import Occasion
from orchestrator.cli.progress import Asking, Waiting, waiting
from orchestrator.cli.shipping import more_codes, ready
from orchestrator.config import Deliver
from orchestrator.core.campaigns import Campaign
from orchestrator.core.errors import StoreError
from orchestrator.core.holding import in_one, reason_to_hold, too_large
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, figures
from orchestrator.ledger.coupons import Stock
from orchestrator.pipeline import (
    Asked,
    Casting,
    Coupons,
    Forecast,
    Foreseen,
    Foresight,
    Prepared,
    Steps,
    coupons_of,
    forecasting,
    seconds_to_send,
    stock,
    together,
)
from orchestrator.rendering import RenderChild
from orchestrator.wire.clock import WallClock

PROBED = 5
"""People a dry run asks the services of linked data about: enough to see that they answer."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A campaign with its audience resolved and judged, not yet planned."""

    opened: app.Opened
    ledger: Ledger
    prepared: Prepared
    casting: Casting
    forecast: Forecast
    child: RenderChild
    at: Instant
    asking: Asking
    coupons: Coupons
    occasion: Occasion
    foresight: Foresight
    earlier: tuple[earlier_runs.Earlier, ...] = ()
    hold: str = ""
    """Why a run of the clock with these people would wait for a person, empty if it would not."""

    def stocks(self) -> dict[str, Stock]:
        """What is left of the pools its messages take codes from."""
        return {name: stock(self.ledger, self.opened.project, self.opened.files, name) for name in self.coupons.pools}

    def short(self) -> str:
        """Which pool has too few codes for everybody who needs one, and what to do; empty if none has."""
        for name, one in self.stocks().items():
            if self.forecast.coupons[name] > one.left:
                return (
                    f"coupons {name}: {one.left:,} codes are left, and {self.forecast.coupons[name]:,} people need one;"
                    f" add some: {more_codes(self.opened, name)}"
                )
        return ""

    def under_way(self) -> tuple[str, ...]:
        """What earlier runs of the campaign still have to do with these people, a line each."""
        return tuple(earlier_runs.told(self.earlier, self.prepared.campaign, self.at))

    def seeds(self) -> int | None:
        """How many of the people are seeds, where the environment reaches only these; None where it does not."""
        if self.opened.project.environment.deliver is not Deliver.SEEDS:
            return None
        return self.forecast.people - self.forecast.nothing[Reason.NOT_A_SEED, ""]

    def large(self) -> str:
        """Why so many people need a person's approval, empty if they do not; where only seeds get it, they are those who count."""
        people = self.seeds()
        return too_large(self.prepared.campaign.hold_if, self.forecast.people if people is None else people)

    def needs(self) -> str:
        """Every reason why a run of the clock would wait for a person, empty if it would not."""
        return in_one(self.hold, self.untold())

    def seconds(self) -> float | None:
        """About how long sending takes; None where nothing is known of any rate."""
        lately = figures.sending_rate(self.ledger.store)
        return seconds_to_send(self.opened.project, self.prepared.campaign, self.forecast.channels, lately)

    def untold(self) -> str:
        """Why this environment must not send it yet, empty if it may."""
        return app.untold(self.opened, self.ledger, self.prepared.campaign)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a rehearsal is to be made: with every message written, with some people named."""

    exact: bool = False
    asked: Asked | None = None


@contextmanager
def rehearse(
    desk: Desk,
    campaign: str,
    choose: Callable[[Campaign], Occasion],
    *,
    sending: bool = False,
    wish: Wish = Wish(),
) -> Iterator[Rehearsal]:
    """Resolve and judge a campaign's audience for an occasion; on a terminal a line tells how far it is."""
    now = WallClock().now()
    with (
        ready(desk, campaign, now, sending=sending, tried=True) as (opened, ledger, prepared, child),
        imagined(desk, Bed(opened, ledger, prepared, child), choose(prepared.campaign), wish) as show,
    ):
        yield show


@dataclass(frozen=True, slots=True)
class Bed:
    """What it takes to rehearse a campaign."""

    opened: app.Opened
    ledger: Ledger
    prepared: Prepared
    child: RenderChild


@contextmanager
def imagined(desk: Desk, bed: Bed, occasion: Occasion, wish: Wish = Wish()) -> Iterator[Rehearsal]:
    """A campaign's audience resolved and judged for an occasion; its spool is gone afterwards."""
    with waiting(desk) as wait, imagining(desk, bed, occasion, wait, wish) as staged:
        [found] = together([staged.steps])
        wait.over()
        yield staged.rehearsal(found)


@dataclass(frozen=True, slots=True)
class Staged:
    """A campaign's audience resolved; `steps` judge it, and what they find makes it a rehearsal."""

    steps: Steps[Forecast]
    rehearsal: Callable[[Forecast], Rehearsal]


@contextmanager
def imagining(
    desk: Desk, bed: Bed, occasion: Occasion, wait: Waiting, wish: Wish = Wish(), foreseen: Foreseen | None = None
) -> Iterator[Staged]:
    """A campaign's audience resolved for an occasion, to be judged; its spool is gone afterwards.

    With `foreseen`, people come in the order of the clock, and messages of other campaigns count that would be sent before.
    """
    opened, ledger, prepared = bed.opened, bed.ledger, bed.prepared
    campaign, at = prepared.campaign, occasion.at
    asking = Asking(WallClock(), quiet=desk.as_json)
    wait(f"{campaign.name}: asking who is in the audience")
    audience = app.audience(opened)
    casting = Casting(audience, opened.project, campaign, at, prepared.letters.touched(), note=asking)
    try:
        facts, waves = occasion.facts(campaign, ledger.began(campaign.name))
        before = earlier_runs.earlier(ledger, campaign.name)
        coupons = coupons_of(opened.project, prepared.letters)
        services = casting.linked.asks
        bare = casting.bare() if foreseen is None or waves is None else casting.in_order(lambda it: waves(it).opens_at)
        people = bare if services else casting.linked.upon(bare)
        people = earlier_runs.counted(wait.through(people, "judging", len(casting)), before)
        foresight = Foresight(campaign, prepared.letters, coupons, unasked=services, everybody=wish.exact)
        hold_if = campaign.hold_if
        # Whether data will be late on a day to come, nobody knows.
        ahead = at > occasion.now
        newest = dict.fromkeys(hold_if.no_recent, at) if ahead else audience.newest(hold_if.no_recent, at)
        hold = reason_to_hold(hold_if, len(casting), newest, at)
        steps = forecasting(
            ledger, campaign, people, facts, at,
            coupons=coupons, foresight=foresight, waves=waves, asked=wish.asked, foreseen=foreseen,
        )  # fmt: skip
        yield Staged(
            steps,
            lambda found: Rehearsal(
                opened, ledger, prepared, casting, found, bed.child, at, asking, coupons, occasion, foresight,
                tuple(before), hold,
            ),
        )  # fmt: skip
    finally:
        asking.stop()
        casting.close()


def probe(show: Rehearsal) -> str:
    """Ask the services of linked data about the first few people; which of them does not answer, empty if all do."""
    try:
        for _ in show.casting.linked.upon(islice(show.casting.bare(), PROBED)):
            continue
    except StoreError as problem:
        return str(problem)
    finally:
        show.asking.stop()
    return ""
