"""Builders of ledger nouns for tests: everything has a sensible default, a test names only what it is about."""

from orchestrator.core.nouns import Address, Channel, DeliveryKey, OnAmbiguous, Person, State
from orchestrator.core.times import HOUR, Instant
from orchestrator.core.turns import Ready, Settlement, Turn
from orchestrator.ledger import Ledger, NewRun, Planned, Run, RunState, planning, runs

NOW = Instant(1_772_442_000_000_000)
"""2 March 2026, 09:00 UTC."""


def a_person(user="u1", **over):
    given = {
        "segment": "everyone",
        "zone": "Europe/Vienna",
        "locale": "en",
        "variant": "",
        "addresses": {
            Channel.EMAIL: (Address(f"{user}@shop.example"),),
            Channel.PUSH: (Address(f"token-{user}", NOW - HOUR),),
        },
        "attributes": {"firstName": user.upper()},
    }
    return Person(user=user, **{**given, **over})


def a_run(ledger: Ledger, *people: Person, **over) -> Run:
    """A run that is planned and may be worked, one shard, a row for every channel the people have."""
    new = NewRun(
        **{
            "campaign": "winback",
            "occurrence": "2026-03-02T10:00[Europe/Vienna]",
            "version": "v1",
            "due_at": NOW,
            "on_ambiguous": OnAmbiguous.HOLD,
            **over,
        }
    )
    run, made = runs.fire(ledger.store, new, NOW)
    assert made
    plan(ledger, run, people or (a_person("u1"), a_person("u2"), a_person("u3")))
    return runs.find(ledger.store, run.id)


def plan(ledger: Ledger, run: Run, people) -> None:
    assert planning.begin_planning(ledger.store, run.id, ledger.boot)
    members = [Planned(person, tuple((channel, 0) for channel in sorted(person.addresses))) for person in people]
    planning.add_shard(ledger.store, run.id, 0, NOW, members)
    planning.finish_planning(ledger.store, run.id, ledger.boot, len(members), NOW)


def ready(run: Run, person: Person, channel=Channel.EMAIL, **over) -> Ready:
    return Ready(
        **{
            "key": DeliveryKey(run.id, person.user, channel),
            "id": f"id-{person.user}-{channel}",
            "attempt": 0,
            "person": person,
            "address": person.addresses[channel][0],
            "provider": "post",
            "body": b"hash",
            "judged_at": NOW,
            **over,
        }
    )


def intend(ledger: Ledger, run: Run, *messages: Ready, now=NOW, **over):
    return ledger.turn(Turn(run.id, run.campaign, settle=(), intend=messages, now=now, **over))


def settle(ledger: Ledger, run: Run, *settlements: Settlement, now=NOW):
    return ledger.turn(Turn(run.id, run.campaign, settle=settlements, intend=(), now=now))


def an_answer(message: Ready, state=State.ACCEPTED, **over) -> Settlement:
    return Settlement(
        **{
            "key": message.key,
            "attempt": message.attempt + 1,
            "state": state,
            "provider": message.provider,
            "provider_id": "p1",
            **over,
        }
    )


def row(ledger: Ledger, message: Ready, *columns: str):
    """The named columns of a message's delivery; a single value if only one is named."""
    found = ledger.store.rows(
        f"SELECT {', '.join(columns)} FROM delivery WHERE run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ?",
        message.key,
    )[0]
    return found[0] if len(columns) == 1 else found


__all__ = ["NOW", "RunState", "a_person", "a_run", "an_answer", "intend", "plan", "ready", "row", "settle"]
