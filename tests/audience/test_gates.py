"""The queue before the audience file: three readers in a loop and a loader, real processes, nobody starves."""

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from orchestrator.audience import gates
from orchestrator.audience.store import Audience
from orchestrator.core.errors import HeldError

BATCHES = 12
FORKLESS = multiprocessing.get_context("spawn")


def _read_in_a_loop(path: str, pipe: Connection) -> None:
    """Read until told to stop; then say how often, the longest wait, and every number of events seen."""
    audience = Audience.open(f"duckdb:{path}", Path("/"))
    seen, longest = [], 0.0
    while not pipe.poll():
        began = monotonic()
        with audience.reading() as connection:
            longest = max(longest, monotonic() - began)
            found = connection.execute("SELECT count(*), count(DISTINCT message_id) FROM event").fetchone()
            seen.append(found)
        if len(seen) == 3:
            pipe.send("reading")
    pipe.send((longest, seen))


def _write(audience: Audience, batch: int) -> None:
    with audience.writing() as connection:
        connection.execute(
            "INSERT INTO event SELECT 'u' || i, 'seen', i, ? || '-' || i, '{}', 1 FROM range(1000) r(i)", [str(batch)]
        )


def test_a_loader_lands_every_batch_under_three_readers_and_no_reader_waits_long(tmp_path):
    path = tmp_path / "audience.duckdb"
    audience = Audience.open(f"duckdb:{path}", Path("/"))
    _write(audience, 0)
    crew = []
    for _ in range(3):
        ours, theirs = FORKLESS.Pipe()
        process = FORKLESS.Process(target=_read_in_a_loop, args=(str(path), theirs), daemon=True)
        process.start()
        crew.append((process, ours))
    try:
        for _, pipe in crew:
            assert pipe.poll(60)
            assert pipe.recv() == "reading"
        began = monotonic()
        for batch in range(1, BATCHES + 1):
            _write(audience, batch)
        took = monotonic() - began
        for _, pipe in crew:
            pipe.send("stop")
        stories = [pipe.recv() for _, pipe in crew if pipe.poll(60)]
    finally:
        for process, _ in crew:
            process.join(10)
            if process.is_alive():
                process.kill()
    assert len(stories) == 3
    assert took < BATCHES, "less than a batch a second"
    for longest, seen in stories:
        assert longest < 5
        counts = [count for count, _ in seen]
        assert counts == sorted(counts)
        assert all(count % 1000 == 0 and count == distinct for count, distinct in seen)


def test_a_killed_writer_leaves_no_lock_and_no_half_of_its_batch(tmp_path):
    path = tmp_path / "audience.duckdb"
    audience = Audience.open(f"duckdb:{path}", Path("/"))
    _write(audience, 0)
    ours, theirs = FORKLESS.Pipe()
    process = FORKLESS.Process(target=_write_and_hang, args=(str(path), theirs), daemon=True)
    process.start()
    assert ours.poll(60)
    assert ours.recv() == "inside"
    process.kill()
    process.join(10)
    _write(audience, 2)
    assert audience.counts().events == 2000


def _write_and_hang(path: str, pipe: Connection) -> None:
    audience = Audience.open(f"duckdb:{path}", Path("/"))
    with audience.writing() as connection:
        connection.execute("INSERT INTO event SELECT 'u', 'torn', i, 'torn' || i, '{}', 1 FROM range(500) r(i)")
        pipe.send("inside")
        pipe.recv()


@pytest.mark.parametrize("crossing", ["reading", "writing"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, crossing):
    from orchestrator.audience import gates
    from orchestrator.core.errors import StoreError

    expected = pytest.raises(StoreError, match=r"nowhere/audience\.duckdb\.(gate|turn): .*check that the folder exists")
    with expected, getattr(gates, crossing)(tmp_path / "nowhere" / "audience.duckdb"):
        pass


def test_who_is_told_to_give_up_leaves_the_queue_and_takes_nothing_with_them(tmp_path):
    path, asked = tmp_path / "audience.duckdb", []

    def at_the_third_asking():
        asked.append(None)
        return len(asked) > 2

    with gates.writing(path):
        for gate in (gates.reading, gates.writing):
            with pytest.raises(HeldError, match="given up"), gate(path, at_the_third_asking):
                pass
            asked.clear()
    with gates.writing(path, lambda: False):  # those who left do not stand in the way
        pass


def test_who_may_give_up_waits_in_the_queue_like_everybody(tmp_path):
    path, inside, order = tmp_path / "audience.duckdb", Event(), []

    def reader():
        with gates.reading(path, lambda: False):
            order.append("reader")

    with gates.writing(path):
        waiting = Thread(target=reader)
        waiting.start()
        assert not inside.wait(3 * gates.LOOK_EVERY)
        order.append("writer")
    waiting.join(60)
    assert order == ["writer", "reader"]
