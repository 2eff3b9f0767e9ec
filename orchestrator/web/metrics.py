"""The figures of `/metrics`, every one of them, in the text form of Prometheus: put together anew at each scrape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from orchestrator.core.times import DAY, NEVER, SECOND, Instant
from orchestrator.ledger import Ledger, figures
from orchestrator.pipeline.tally import BUCKETS, MESSAGES, SECONDS, SECONDS_SUM, TURNS, UNWRITTEN, key

RECENT = 7 * DAY
"""Deliveries are counted of runs that were due within so long; what is older stands in `orchestrator report`."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """What only the supervisor knows."""

    version: str = ""
    environment: str = ""
    mistakes: int = 0
    workers: int = 0
    falls: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is shown, of one moment."""

    now: Instant
    daemon: Daemon
    queue: figures.Queue
    deliveries: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    runs: Mapping[str, int] = field(default_factory=dict)
    paces: tuple[figures.Pace, ...] = ()
    counted: Mapping[str, float] = field(default_factory=dict)
    events_waiting: int = 0


def snapshot(ledger: Ledger, deliveries: figures.Deliveries, daemon: Daemon, now: Instant) -> Snapshot:
    """Read the ledger's figures; a scrape costs a handful of small queries."""
    store = ledger.store
    with store.reading():
        return Snapshot(
            now,
            daemon,
            figures.queue(store, now),
            deliveries.since(store, Instant(now - RECENT)),
            figures.runs_by_state(store),
            tuple(figures.paces(store)),
            figures.counted(store),
            figures.events_waiting(store),
        )


def exposition(shown: Snapshot) -> bytes:
    """The page."""

    class Once:
        """The figures as the library collects them."""

        def collect(self) -> Iterator[Metric]:
            yield from _of_the_daemon(shown)
            yield from _of_the_ledger(shown)
            yield from _of_the_providers(shown)
            yield from _of_the_work(shown)

    return generate_latest(Once())


def _of_the_daemon(shown: Snapshot) -> Iterator[Metric]:
    daemon = shown.daemon
    info = GaugeMetricFamily(
        "orchestrator_info", "Always 1; its labels say what runs.", labels=("version", "environment")
    )
    info.add_metric((daemon.version[:12], daemon.environment), 1)
    yield info
    yield GaugeMetricFamily(
        "orchestrator_config_mistakes", "Mistakes of an edit that did not take effect.", value=daemon.mistakes
    )
    yield GaugeMetricFamily("orchestrator_worker_processes", "Worker processes that run.", value=daemon.workers)
    yield GaugeMetricFamily(
        "orchestrator_worker_falls", "Restarts in a row of the worker that falls most.", value=daemon.falls
    )


def _of_the_ledger(shown: Snapshot) -> Iterator[Metric]:
    deliveries = GaugeMetricFamily(
        "orchestrator_deliveries",
        "Rows of the ledger, of runs due in the last seven days.",
        labels=("campaign", "channel", "state"),
    )
    for labels, rows in sorted(shown.deliveries.items()):
        deliveries.add_metric(labels, rows)
    yield deliveries
    runs = GaugeMetricFamily("orchestrator_runs", "Runs by the state they stand in.", labels=("state",))
    for state, number in sorted(shown.runs.items()):
        runs.add_metric((state,), number)
    yield runs
    queue = shown.queue
    shards = GaugeMetricFamily(
        "orchestrator_queue_shards", "Shards that are due, claimed by a worker, or due later.", labels=("state",)
    )
    for state, number in (("due", queue.due), ("claimed", queue.claimed), ("later", queue.later)):
        shards.add_metric((state,), number)
    yield shards
    age = 0 if queue.oldest_due_at is None else max(0, shown.now - queue.oldest_due_at) / SECOND
    yield GaugeMetricFamily(
        "orchestrator_queue_oldest_due_seconds", "How long the oldest due shard has waited for a worker.", value=age
    )
    yield GaugeMetricFamily(
        "orchestrator_events_waiting", "Events acknowledged and not loaded yet.", value=shown.events_waiting
    )


def _of_the_providers(shown: Snapshot) -> Iterator[Metric]:
    paused = GaugeMetricFamily(
        "orchestrator_paused_seconds",
        "For how long it stays paused; +Inf until somebody resumes it.",
        labels=("scope",),
    )
    failures = GaugeMetricFamily(
        "orchestrator_failures_in_a_row", "Failures in a row, over all workers.", labels=("scope",)
    )
    breakers = GaugeMetricFamily(
        "orchestrator_breaker_open", "1 while the breaker lets one message at a time try.", labels=("scope",)
    )
    for pace in shown.paces:
        until = pace.paused_until or Instant(0)
        paused.add_metric((pace.scope,), float("inf") if until >= NEVER else max(0, until - shown.now) / SECOND)
        failures.add_metric((pace.scope,), pace.failures)
        breakers.add_metric((pace.scope,), int(pace.open))
    yield from (paused, failures, breakers)


def _of_the_work(shown: Snapshot) -> Iterator[Metric]:
    messages = CounterMetricFamily(
        "orchestrator_messages",
        "Answers of providers, by what became of the message.",
        labels=("campaign", "channel", "provider", "state"),
    )
    turns = CounterMetricFamily("orchestrator_turns", "Transactions that settled and intended.", labels=("campaign",))
    unwritten = CounterMetricFamily(
        "orchestrator_render_failures",
        "Messages that could not be rendered for somebody.",
        labels=("campaign", "channel", "reason"),
    )
    families = {MESSAGES: messages, TURNS: turns, UNWRITTEN: unwritten}
    for name, number in sorted(shown.counted.items()):
        kind, *labels = name.split("\t")
        if kind in families:
            families[kind].add_metric(labels, number)
    yield from families.values()
    took = HistogramMetricFamily(
        "orchestrator_send_seconds",
        "From the intent to the settled answer, sampled.",
        labels=("provider",),
    )
    for provider in sorted({name.split("\t")[1] for name in shown.counted if name.startswith(f"{SECONDS}\t")}):
        total, buckets = 0.0, []
        for bound in (*map(str, BUCKETS), "inf"):
            total += shown.counted.get(key(SECONDS, provider, bound), 0)
            buckets.append(("+Inf" if bound == "inf" else bound, total))
        took.add_metric((provider,), buckets, shown.counted.get(key(SECONDS_SUM, provider), 0.0))
    yield took
