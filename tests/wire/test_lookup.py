"""Turns at a service: so many a second, whoever asks and however late they come."""

from orchestrator.wire.lookup import Pace


def test_turns_are_apart_and_time_that_passed_is_not_made_up_for():
    pace = Pace(10)
    assert [round(pace.wait(now), 9) for now in (5.0, 5.0, 5.0, 5.25, 9.0, 9.05)] == [0, 0.1, 0.2, 0.05, 0, 0.05]


def test_without_a_rate_nobody_waits():
    pace = Pace(None)
    assert [pace.wait(now) for now in (5.0, 5.0, 6.0)] == [0, 0, 0]
