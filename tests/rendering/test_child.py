"""The render child: the same bytes as in this process; bombs die alone; nothing is lost when it is killed."""

import io
import os
import signal
import time
from collections.abc import Iterator

import pytest
from pyarrow import csv as pa_csv

from orchestrator.core.nouns import Channel, PushContent
from orchestrator.core.reasons import Reason
from orchestrator.rendering import Compiled, Limits, Refusal, RenderChild, RenderRequest
from orchestrator.rendering.child import AHEAD, SIZE
from tests.rendering.builders import ADA, SHOP, compiled, request

QUICK = Limits(seconds=0.3, memory=256 * 2**20)
BOMBS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "endless text": "{% set n = namespace(x='aaaaaaaaaa') %}{% for a in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "wide text": "{% for a in range(9999) %}{{ 'x' | center(999999) }}{% endfor %}",
    "long list": "{% set n = namespace(x=[1]) %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "replacing": "{% set n = namespace(x='aaaaaaaaaa') %}{% for a in range(99) %}{% set n.x = n.x.replace('a', 'aaaaaaaaaa') %}{% endfor %}",
    "wrapping": "{{ ('x ' * 500000) | wordwrap(1) | wordwrap(1) | wordwrap(1) | indent(9999) }}",
    "endless macro": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "large numbers": "{% set n = namespace(x=10) %}{% for a in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
}

ENDLESS = "{% for a in range(99999) if (range(99999) | join | length) < 0 %}{% endfor %}"
"""Never leaves its line, not even to hand over a text."""


@pytest.fixture
def child() -> Iterator[RenderChild]:
    with RenderChild(limits=QUICK) as made:
        yield made


FILE = "templates/winback/_default/push.yaml"


def _bombed(bomb: str) -> Compiled:
    title = "{% if userAttribute.bomb %}" + bomb + "{% endif %}fine"
    return compiled({FILE: f'title: "{title}"\nbody: b\n'})


def _asked(count: int, *bombs: int) -> Iterator[RenderRequest]:
    return (request({"userAttribute": {"bomb": number in bombs}}, user=f"u{number}") for number in range(count))


def test_the_child_says_to_the_byte_what_this_process_says():
    made = compiled(SHOP)
    asked = [
        request(
            ADA | {"userAttribute": {"firstName": f"Ada {n}"}}, channel, segment=segment, variant=variant, locale="de"
        )
        for n in range(30)
        for channel in (Channel.EMAIL, Channel.PUSH, Channel.SMS)
        for segment in ("lapsed", "lapsed_vips")
        for variant in ("", "discount")
    ]
    with RenderChild(made) as child:
        assert list(child.render_many(made, asked)) == list(made.render_many(asked))


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_costs_its_own_member_and_nobody_else(child: RenderChild, bomb: str):
    answers = list(child.render_many(_bombed(bomb), _asked(100, 0, 40, 41, 99)))
    assert [number for number, answer in enumerate(answers) if isinstance(answer, Refusal)] == [0, 40, 41, 99]
    assert {answer.title for answer in answers if isinstance(answer, PushContent)} == {"fine"}
    known = {Reason.TEMPLATE_TOO_SLOW, Reason.TEMPLATE_TOO_LARGE, Reason.TEMPLATE_ERROR}
    assert {answer.reason for answer in answers if isinstance(answer, Refusal)} <= known


def test_a_message_that_never_ends_is_ended_within_its_time():
    with RenderChild(limits=Limits(seconds=0.5)) as child:
        began = time.monotonic()
        (answer,) = child.render_many(_bombed(ENDLESS), _asked(1, 0))
        assert answer == Refusal(Reason.TEMPLATE_TOO_SLOW, f"took over 0.5 s ({FILE}:1)")
        assert time.monotonic() - began < 2


def test_people_are_read_only_a_little_ahead(child: RenderChild):
    read: list[int] = []

    def people() -> Iterator[RenderRequest]:
        for number, one in enumerate(_asked(1000)):
            read.append(number)
            yield one

    answers = child.render_many(_bombed(""), people())
    next(answers)
    assert len(read) <= AHEAD * SIZE
    answers.close()


def test_a_child_that_was_left_in_the_middle_answers_the_next_from_the_start(child: RenderChild):
    made = _bombed("")
    answers = child.render_many(made, _asked(200))
    next(answers)
    answers.close()
    shop = compiled(SHOP)
    assert list(child.render_many(shop, [request(ADA)])) == [shop.render(request(ADA))]
    assert len(list(child.render_many(made, _asked(70)))) == 70


def test_campaigns_take_turns(child: RenderChild):
    campaigns = [
        compiled({"templates/winback/_default/push.yaml": f"title: '{n}{{{{ x }}}}'\nbody: b\n"}) for n in range(12)
    ]
    for _ in range(2):
        for number, made in enumerate(campaigns):
            (answer,) = child.render_many(made, [request({"x": "!"})])
            assert isinstance(answer, PushContent)
            assert answer.title == f"{number}!"


def test_a_killed_child_is_made_again_and_nobody_is_lost():
    """Killed at any moment, between any two answers: each request still has one answer, in order."""
    made = compiled({"templates/winback/_default/push.yaml": "title: '{{ userAttribute.n }}'\nbody: b\n"})
    asked = [request({"userAttribute": {"n": number}}) for number in range(400)]
    with RenderChild(made) as child:
        answers = []
        for number, answer in enumerate(child.render_many(made, asked)):
            answers.append(answer)
            if number in {10, 50, 51, 200}:
                os.kill(child._pid, signal.SIGKILL)
        assert [answer.title for answer in answers if isinstance(answer, PushContent)] == [str(n) for n in range(400)]


def test_a_closed_child_leaves_no_process_behind():
    made = _bombed("")
    child = RenderChild(made)
    assert len(list(child.render_many(made, _asked(3)))) == 3
    pid = child._pid
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    child.close()


def test_an_open_file_of_the_worker_is_closed_in_the_child():
    """A lock on an open file must not outlive the worker in its child."""
    reading, writing = os.pipe()
    child = RenderChild(compiled(SHOP))
    os.close(writing)
    assert list(child.render_many(compiled(SHOP), [request(ADA)]))
    assert os.read(reading, 1) == b"", "nobody else holds the writing end"
    os.close(reading)
    child.close()


def test_a_library_that_looks_after_its_own_file_at_each_fork_finds_it():
    """Arrow closes and makes anew the pipe of its signal handling in a forked process, and ends it if it cannot."""
    pa_csv.read_csv(io.BytesIO(b"a\n1\n"))  # brings the pipe into being
    with RenderChild() as child:
        assert list(child.render_many(compiled(SHOP), [request(ADA)]))
