"""What a trial of made-up people finds, and what it leaves alone because some people may be well with it."""

import pytest

from orchestrator.rendering import Limits, Values, tried
from tests.rendering.builders import SHOP, compiled
from tests.rendering.test_child import ENDLESS

FILE = "templates/winback/_default/push.yaml"
KINDS = {
    ("userAttribute", "points"): Values("number"),
    ("userAttribute", "firstName"): Values("text"),
    ("userAttribute", "born"): Values("date"),
    ("userAttribute", "country"): Values("text", ("DE", "AT")),
}
QUICK = Limits(seconds=1)
NOBODY = "for somebody of whom nothing is known"

CERTAIN = [
    ("{{ 1 // 0 }}", "division"),
    ("{{ userAttribute.points // 0 }}", "division"),
    ("{% if userAttribute.firstName %}{{ 100 | currency('EURO') }}{% endif %}", "EURO"),
    ("{{ userAttribute.born | currency('EUR') }}", "not a number"),
    ("{{ userAttribute.country | date }}", "is not a date"),
    ("{{ 100 // (userAttribute.points | default(0)) }}", NOBODY),
    ("{% if not userAttribute.firstName %}{{ 1 // 0 }}{% endif %}", NOBODY),
    ("{{ 'x' * 5000 }}", "over 4096 bytes"),
    (ENDLESS, "took over 1 s"),
]
LEFT_ALONE = [
    "{{ 12 // userAttribute.points }}",
    "{{ 12 // (userAttribute.points - 3) }}",
    "{{ userAttribute.firstName | currency('EUR') }}",
    "{{ userAttribute.points | currency(userAttribute.firstName) }}",
    "{{ userAttribute.firstName | currency(userAttribute.lastName) }}",
    "{{ lastOccurrenceOf.purchase | time_zone(userAttribute.zone) }}",
    "{{ userAttribute.firstName | date }}",
    "{{ userAttribute.points // occurrencesOf.purchase }}",
    "{{ userAttribute.unknown.deep.below }}",
    "{{ abort_message('nothing for you') }}",
    "{{ coupon('ten') }} {{ coupon_expires('ten') | date }}",
]


def found(title: str) -> list[str]:
    made = compiled({FILE: f'link: shop://x\ntitle: "{title}"\nbody: b\n'})
    return [str(one) for one in tried([(made, KINDS)], QUICK)]


@pytest.mark.parametrize(("title", "said"), CERTAIN)
def test_what_fails_for_everybody_is_a_mistake_with_its_line(title: str, said: str):
    (line,) = found(title)
    assert line.startswith(f"{FILE}:2:1  the message " if "4096" not in said else f"{FILE}  the message ")
    assert said in line
    assert (NOBODY in line) is (said == NOBODY)


@pytest.mark.parametrize("title", LEFT_ALONE)
def test_what_somebody_may_be_well_with_is_left_alone(title: str):
    assert found(title) == []


def test_the_shop_has_nothing_to_find():
    assert tried([(compiled(SHOP), {}), (compiled(SHOP, "welcome_back"), {})]) == ()


def test_messages_that_never_end_do_not_keep_a_trial_for_ever():
    files = {f"templates/winback/s{n}/push.yaml": f'title: "{ENDLESS}"\nbody: b\n' for n in range(20)}
    assert len(tried([(compiled(files), {})], QUICK)) == 3, "each of the twenty would cost its whole time"
