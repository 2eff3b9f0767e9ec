"""Mirroring takes little memory, and more where little is not enough."""

import pyarrow as pa
import pytest

from orchestrator.audience import opening
from orchestrator.audience.landing import land_events
from orchestrator.audience.mirroring import Place, mirror, place
from tests.audience.builders import an_audience

WIDE = 2_000
"""Bytes of an event that is far wider than any of ours."""


def wide_events(count):
    return pa.table(
        {
            "user": [f"u{number}" for number in range(count)],
            "name": ["message.sent"] * count,
            "time": pa.array(range(count), pa.int64()),
            "message_id": [f"our:{number}" for number in range(count)],
            "properties": ['{"campaign":"' + "x" * WIDE + '"}'] * count,
        }
    )


def land_in_little_room(audience, events):
    with audience.writing() as connection:
        opening.confine(connection)
        connection.register("incoming", events)
        land_events(connection, "incoming")


def test_events_that_need_more_than_the_room_of_a_daemon_land_all_the_same(tmp_path):
    audience, events = an_audience(tmp_path), wide_events(20_000)
    with pytest.raises(opening.CrampedError):
        land_in_little_room(audience, events)

    becomes = Place(1, None, 0, None)
    assert mirror(audience, "a ledger", None, becomes, [events]) == 20_000
    assert place(audience, "a ledger") == becomes
    assert audience.rows("SELECT count(*) FROM event") == [(20_000,)]
