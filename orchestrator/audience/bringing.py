"""Writing what was read of a file where it belongs: people's words and stopped addresses first, then everything else."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from orchestrator.audience import finishing
from orchestrator.audience.bench import Bench
from orchestrator.audience.landing import Landing, Progress, land_devices, land_events, land_people
from orchestrator.audience.mapping import ADDRESSES, STOPPED, Plan, What
from orchestrator.audience.orders import Order
from orchestrator.audience.reader import Reader
from orchestrator.audience.replacing import Devices, Events, Loss, People
from orchestrator.audience.spool import fill, fresh
from orchestrator.audience.store import Audience
from orchestrator.audience.words import Rows, Stop, Word
from orchestrator.core.times import Instant


class First:
    """Tells the ledger, once, what people said and which addresses are stopped: before anybody lands who may not be sent to."""

    def __init__(self, order: Order, words: Rows[Word] | None, stops: Rows[Stop] | None) -> None:
        self._order, self._words, self._stops = order, words, stops
        self._told = order.first is None or (words is None and stops is None)

    def __call__(self) -> None:
        if not self._told and self._order.first is not None:
            self._order.first(self._words, self._stops)
        self._told = True


def _written_at(order: Order) -> Instant:
    return Instant(min(order.now, order.path.stat().st_mtime_ns // 1000))


@dataclass(frozen=True, slots=True)
class Came:
    new: int = 0
    changed: int = 0
    devices: int = 0
    removed: int = 0


def land(
    audience: Audience,
    bench: Bench,
    order: Order,
    told: Plan,
    loss: Loss,
    progress: Progress,
    first: Callable[[], None],
) -> Came:
    """Write everything into the audience file; of a replacement, once it is approved."""
    came = Came()
    engine, declared = bench.engine, order.catalogue.attributes
    match order.what:
        case What.EVENTS:
            finishing.in_order(engine, finishing.events(bench, told.constants.get("event")))
            landing = _approved(Landing(audience, progress, Events() if order.replace else None), bench, order, loss)
            first()
            counts, share = landing.run(engine, land_events)
            came = Came(new=sum(counts) - share.kept, removed=share.going)
        case What.PROFILES:
            engine.execute(f'CREATE TABLE ready AS {finishing.people(bench, declared)} ORDER BY "user"')
            columns = list(finishing.columns_of(bench, declared))
            landing = _approved(Landing(audience, progress, People() if order.replace else None), bench, order, loss)
            first()
            both, share = landing.run(engine, lambda to, source: land_people(to, source, columns))
            came = Came(sum(new for new, _ in both), sum(changed for _, changed in both), removed=share.going)
        case _:
            pass
    if bench.number("device") is not None and order.what in (What.PROFILES, What.DEVICES):
        engine.execute(
            f"CREATE OR REPLACE TABLE ready AS {finishing.devices(bench, told.constants, _written_at(order))} "
            'ORDER BY "user"'
        )
        landing = Landing(audience, progress, Devices() if order.replace else None)
        if order.what is What.DEVICES:
            landing = _approved(landing, bench, order, loss)
        seen, share = landing.run(engine, land_devices)
        removed = share.going if order.what is What.DEVICES else came.removed
        came = replace(came, devices=sum(seen), removed=removed)
    return came


def _approved(landing: Landing, bench: Bench, order: Order, loss: Loss) -> Landing:
    """The same landing, if it takes nothing away or may do so."""
    if landing.whole is not None:
        share = landing.share(bench.engine)
        order.approve(replace(loss, noun=landing.whole.noun, share=share))
    return landing


def for_the_ledger(
    audience: Reader, bench: Bench, order: Order, told: Plan, closing: ExitStack
) -> tuple[Rows[Word] | None, Rows[Stop] | None]:
    """What people said and which addresses are stopped, on disk until `closing` or whoever gets them closes them."""
    words: Rows[Word] | None = None
    stops: Rows[Stop] | None = None
    stopped = ""
    said = finishing.consent(bench, told.constants, f"import:{order.path.name}", _written_at(order), order.topics or ())
    if said:
        words = Rows(fill(bench.engine, said, fresh(audience.spools)), Word)
        closing.callback(words.close)
    if order.what is What.SUPPRESSIONS or bench.number(STOPPED) is not None:
        whose = ADDRESSES if order.what is What.SUPPRESSIONS else {"email"}
        stopped = finishing.suppressions(bench, told.constants, _written_at(order), addresses=whose)
    if stopped:
        stops = Rows(fill(bench.engine, stopped, fresh(audience.spools)), Stop)
        closing.callback(stops.close)
    return words, stops
