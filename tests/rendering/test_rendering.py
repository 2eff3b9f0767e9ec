"""One message for one person: determinism, hostile data, sizes, and refusals that concern nobody else."""

import json
import unicodedata
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.nouns import Channel, EmailContent, InAppContent, PushContent, State
from orchestrator.core.reasons import Reason
from orchestrator.rendering import Refusal
from tests.rendering.builders import ADA, SHOP, answered, compiled, mailed, request, said

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><svg/onload=alert(1)>", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", " java\nscript:alert(1)", "\x01javascript:alert(1)", "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "javascript://x.test/%0aalert(1)", "</style><script>",
    "--><script>alert(1)</script>", "<!--", "]]>", "{{ 7 * 7 }}", "{% for %}", "&lt;script&gt;", "&#106;avascript:alert(1)",
    "<a href=javascript:alert(1)>", "'-alert(1)-'", "`${alert(1)}`", "</title><script>", "<iframe srcdoc='<script>'>",
    "file:///etc/passwd", "blob:x", "<mj-raw><script></mj-raw>", ":alert(1)", "\u2028<b>", 'x" onmouseover="alert(1)',
]  # fmt: skip
PAGE = """<html><body><p class="{{ userAttribute.x }}" title='{{ userAttribute.x }}'>{{ userAttribute.x }}</p>
<!-- {{ userAttribute.x }} --><a href="{{ userAttribute.x }}">go</a><img src="{{ userAttribute.x }}" alt="{{ userAttribute.x }}">
<a href="https://x.test/?q={{ userAttribute.x | urlencode }}">q</a></body></html>"""


class _Seen(HTMLParser):
    """The elements, attributes and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


def _look(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    seen.close()
    return seen


def _harmless(html: str) -> None:
    seen = _look(html)
    assert seen.elements == ["html", "body", "p", "a", "img", "a"]
    assert seen.attributes == {"class", "title", "href", "src", "alt"}
    for link in seen.links:
        bare = "".join(character for character in link if character > " ").lower()
        assert not bare.startswith(("javascript:", "data:", "vbscript:", "file:", "blob:"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_data_never_becomes_markup_or_a_script(text: str):
    made = compiled(
        {"templates/winback/_default/email.html": f"---\nsubject: '{{{{ userAttribute.x }}}}'\n---\n{PAGE}"}
    )
    answer = made.render(request({"userAttribute": {"x": text}}, Channel.EMAIL))
    if isinstance(answer, Refusal):
        assert "is not a link" in answer.detail
    else:
        assert isinstance(answer, EmailContent)
        _harmless(answer.html)


_PAGE = compiled({"templates/winback/_default/email.html": f"---\nsubject: '{{{{ userAttribute.x }}}}'\n---\n{PAGE}"})


@given(st.one_of(st.text(), st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)))
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_becomes_markup_a_script_or_a_header(text: str):
    answer = _PAGE.render(request({"userAttribute": {"x": text}}, Channel.EMAIL))
    if isinstance(answer, Refusal):
        assert "is not a link" in answer.detail or "NUL" in answer.detail
        return
    assert isinstance(answer, EmailContent)
    _harmless(answer.html)
    assert not any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in answer.subject)


def test_parts_that_only_together_would_be_a_script_are_refused():
    attributes = {"userAttribute": {"a": "javascript", "b": ":alert(1)"}}
    made = compiled(
        {
            "templates/winback/_default/email.html": "---\nsubject: s\n---\n"
            '<a href="{{ userAttribute.a }}{{ userAttribute.b }}">x</a>'
        }
    )
    answer = made.render(request(attributes, Channel.EMAIL))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.TEMPLATE_ERROR


@pytest.mark.parametrize(
    "link", ["https://x.test/a?b=c:d", "mailto:a@x.test", "tel:+43", "shop://cart", "/path:x", "", "x.test"]
)
def test_a_link_may_go_where_links_go(link: str):
    assert f'href="{link}"' in mailed('<a href="{{ userAttribute.x }}">x</a>', {"userAttribute": {"x": link}}).html


def test_a_link_of_a_push_or_in_app_message_is_held_to_the_same():
    files = {
        "templates/winback/_default/push.yaml": "title: t\nbody: b\nlink: '{{ userAttribute.x }}'\n",
        "templates/winback/_default/in_app.yaml": "title: t\nbuttons: [{label: l, link: '{{ userAttribute.x }}'}]\n",
    }
    made = compiled(files)
    for channel in (Channel.PUSH, Channel.IN_APP):
        bad, good = (
            made.render(request({"userAttribute": {"x": link}}, channel)) for link in ("javascript:1", "shop://a")
        )
        assert isinstance(bad, Refusal)
        assert isinstance(good, PushContent | InAppContent)


def test_headers_and_titles_have_no_line_breaks():
    text = "a\r\nBcc: x@y.test\u2028c\x00"[:-1] + "\x7f"
    assert said("{{ userAttribute.x }}", {"userAttribute": {"x": text}}) == "a Bcc: x@y.test c"


def test_a_nul_cannot_cut_a_message_in_the_wrong_place():
    answer = answered("{{ userAttribute.x }}", {"userAttribute": {"x": "a\0b"}})
    assert answer == PushContent("a b", "b") or isinstance(answer, Refusal)
    made = compiled(SHOP)
    ada = ADA | {"userAttribute": {"firstName": "a\0b"}}
    both = made.render(request(ada, Channel.EMAIL, segment="lapsed_vips"))
    assert isinstance(both, Refusal)
    assert "NUL" in both.detail


def test_missing_data_names_the_path_the_file_and_the_line():
    ada = ADA | {"latest": {"add_to_cart": {**ADA["latest"]["add_to_cart"], "image": None}}}
    answer = compiled(SHOP).render(request(ada, Channel.EMAIL, segment="lapsed_vips"))
    assert answer == Refusal(
        Reason.MISSING_DATA, "latest.add_to_cart.image (templates/winback/lapsed_vips/email.mjml:14)"
    )
    assert answer.state is State.SKIPPED


def test_missing_data_in_copy_names_the_line_of_the_copy():
    ada = ADA | {"latest": {"add_to_cart": {**ADA["latest"]["add_to_cart"], "price": None}}}
    answer = compiled(SHOP).render(request(ada, Channel.EMAIL, segment="lapsed_vips"))
    assert isinstance(answer, Refusal)
    assert answer.detail == "latest.add_to_cart.price (templates/winback/lapsed_vips/email.mjml:8)"


def test_somebody_without_a_coupon_gets_no_discount_mail():
    answer = compiled(SHOP).render(request(ADA, variant="discount", codes={}))
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.state) == (Reason.NO_COUPON, State.SKIPPED)
    assert answer.detail.startswith("winback10 (templates/winback/")


def test_an_error_of_one_person_names_the_place_and_is_a_failure():
    answer = answered("{{ userAttribute.n + 1 }}", {"userAttribute": {"n": "x"}})
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.state) == (Reason.TEMPLATE_ERROR, State.RENDER_FAILED)
    assert answer.detail.endswith("(templates/winback/_default/push.yaml:1)")


def test_a_message_for_a_channel_without_files_is_refused():
    answer = compiled(SHOP).render(request(ADA, Channel.SMS))
    assert answer == Refusal(Reason.TEMPLATE_ERROR, "no sms for segment lapsed")


@pytest.mark.parametrize(("channel", "most"), [(Channel.PUSH, 4_096), (Channel.EMAIL, 1_000_000)])
def test_a_message_larger_than_its_channel_carries_is_refused(channel: Channel, most: int):
    files = {
        "templates/winback/_default/push.yaml": "title: t\nbody: '{{ userAttribute.x }}'\n",
        "templates/winback/_default/email.html": "---\nsubject: s\ntext: t\n---\n{{ userAttribute.x }}",
    }
    made = compiled(files)
    for size, fits in ((most - 50, True), (most + 1, False)):
        for letter in ("a", "é"):
            count = size if letter == "a" else size // 2 + 1
            answer = made.render(request({"userAttribute": {"x": letter * count}}, channel))
            assert isinstance(answer, Refusal) is not fits
            if isinstance(answer, Refusal):
                assert answer.reason is Reason.TEMPLATE_TOO_LARGE


BAD: list[Any] = [
    None,
    7,
    1.5,
    True,
    [],
    {},
    [None],
    {"a": None},
    "x" * 10_000_000,
    "🙂",
    "\u202eabc",
    "\ud800",
    "a\0b",
    2**62,
]


@pytest.mark.parametrize("value", BAD, ids=[repr(value)[:20] for value in BAD])
def test_the_bad_data_of_one_person_is_nobody_elses(value: Any):
    """A value of the wrong type gives a message or a refusal, and the next person's message as ever."""
    made = compiled(SHOP)
    good = made.render(request(ADA, Channel.EMAIL, segment="lapsed_vips"))
    product = {"product": value, "price": value, "image": value, "link": value}
    bad = {
        "userAttribute": {"firstName": value},
        "latest": {"add_to_cart": product},
        "lastOccurrenceOf": {"add_to_cart": value},
    }
    for attributes in (bad, {"userAttribute": value, "latest": value, "lastOccurrenceOf": value}):
        answer = made.render(request(attributes, Channel.EMAIL, segment="lapsed_vips"))
        assert isinstance(answer, EmailContent | Refusal)
    assert made.render(request(ADA, Channel.EMAIL, segment="lapsed_vips")) == good


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=_JSON, cart=_JSON, at=_JSON)
@settings(max_examples=200, deadline=None)
def test_the_same_person_gets_the_same_bytes_whatever_their_data(name: Any, cart: Any, at: Any):
    attributes = {
        "userAttribute": {"firstName": name},
        "latest": {"add_to_cart": cart},
        "lastOccurrenceOf": {"purchase": at},
    }
    for channel in (Channel.EMAIL, Channel.PUSH):
        one, again = (
            fresh.render(request(json.loads(json.dumps(attributes)), channel, segment="lapsed_vips"))
            for fresh in (_SHOP, _SHOP_AGAIN)
        )
        assert one == again


_SHOP, _SHOP_AGAIN = compiled(SHOP), compiled(SHOP)


def test_now_is_the_moment_the_message_was_judged():
    assert said("{{ now | date('yyyy-MM-dd HH:mm') }}") == "2026-03-02 10:00"


def test_one_persons_set_variables_do_not_reach_the_next():
    made = compiled(
        {
            "templates/winback/_default/push.yaml": "title: \"{% if userAttribute.a %}{% set x = 'mine' %}{% endif %}{{ x | default('none') }}\"\nbody: b\n"
        }
    )
    titles = [made.render(request({"userAttribute": {"a": a}})) for a in (True, False)]
    assert [title.title for title in titles if isinstance(title, PushContent)] == ["mine", "none"]
