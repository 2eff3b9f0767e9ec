"""What the ledger knows of messages and consent is in the engine as events, each once: whoever dies where, in an old file or a new one."""

from collections import Counter
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.audience.questions import Questions
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.errors import StoreError
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Address, Channel, DeliveryKey, State
from orchestrator.core.segments import Moment, parse
from orchestrator.core.times import HOUR, SECOND, Instant
from orchestrator.ledger import ConsentChange, Ledger, deeds, mirrors
from orchestrator.ledger.deeds import Happened
from orchestrator.pipeline import Mirrors
from tests.audience.builders import an_audience, events
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, settle

LATER = Instant(NOW + 24 * HOUR)


def topics(ledger, version, campaign):
    return "offers"


@pytest.fixture
def audience(tmp_path):
    return an_audience(tmp_path)


def told(ledger, audience, most=50_000, keeper=None):
    """Mirror until there is nothing more; how many events were new."""
    keeper = keeper or Mirrors(topics, most)
    new = 0
    for _ in range(1000):
        done = keeper.once(ledger, lambda: audience)
        if done is None:
            return new
        new += done.events
    raise AssertionError("it never comes to an end")


def sent(ledger, campaign="winback", users=("ada", "bo"), channel=Channel.EMAIL, refused=(), **over):
    """A run of which everybody's message went out, but for those who were refused; its shard is put back."""
    people = [a_person(user, addresses={channel: (Address(user),)}, **over) for user in users]
    run = a_run(ledger, *people, campaign=campaign, occurrence=f"{campaign}-{channel}-{len(over)}")
    shard = ledger.claim(NOW)
    messages = [ready(run, person, channel) for person in people]
    intend(ledger, run, *messages)
    states = dict.fromkeys(refused, State.FAILED)
    answers = [an_answer(one, states.get(one.key.user, State.ACCEPTED)) for one in messages]
    settle(ledger, run, *answers, now=Instant(NOW + SECOND))
    ledger.put_back(shard, [], Instant(NOW + 2 * SECOND))
    return run


def counted(audience, **condition):
    """How many people a condition on our own messages names."""
    segment = parse({"about": "x", "all": [condition]})
    return Questions(audience.ask, DuckColumns({}), Moment(LATER, "UTC")).count(segment)


def test_a_message_that_was_taken_is_an_event_with_all_that_segments_ask_for(ledger, audience):
    sent(ledger, variant="discount", segment="lapsed", refused=("bo",))
    assert told(ledger, audience) == 1
    [(user, name, at, identity, said)] = events(audience)
    assert (user, name, at) == ("ada", "message.sent", NOW)
    assert said == (
        '{"campaign":"winback","variant":"discount","channel":"email","segment":"lapsed","topic":"offers","step":0}'
    )
    assert identity.startswith("our:")
    assert counted(audience, message="sent", campaign="winback", variant="discount", topic="offers", step=0) == 1
    assert counted(audience, message="sent", channel="push") == 0


def test_what_becomes_of_a_message_and_what_people_say_is_told_too(ledger, audience):
    run = sent(ledger)
    told(ledger, audience)
    key = DeliveryKey(run.id, "ada", Channel.EMAIL)
    deeds.tell(ledger.store, [Happened(key, Deed.OPENED, NOW + HOUR), Happened(key, Deed.CLICKED, NOW + HOUR)])
    ledger.change_consent([ConsentChange("bo", Channel.EMAIL, "offers", False, Instant(NOW + HOUR), "test")])
    assert told(ledger, audience) == 3
    assert counted(audience, message="clicked", campaign="winback") == 1
    assert counted(audience, unsubscribed="email", topic="offers") == 1
    assert counted(audience, message="sent", then_not={"message": "opened", "within": "2 hours"}) == 1


def test_an_in_app_message_that_was_seen_was_opened(ledger, audience):
    person = a_person("ada", addresses={Channel.IN_APP: ()})
    run = a_run(ledger, person)
    shard = ledger.claim(NOW)
    boxed = ready(run, a_person("ada"), inbox={"title": "Hi"}, key=DeliveryKey(run.id, "ada", Channel.IN_APP), id="i1")
    intend(ledger, run, boxed)
    ledger.put_back(shard, [], NOW)
    for _ in range(2):
        assert ledger.acknowledge("ada", "i1", Instant(NOW + HOUR))
    assert not ledger.acknowledge("ada", "nobody's", NOW)
    told(ledger, audience)
    assert [(name, at) for _, name, at, *_ in events(audience)] == [
        ("message.sent", NOW),
        ("message.opened", NOW + HOUR),
    ]


def test_only_what_has_no_other_source_may_be_told(ledger):
    run = sent(ledger)
    with pytest.raises(ValueError, match="sent cannot be told"):
        deeds.tell(ledger.store, [Happened(DeliveryKey(run.id, "ada", Channel.EMAIL), Deed.SENT, NOW)])


def test_while_nothing_is_new_the_audience_is_not_even_opened(ledger, audience):
    def shut():
        raise AssertionError("opened for nothing")

    keeper = Mirrors(topics)
    sent(ledger)
    assert told(ledger, audience, keeper=keeper) == 2
    assert keeper.once(ledger, shut) is None
    assert keeper.once(ledger, shut) is None


def test_a_ledger_that_knows_nothing_makes_no_file(ledger, audience):
    assert told(ledger, audience) == 0
    assert not audience.path.exists()


def test_a_file_that_was_replaced_is_given_everything_again_and_one_that_is_older_too(ledger, audience, tmp_path):
    keeper = Mirrors(topics, most=2_000)
    ledger.change_consent([ConsentChange("cy", Channel.EMAIL, "offers", True, NOW, "test")])
    for campaign in ("one", "two", "three"):
        sent(ledger, campaign)
    assert told(ledger, audience, keeper=keeper) == 7
    older = audience.path.read_bytes()
    sent(ledger, "four")
    assert told(ledger, audience, keeper=keeper) == 2
    whole = events(audience)
    audience.path.unlink()
    assert told(ledger, audience, keeper=keeper) == 9
    assert events(audience) == whole
    audience.path.unlink()
    audience.path.write_bytes(older)
    assert told(ledger, audience, keeper=keeper) == 2
    assert events(audience) == whole


def test_a_compacted_file_needs_nothing_again(ledger, audience):
    sent(ledger)
    told(ledger, audience)
    audience.compact()
    assert told(ledger, audience) == 0
    assert len(events(audience)) == 2


def test_a_ledger_of_an_older_release_is_walked_through_once(ledger, audience):
    """It has no queue of what went out before."""
    for campaign in ("one", "two"):
        sent(ledger, campaign)
    ledger.change_consent([ConsentChange(f"u{n}", Channel.EMAIL, "offers", True, NOW, "test") for n in range(5)])
    ledger.store.change("DELETE FROM mirror_due")
    assert told(ledger, audience, most=2) == 9
    assert told(ledger, audience, most=2) == 0


def test_what_is_queued_while_a_pass_is_under_way_is_not_lost(ledger, audience):
    run = sent(ledger)
    seen = mirrors.due(ledger.store, 100)
    shard_again = (run.id, 0)
    mirrors.shard_is_due(ledger.store, *shard_again)
    mirrors.done(ledger.store, seen, 1)
    assert [(one.run, one.number) for one in mirrors.due(ledger.store, 100)] == [shard_again]


class TornError(Exception):
    pass


@pytest.mark.parametrize("after", ["before the engine", "after the engine", "after the queue"])
def test_a_mirror_that_dies_between_its_two_stores_tells_everything_once(ledger, audience, monkeypatch, after):
    sent(ledger)
    real = mirrors.done

    def dies(*asked):
        if after == "after the queue":
            real(*asked)
        raise TornError

    with monkeypatch.context() as torn, suppress(TornError):
        if after == "before the engine":
            torn.setattr("orchestrator.pipeline.mirror.mirror", dies)
        torn.setattr(mirrors, "done", dies)
        told(ledger, audience)
    told(ledger, audience)
    assert sorted(user for user, *_ in events(audience)) == ["ada", "bo"]


def test_two_mirrors_of_one_ledger_do_not_tell_twice(open_ledger, audience):
    ledger = open_ledger()
    ledger.begin_boot("test", NOW)
    sent(ledger)
    other, theirs = open_ledger(), []

    class Meeting(Mirrors):
        def _next(self, *asked):
            step = super()._next(*asked)
            if not theirs:
                theirs.append(told(other, audience))
            return step

    assert told(ledger, audience, keeper=Meeting(topics)) + theirs[0] == 2
    assert len(events(audience)) == 2


def test_while_the_audience_cannot_be_written_the_queue_waits(ledger, audience):
    sent(ledger)
    audience.path.parent.mkdir(parents=True, exist_ok=True)
    audience.path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="no DuckDB file"):
        told(ledger, audience)
    audience.path.unlink()
    assert told(ledger, audience) == 2


_DEEDS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(sorted(deeds.TOLD)), st.integers(0, 5)), max_size=12
)  # fmt: skip
_RUNS = st.lists(
    st.tuples(
        st.sampled_from(["winback", "spring"]),
        st.sampled_from([Channel.EMAIL, Channel.PUSH]),
        st.sampled_from(["", "a", "b"]),
        st.sets(st.integers(0, 3)),
        _DEEDS,
    ),
    min_size=1,
    max_size=5,
)


@given(_RUNS, st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 9)), max_size=6), st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_segments_count_what_the_ledger_counts(tmp_path_factory, asked, words, data):
    """After any small runs, in passes of any size, each told by whoever comes along."""
    root = tmp_path_factory.mktemp("shop")
    ledger, audience = Ledger.open("sqlite:ledger.db", root), an_audience(root)
    ledger.begin_boot("test", NOW)
    users = [f"u{number}" for number in range(4)]
    for number, (campaign, channel, variant, refused, deeds_of_run) in enumerate(asked):
        people = [a_person(user, variant=variant, addresses={channel: (Address(user),)}) for user in users]
        run = a_run(ledger, *people, campaign=campaign, occurrence=f"n{number}")
        shard = ledger.claim(NOW)
        messages = [ready(run, person, channel) for person in people]
        intend(ledger, run, *messages)
        settle(
            ledger,
            run,
            *(an_answer(m, State.FAILED if n in refused else State.ACCEPTED) for n, m in enumerate(messages)),
        )
        ledger.put_back(shard, [], NOW)
        if data.draw(st.booleans()):
            told(ledger, audience, most=data.draw(st.integers(1, 3000)))
        deeds.tell(
            ledger.store,
            [
                Happened(DeliveryKey(run.id, users[who], channel), Deed(deed), Instant(NOW + at * SECOND))
                for who, deed, at in deeds_of_run
            ],
        )
    for who, granted, at in words:
        ledger.change_consent(
            [ConsentChange(users[who], Channel.EMAIL, "offers", granted, Instant(NOW + at * SECOND), "test")]
        )
    told(ledger, audience, most=data.draw(st.integers(1, 3000)))
    with audience.reading() as connection:
        _same_counts(ledger, partial(_of, connection))
    ledger.close()


def _of(connection, **condition):
    segment = parse({"about": "x", "all": [condition]})
    columns, moment = DuckColumns({}), Moment(LATER, "UTC")
    return Questions(lambda query, _: connection.sql(query.sql("duckdb")).fetchall(), columns, moment).count(segment)


def _same_counts(ledger, counted):
    happened: Counter[tuple[str, str, str, str, str]] = Counter()
    for campaign, channel, variant, user in ledger.store.rows(
        "SELECT r.campaign, d.channel, d.variant, d.user_id FROM delivery d JOIN run r ON r.id = d.run WHERE d.state = 'accepted'"
    ):
        happened["sent", campaign, channel, variant, user] += 1
    for deed, campaign, channel, variant, user in ledger.store.rows(
        "SELECT e.deed, r.campaign, e.channel, d.variant, e.user_id FROM deed e JOIN run r ON r.id = e.run"
        " JOIN delivery d ON d.run = e.run AND d.user_id = e.user_id AND d.channel = e.channel"
    ):
        happened[deed, campaign, channel, variant, user] += 1
    for deed in ("sent", *sorted(deeds.TOLD)):
        for campaign in ("winback", "spring"):
            for narrowed, least in (({}, 1), ({}, 2), ({"channel": "email"}, 1), ({"variant": "a"}, 1)):
                times: Counter[str] = Counter()
                for (what, of, channel, variant, user), many in happened.items():
                    found = {"channel": channel, "variant": variant}
                    if what == deed and of == campaign and all(found[key] == value for key, value in narrowed.items()):
                        times[user] += many
                expected = sum(many >= least for many in times.values())
                assert counted(message=deed, campaign=campaign, at_least=least, **narrowed) == expected
    latest: dict[str, bool] = {}
    for user, granted in ledger.store.rows("SELECT user_id, granted FROM consent ORDER BY at"):
        latest[user] = bool(granted)
    assert counted(subscribed="email", topic="offers") == sum(latest.values())
    assert counted(unsubscribed="email", topic="offers") == len(latest) - sum(latest.values())
