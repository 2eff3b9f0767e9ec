"""Missing data is foreseen from a few messages of each kind, and comes to what writing everybody's comes to."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.campaigns import Experiment, Mode
from orchestrator.core.facts import RunFacts
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, Instant
from orchestrator.ledger import ConsentChange, Purpose, standing
from orchestrator.pipeline import BundleLetters, Coupons, Foresight, foresight
from orchestrator.pipeline.foresight import SAMPLES
from orchestrator.rendering import Compiled
from tests.ledger.builders import NOW
from tests.pipeline.forecasts import forecast
from tests.pipeline.test_work import MAIL, PUSH, Stage, a_campaign, people
from tests.rendering.builders import SETTING

NO_COUPONS = Coupons({}, lambda _: ())
PLAIN = "Hello {{ userAttribute.firstName | default('you') }}, {{ latest.cart.product }} from {{ userAttribute.city }}"
BY_VALUE = "{% if userAttribute.points > 5 %}{{ userAttribute.city }}{% else %}hello{% endif %}"


def letters(ledger, campaign, text=PLAIN, push=None):
    files = {"templates/winback/_default/email.html": f'---\nsubject: "x"\n---\n<p>{text}</p>\n'}
    files["templates/winback/_default/push.yaml"] = f'title: x\nbody: "{push or text}"\n'
    compiled = Compiled("winback", {name: content.encode() for name, content in files.items()}, SETTING)
    assert compiled.mistakes == ()
    return BundleLetters(compiled, campaign, ledger.seal(Purpose.UNSUBSCRIBE, NOW), "")


def agree(ledger, members):
    words = [ConsentChange(it.user, channel, "offers", True, Instant(NOW - DAY), "test") for it in members for channel in (MAIL, PUSH)]  # fmt: skip
    ledger.change_consent(words)


def foreseen(ledger, campaign, members, its, **more):
    ahead = Foresight(campaign, its, NO_COUPONS, **more)
    return forecast(ledger, campaign, members, RunFacts(0, NOW, NOW), NOW, foresight=ahead), ahead


def who(number, **attributes):
    given = {"userAttribute": {name: it for name, it in attributes.items() if name != "product" and it is not None}}
    if attributes.get("product"):
        given["latest"] = {"cart": {"product": attributes["product"]}}
    return replace(people(number + 1)[-1], attributes=given)


def shoppers(count):
    """Of each six, one has no city, one no cart, one neither; names may be missing, which the template allows."""
    return [
        who(
            n,
            firstName="Ada" if n % 2 else None,
            city=None if n % 6 in {1, 3} else "Wien",
            product=None if n % 6 in {2, 3} else "Boots",
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("mode", Mode)
async def test_the_numbers_of_a_plan_are_those_of_the_ledger_where_data_is_missing(ledger, mode):
    campaign = replace(a_campaign(mode), experiment=Experiment({"a": 50, "b": 50}, holdout=20))
    members = shoppers(600)
    its = letters(ledger, campaign, push="Hello {{ latest.cart.product }}")
    stage = Stage(ledger, campaign, members, letters=its)
    found, ahead = foreseen(ledger, campaign, members, its)
    await stage.drain()
    people_ = standing.people(ledger.store, stage.run.id)
    nothing = {reason: 0 for (reason, _) in found.nothing}
    for (reason, _), count in found.nothing.items():
        nothing[reason] += count
    assert (people_.people, people_.reached, people_.holdout) == (600, found.reached, found.holdout)
    assert people_.nothing == nothing
    assert nothing[Reason.MISSING_DATA] > 100
    assert ahead.written < 200 < ahead.taken, "a few of each kind are written, not everybody's"


def test_what_is_missing_is_named_with_the_line_that_needs_it(ledger):
    campaign = a_campaign(channels=(MAIL,))
    members = shoppers(60)
    agree(ledger, members)
    found, _ = foreseen(ledger, campaign, members, letters(ledger, campaign))
    where = "templates/winback/_default/email.html:4"
    assert found.nothing == {
        (Reason.MISSING_DATA, f"userAttribute.city ({where})"): 10,
        (Reason.MISSING_DATA, f"latest.cart.product ({where})"): 20,
    }
    assert found.reached == 30


def test_of_a_holdout_those_who_could_not_have_been_reached_are_counted(ledger):
    campaign = replace(a_campaign(channels=(MAIL,)), experiment=Experiment(holdout=50))
    members = shoppers(240)
    agree(ledger, members)
    found, _ = foreseen(ledger, campaign, members, letters(ledger, campaign))
    assert 80 < found.holdout < 160
    assert found.unreachable_holdout / found.holdout == pytest.approx(0.5, abs=0.15)


def test_where_those_alike_end_differently_everybodys_message_is_written(ledger):
    campaign = a_campaign(channels=(MAIL,))
    members = [who(n, points=10 if n % 7 == 0 else 1) for n in range(700)]
    agree(ledger, members)
    found, ahead = foreseen(ledger, campaign, members, letters(ledger, campaign, BY_VALUE))
    assert found.nothing.total() == 100
    assert (ahead.written, ahead.taken) == (700, 0)


def test_no_more_than_so_many_are_written_and_the_rest_is_said_to_be_unknown(ledger, monkeypatch):
    monkeypatch.setattr(foresight, "MOST", 100)
    campaign = a_campaign(channels=(MAIL,))
    members = [who(n, points=10 if n % 7 == 0 else 1) for n in range(700)]
    agree(ledger, members)
    its = letters(ledger, campaign, BY_VALUE)
    found, ahead = foreseen(ledger, campaign, members, its)
    assert (ahead.written, ahead.blind) == (100, 600)
    exact, all_ = foreseen(ledger, campaign, members, its, everybody=True)
    assert (exact.nothing.total(), all_.written, all_.blind) == (100, 700, 0)
    assert found.reached > exact.reached


def test_a_source_that_is_asked_about_each_person_is_not_asked(ledger):
    campaign = a_campaign(channels=(MAIL,))
    members = people(40)
    agree(ledger, members)
    its = letters(ledger, campaign, "{{ linkedData.weather.today }}")
    found, ahead = foreseen(ledger, campaign, members, its, unasked=["weather"])
    assert (found.reached, ahead.blind, ahead.written) == (40, 40, 0)
    found, ahead = foreseen(ledger, campaign, members, its)
    assert (found.reached, ahead.blind) == (0, 0), "nothing is known of it, and nobody could say it later"


class Torn:
    """Templates that write so many messages and then no more, as where one has ended its writer too often."""

    def __init__(self, inside, after):
        self._inside, self._left = inside, after

    def reads(self, person, channel):
        return self._inside.reads(person, channel)

    def render(self, wanted):
        for letter in wanted:
            if not self._left:
                return
            self._left -= 1
            yield from self._inside.render([letter])


def test_templates_that_write_no_more_leave_the_rest_unknown(ledger):
    campaign = a_campaign(channels=(MAIL,))
    members = shoppers(60)
    agree(ledger, members)
    its = Torn(letters(ledger, campaign), 5)
    found, ahead = foreseen(ledger, campaign, members, its)
    assert ahead.trouble
    assert (ahead.written, found.people) == (5, 60)
    assert ahead.blind + ahead.taken == 55


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "", "Wien"]), st.sampled_from([None, "Boots"]), st.sampled_from([None, 0, 1, 9, "9"])
        ),
        min_size=1,
        max_size=3 * SAMPLES,
    ),
    st.sampled_from(
        [
            PLAIN,
            "{% if userAttribute.city %}{{ latest.cart.product }}{% else %}there{% endif %}",
            "{{ userAttribute.points | default(latest.cart.product) }}",
            "{% for it in userAttribute.points %}{{ it }}{% endfor %}{{ userAttribute.city }}",
        ]
    ),
)
def test_a_few_of_each_kind_tell_what_everybodys_messages_tell(ledger, given_, text):
    campaign = a_campaign(channels=(MAIL,))
    members = [who(n, city=it[0], product=it[1], points=it[2]) for n, it in enumerate(given_)]
    agree(ledger, members)
    its = letters(ledger, campaign, text)
    few, _ = foreseen(ledger, campaign, members, its)
    every, _ = foreseen(ledger, campaign, members, its, everybody=True)
    assert (few.reached, few.nothing) == (every.reached, every.nothing)
