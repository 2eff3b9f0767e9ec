"""What goes straight through is written in the worker: nothing that could run away is among it, and nothing reads differently."""

from collections.abc import Iterator
from itertools import product

import pytest

from orchestrator.core.nouns import Channel, Content, PushContent
from orchestrator.core.reasons import Reason
from orchestrator.rendering import Compiled, Refusal, RenderChild, RenderRequest, write_many
from orchestrator.rendering.straight import _FILTERS, MOST
from tests.rendering.builders import ADA, SHOP, compiled, request
from tests.rendering.test_child import BOMBS

FILE = "templates/winback/_default/push.yaml"
LIGHT = 100_000
"""Bytes that all that is known of a shard's people come to."""


def a_push(title: str) -> Compiled:
    return compiled({FILE: f"title: {title!r}\nbody: b\n"})


def goes_straight(title: str, weight: int = LIGHT) -> bool:
    return a_push(title).straight(request(ADA), weight)


@pytest.mark.parametrize(
    "title",
    [
        "the same for everybody",
        "{{ userAttribute.firstName | default('friend') | upper }}, look",
        "{{ userAttribute.firstName | default(language) }}",
        "{% if userAttribute.tier == 'gold' and not userAttribute.old %}free{% elif x > 3 %}half{% else %}full{% endif %}",
        "{{ 'yes' if userAttribute.firstName is defined else 'no' }}",
        "{{ latest.add_to_cart['price'] | currency('EUR') }} {{ valueOf.purchase | round(2) }}",
        "{{ userAttribute.firstName ~ ' & ' ~ userAttribute.lastName }}",
        "{{ now | date('d MMMM') }}, {{ lastOccurrenceOf['purchase'] | time_ago }}",
        "{{ userAttribute.text | truncate(80) }}",
        "{{ coupon('winback10') }} until {{ coupon_expires('winback10') | date }}",
        "{% if not userAttribute.firstName %}{{ abort_message('nobody') }}{% endif %}hi",
    ],
)
def test_values_choices_and_filters_go_straight(title: str):
    assert goes_straight(title)


@pytest.mark.parametrize(
    "title",
    [
        "{% for a in userAttribute.list %}{{ a }}{% endfor %}",
        "{% set a = 'aa' %}{{ a }}",
        "{% set a %}{{ userAttribute.x }}{% endset %}{{ a }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}",
        "{{ userAttribute.x * 1000000 }}",
        "{{ userAttribute.x + userAttribute.x }}",
        "{{ 10 ** 9 }}",
        "{{ userAttribute.name.replace('a', 'aaaaaaaaaa') }}",
        "{{ userAttribute.name[0:9] }}",
        "{{ userAttribute.name | replace('a', 'aaaaaaaaaa') }}",
        "{{ userAttribute.name | center(100000) }}",
        "{{ userAttribute.name | indent(9) }}",
        "{{ userAttribute.list | join(userAttribute.list) }}",
        "{{ userAttribute.x | round(999999999) }}",
        "{{ userAttribute.x | round(userAttribute.places) }}",
        "{{ userAttribute.text | truncate(userAttribute.x) }}",
        "{{ range(9) }}",
        "{{ (userAttribute.list | map('upper')) }}",
    ],
)
def test_what_might_run_away_does_not(title: str):
    assert not goes_straight(title)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_no_bomb_goes_straight(bomb: str):
    assert not goes_straight(bomb)


def test_how_much_may_be_known_hangs_on_how_much_is_read():
    one, many = "{{ userAttribute.x }}", "{{ userAttribute.x }}" * 40
    assert goes_straight(one, MOST)
    assert not goes_straight(one, MOST + 1)
    assert goes_straight(many, MOST // 40)
    assert not goes_straight(many, MOST // 40 + 1)
    assert goes_straight("nothing is read", 2**40)


_LONG = 20_000
_VALUES = ["<", "&", "ß", "ﬀ", "İ", "'", "😀", " a", "9", ".", "-", "\t"]
_ARGUMENTS = {"currency": "'EUR'", "money": "'EUR'", "time_zone": "'Asia/Tokyo'", "truncate": "100", "round": "100"}


@pytest.mark.parametrize(("name", "piece"), list(product(sorted(_FILTERS - {"link__"}), _VALUES)))
def test_no_filter_among_them_makes_much_of_little(name: str, piece: str):
    written = f"{{{{ userAttribute.x | {name}({_ARGUMENTS.get(name, '')}) }}}}"
    made = compiled({"templates/winback/_default/email.html": f"---\nfrom: offers\nsubject: s\n---\n<p>{written}</p>"})
    assert made.straight(request(ADA, Channel.EMAIL), LIGHT)
    for value in (piece * _LONG, [piece] * _LONG, {piece: piece * _LONG}):
        answer = made.render(request({"userAttribute": {"x": value}}, Channel.EMAIL))
        size = 0 if isinstance(answer, Refusal) else len(answer.html) + len(answer.text)
        assert size <= 40 * len(str(value)) + 1000


# Many together


@pytest.fixture
def child() -> Iterator[RenderChild]:
    with RenderChild() as made:
        yield made


def mixed() -> Compiled:
    """Segment `straight` goes straight, `lapsed` does not."""
    return compiled(
        {
            FILE: "title: '{% for a in [1] %}{{ userAttribute.n }}{% endfor %}'\nbody: b\n",
            "templates/winback/straight/push.yaml": "title: 'here {{ userAttribute.n }}'\nbody: b\n",
        }
    )


def asked(*straight: bool) -> Iterator[RenderRequest]:
    return (
        request({"userAttribute": {"n": number}}, segment="straight" if one else "lapsed")
        for number, one in enumerate(straight)
    )


def titles(answers: Iterator[Content | Refusal]) -> list[str]:
    return [answer.title for answer in answers if isinstance(answer, PushContent)]


@pytest.mark.parametrize(
    "straight",
    [
        [True] * 300,
        [False] * 300,
        [number % 2 == 0 for number in range(300)],
        [number % 7 != 0 for number in range(300)],
        [number < 150 for number in range(300)],
        [number >= 150 for number in range(300)],
        [],
    ],
    ids=["all", "none", "every other", "most", "first", "last", "nobody"],
)
def test_everybody_has_their_answer_in_order(child: RenderChild, straight: list[bool]):
    told = titles(write_many(mixed(), child, asked(*straight), LIGHT))
    assert told == [f"here {number}" if one else str(number) for number, one in enumerate(straight)]


def test_it_reads_as_it_does_in_the_child(child: RenderChild):
    made = compiled(SHOP)
    everybody = [
        request({**ADA, "userAttribute": {"firstName": name}}, channel, segment=segment, variant=variant, codes=codes)
        for name in ("Ada", "Bo <b>", None)
        for channel in (Channel.EMAIL, Channel.PUSH, Channel.IN_APP, Channel.SMS)
        for segment in ("lapsed", "lapsed_vips")
        for variant in ("", "discount")
        for codes in ({}, request().person.attributes)
    ]
    assert any(made.straight(one, LIGHT) for one in everybody)
    assert list(write_many(made, child, everybody, LIGHT)) == list(child.render_many(made, everybody))


def test_who_goes_straight_wakes_no_writer_and_is_read_one_at_a_time(child: RenderChild):
    read: list[int] = []

    def people() -> Iterator[RenderRequest]:
        for number, one in enumerate(asked(*[True] * 50)):
            read.append(number)
            yield one

    answers = write_many(mixed(), child, people(), LIGHT)
    next(answers)
    assert read == [0]
    assert len(list(answers)) == 49
    assert child._writing == ""


def test_where_much_is_known_of_somebody_the_child_writes(child: RenderChild):
    made = mixed()
    assert titles(write_many(made, child, asked(True, True), MOST + 1)) == ["here 0", "here 1"]
    assert child._writing == made.key


def test_left_in_the_middle_the_child_answers_the_next_from_the_start(child: RenderChild):
    made = mixed()
    answers = write_many(made, child, asked(*[number % 3 == 0 for number in range(200)]), LIGHT)
    for _ in range(5):
        next(answers)
    answers.close()
    assert titles(child.render_many(made, asked(False, False))) == ["0", "1"]


def test_what_cannot_be_written_is_refused_for_this_person_alone(child: RenderChild):
    made = a_push("{{ userAttribute.firstName }}")
    answers = list(write_many(made, child, [request({}), request(ADA), request({})], LIGHT))
    assert [answer.reason if isinstance(answer, Refusal) else answer.title for answer in answers] == [
        Reason.MISSING_DATA,
        "Ada",
        Reason.MISSING_DATA,
    ]
