"""Files to messages: the example shop, heads and copy, layouts and snippets, HTML, MJML and the text part."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.core.nouns import Channel, EmailContent, InAppContent, PushContent, TextContent, WebhookContent
from orchestrator.rendering import Catalogue, Compiled, Setting, lint
from tests.rendering.builders import ADA, EXTRAS, SETTING, SHOP, bundle, compiled, mailed, mistakes, request


def _email(head: str, body: str, **more: str) -> dict[str, str]:
    return {"templates/winback/_default/email.html": f"---\n{head}\n---\n{body}\n"} | more


def test_the_shops_winback_email_is_personal():
    answer = compiled(SHOP).render(request(ADA, Channel.EMAIL, segment="lapsed_vips"))
    assert isinstance(answer, EmailContent)
    assert answer.sender == "Shop <hello@news.shop.example>"
    assert answer.reply_to == "help@shop.example"
    assert answer.subject == "Ada, your Wool coat is here"
    assert "You put it aside 2 weeks ago." in answer.html
    assert 'href="https://x.test/c?a=1&amp;b=2"' in answer.html
    assert 'alt="Wool coat"' in answer.html
    assert "<mj-" not in answer.html
    assert answer.text == (
        "Still thinking it over?\n\nWool coat (https://x.test/c?a=1&b=2)\n\nYours for €129.00, with free returns.\n\n"
        "Back to my cart (https://x.test/c?a=1&b=2)\n\n"
        "Shop GmbH, Ring 1, 1010 Wien · Unsubscribe (https://go.shop.example/u/abc)\n"
    )


def test_the_discount_changes_what_it_says_and_nothing_else():
    answer = compiled(SHOP).render(request(ADA, Channel.EMAIL, segment="lapsed_vips", variant="discount"))
    assert isinstance(answer, EmailContent)
    assert answer.subject == "A thank-you: 10% off your Wool coat"
    assert "Code C0DE takes 10% off until 16 March." in answer.html
    assert "Still thinking it over?" in answer.html


def test_the_shops_push_says_what_it_should():
    answer = compiled(SHOP).render(request(ADA))
    assert answer == PushContent(
        "New in since your last visit, Ada",
        "Your last order was 2 months ago. Have a look around.",
        "shop://new",
        "https://img.shop.example/winback.jpg",
        "winback",
        12 * 3600,
    )


def test_a_push_variant_merges_by_key():
    answer = compiled(SHOP).render(request({"lastOccurrenceOf": ADA["lastOccurrenceOf"]}, variant="discount"))
    assert isinstance(answer, PushContent)
    assert (answer.title, answer.link) == ("10% off, friend: welcome back", "shop://new?code=C0DE")
    assert answer.body == "Your last order was 2 months ago. Have a look around."


def test_an_in_app_message_is_blocks():
    answer = compiled(SHOP, "welcome_back").render(request(ADA, Channel.IN_APP))
    assert isinstance(answer, InAppContent)
    assert answer.visible_for == 7 * 24 * 3600 * 10**6
    assert answer.payload["title"] == "Welcome back, Ada"
    assert answer.payload["buttons"] == [
        {"label": "Open my cart", "link": "shop://cart"},
        {"label": "Not now", "dismiss": True},
    ]


def test_a_text_message_and_a_webhook():
    files = {
        "templates/winback/_default/sms.txt": "---\ncopy: {hello: Hi}\n---\n{{ copy.hello }} {{ userAttribute.firstName }}\n",
        "templates/winback/_default/webhook.yaml": "type: winback.sent\ndata: {name: '{{ userAttribute.firstName }}', n: 1}\n",
    }
    made = compiled(files)
    assert made.render(request(ADA, Channel.SMS)) == TextContent("Hi Ada")
    assert made.render(request(ADA, Channel.WEBHOOK)) == WebhookContent("winback.sent", {"name": "Ada", "n": 1})


def test_touched_names_every_path_and_no_other():
    assert compiled(SHOP).touched() == {
        ("userAttribute", "firstName"),
        ("latest", "add_to_cart", "product"),
        ("latest", "add_to_cart", "price"),
        ("latest", "add_to_cart", "image"),
        ("latest", "add_to_cart", "link"),
        ("lastOccurrenceOf", "add_to_cart"),
        ("lastOccurrenceOf", "purchase"),
        ("unsubscribe_url",),
    }
    assert compiled(SHOP).coupons() == {"winback10"}


def test_touched_sees_every_branch_and_none_of_the_templates_own_names():
    title = (
        "{% set a = userAttribute.x %}{% for i in userAttribute.list %}{{ i.name }}{% else %}{{ country }}{% endfor %}"
        "{{ a }}{{ userAttribute['First name'] }}{{ userAttribute.tags.split(',') | join }}{% macro m(q) %}{{ q }}{% endmacro %}"
    )
    made = compiled({"templates/winback/_default/push.yaml": f'title: "{title}"\nbody: b\n'})
    assert made.touched() == {
        ("userAttribute", "x"),
        ("userAttribute", "list"),
        ("userAttribute", "First name"),
        ("userAttribute", "tags"),
        ("country",),
    }


def test_copy_is_text_and_escaped_once():
    made = compiled(_email("subject: '{{ copy.a }}'\ncopy: {a: 'Tom & {{ userAttribute.n }}'}", "<p>{{ copy.a }}</p>"))
    answer = made.render(request({"userAttribute": {"n": "<Jerry>"}}, Channel.EMAIL))
    assert isinstance(answer, EmailContent)
    assert answer.subject == "Tom & <Jerry>"
    assert "<p>Tom &amp; &lt;Jerry&gt;</p>" in answer.html


def test_copy_may_choose_and_only_looks_at_what_it_says():
    head = "subject: s\ncopy: {a: '{% if userAttribute.n == 1 %}one{% elif userAttribute.n %}{{ userAttribute.n }}{% else %}{{ userAttribute.gone }}{% endif %} left'}"
    made = compiled(_email(head, "{{ copy.a }}"))
    texts = [made.render(request({"userAttribute": {"n": n}}, Channel.EMAIL)) for n in (1, 2)]
    assert [text.text for text in texts if isinstance(text, EmailContent)] == ["one left\n", "2 left\n"]


def test_copy_merges_by_key_at_every_depth():
    files = _email("subject: s\ncopy: {a: {x: one, y: two}}", "{{ copy.a.x }} {{ copy.a['y'] }}")
    files["templates/winback/_default/email@b.html"] = "---\ncopy: {a: {y: zwei}}\n---\n"
    answer = compiled(files).render(request({}, Channel.EMAIL, variant="b"))
    assert isinstance(answer, EmailContent)
    assert answer.text == "one zwei\n"


def test_a_copy_that_names_itself_is_a_mistake():
    assert "names itself" in mistakes(_email("subject: s\ncopy: {a: '{{ copy.a }}'}", "{{ copy.a }}"))[0]


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ("subjct: s", "b", "email.html:2:9  no key 'subjct' in the head of email\n    Did you mean subject?"),
        ("preheader: s", "b", "email has no subject"),
        ("subject: s\nfrom: ofers", "b", "email.html:3:7  no sender 'ofers'\n    Did you mean offers?"),
        ("subject: s\nlayout: shp", "b", "no file templates/_base/shp.html"),
        ("subject: s\ncopy: {title: t}", "{{ copy.titel }}", "email.html:5:1  copy has no 'titel'\n    Did you mean title?"),
        ("subject: s", "x\n{{ sender.postl }}", "email.html:5:1  sender has no 'postl'\n    Did you mean postal?"),
        ("subject: s", "{{ a | uper }}", "email.html:4:1  no filter 'uper'\n    Did you mean upper?"),
        ("subject: s", "{{ a is evn }}", "no test 'evn'\n    Did you mean even?"),
        ("subject: s", "<p>\n {{ a | safe }}", "email.html:5:2  `|safe` would put a person's data into the page as it is"),
        ("subject: s", "{% if a %}", "email.html:4:1  Unexpected end of template"),
        ("subject: s", "{{ a b }}", "email.html:4:1  expected token 'end of print statement'"),
        ("subject: s", "{{ a", "email.html:4:1  the tag has no end"),
        ("subject: s\nsubject: t", "b", "email.html:3:1  found duplicate key"),
        ("subject: {{ a }}", "b", "put"),
        ("subject: s", "", "there is no body"),
        ("subject: s", "<script>x = '{{ a }}'</script>", "stands in <script>"),
        ("subject: s", '<p onclick="{{ a }}">', "stands in onclick="),
        ("subject: s", "<p class={{ a }}>", "stands in an attribute without quotes"),
        ("subject: s", "{% include 'foot.html' %}", "no file templates/_base/foot.html"),
        ("subject: s", "zq1qz {{ a }}", "stands for a tag"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place_and_the_remedy(head: str, body: str, said: str):
    found = mistakes(_email(head, body))
    assert len(found) == 1
    assert found[0].startswith("templates/winback/_default/email.html")
    assert said in found[0]


def test_all_mistakes_of_a_template_are_said_at_once():
    assert len(mistakes(_email("subject: '{{ a | upr }}'", "{{ b | lowr }} {{ c.__class__ }}"))) == 3


def test_a_broken_message_does_not_stop_the_others():
    made = Compiled(
        "winback", bundle(SHOP | {"templates/winback/lapsed_vips/email@bad.mjml": "---\nx: 1\n---\n"}), SETTING
    )
    assert len(made.mistakes) == 1
    assert isinstance(made.render(request(ADA, Channel.EMAIL, segment="lapsed_vips")), EmailContent)


def test_statements_between_rows_and_sections_of_mjml_stay_there():
    body = """{% for item in userAttribute.items %}<mj-section><mj-column>
    {% if item.new %}<mj-text>New: {{ item.name }}</mj-text>{% endif %}
    <mj-table>{% for size in item.sizes %}<tr><td>{{ size }}</td></tr>{% endfor %}</mj-table>
    </mj-column></mj-section>{% endfor %}"""
    items = [{"name": "Coat", "new": True, "sizes": ["S", "M"]}, {"name": "Hat", "sizes": [1]}]
    answer = mailed(body, {"userAttribute": {"items": items}}, "mjml")
    assert answer.html.count("New: ") == 1
    assert [size in answer.html for size in ("<td>S</td>", "<td>M</td>", "<td>1</td>")] == [True] * 3
    assert "New: Coat" in answer.text
    assert "<!--zq" not in answer.html + answer.text


ROW = "<mj-section><mj-column><mj-text{}>Hello</mj-text></mj-column></mj-section>"


def test_a_mail_of_mjml_fetches_no_font_and_is_set_in_one_that_every_machine_has():
    html = mailed(ROW.format(""), {}, "mjml").html
    assert "<link" not in html
    assert "@import" not in html
    assert "Ubuntu" not in html
    assert "font-family:-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif" in html
    assert "fonts.googleapis.com" not in mailed(ROW.format(' font-family="Roboto, Arial"'), {}, "mjml").html


def test_a_font_is_fetched_where_the_template_asks_for_it_by_itself():
    head = '<mjml><mj-head><mj-font name="Ubuntu" href="https://shop.example/u.css"/></mj-head><mj-body>'
    html = mailed(f"{head}{ROW.format('')}</mj-body></mjml>", {}, "mjml").html
    assert '<link href="https://shop.example/u.css"' in html
    assert "font-family:Ubuntu, Helvetica" in html, "who names the font that MJML takes by itself keeps it"


@pytest.mark.parametrize(
    ("body", "locale", "said"),
    [
        (ROW.format(""), "de-AT", "de"),
        (f"<!-- <mjml> --><mjml><mj-body>{ROW.format('')}</mj-body></mjml>", "de", "de"),
        (f'<mjml lang="fr"><mj-body>{ROW.format("")}</mj-body></mjml>', "de", "fr"),
        (ROW.format(""), "", "en"),
    ],
)
def test_a_mail_of_mjml_says_the_language_it_is_written_in(body: str, locale: str, said: str):
    own = {f"templates/winback/_default/email{'.de' if locale else ''}.mjml": f"---\nsubject: s\n---\n{body}\n"}
    plain = {"templates/winback/_default/email.mjml": f"---\nsubject: s\n---\n{ROW.format('')}\n"}
    answer = compiled(plain | own).render(request({}, Channel.EMAIL, locale=locale))
    assert isinstance(answer, EmailContent)
    assert f'<html lang="{said}"' in answer.html
    assert "und" not in answer.html[:60]


def test_style_sheets_are_put_into_the_elements_before_anybody_is_written_to():
    body = """<html><head><style>.big { color: red } @media print { .big { color: blue } }</style></head><body><table>
    {% for x in userAttribute.items %}<tr><td class="big" title="{{ x }}">{{ x }}</td></tr>{% endfor %}</table></body></html>"""
    html = mailed(body, {"userAttribute": {"items": ["a&b", 'c"d']}}).html
    assert html.count("color: red") == 3, "two cells, and the sheet itself for clients that read it"
    assert "<td" in html
    assert 'title="a&amp;b"' in html
    assert 'title="c&#34;d"' in html


def test_text_keeps_links_lists_and_statements():
    body = """<html><head><title>no</title><style>p {}</style></head><body><h1>Hello {{ userAttribute.n }}</h1>
    <p>One<br>two &amp; three</p><ul>{% for x in userAttribute.items %}<li>{{ x }}</li>{% endfor %}</ul>
    <div style="display: none">hidden</div><img src="https://x.test/a.png" alt="A picture">
    <a href="https://x.test/{{ userAttribute.n }}">Go</a> <a href="https://x.test">https://x.test</a></body></html>"""
    text = mailed(body, {"userAttribute": {"n": "Ada", "items": ["a", "b"]}}).text
    assert text.startswith("Hello Ada\n\nOne\ntwo & three\n")
    assert [line for line in text.split("\n") if line.startswith("-")] == ["- a", "- b"]
    assert text.rstrip().endswith("A picture Go (https://x.test/Ada) https://x.test")
    assert "hidden" not in text
    assert "zq" not in text


def test_a_text_in_the_head_stands_instead_of_the_derived_one():
    answer = compiled(_email("subject: s\ntext: 'Just {{ userAttribute.n }}'", "<b>x</b>")).render(
        request({"userAttribute": {"n": "&"}}, Channel.EMAIL)
    )
    assert isinstance(answer, EmailContent)
    assert answer.text == "Just &"


def test_snippets_and_macros_come_from_the_base_folder():
    base = {
        "templates/_base/foot.html": "<p>{{ sender.postal }}</p>",
        "templates/_base/macros.html": '{% macro button(url, label) %}<a href="{{ url }}">{{ label }}</a>{% endmacro %}\n',
    }
    body = "{% from 'macros.html' import button %}{{ button(userAttribute.url, 'A & B') }}{% include 'foot.html' %}"
    answer = compiled(_email("subject: s", body, **base)).render(
        request({"userAttribute": {"url": "https://x.test"}}, Channel.EMAIL)
    )
    assert isinstance(answer, EmailContent)
    assert '<a href="https://x.test">A &amp; B</a><p>Shop GmbH, Ring 1, 1010 Wien</p>' in answer.html


def test_files_that_include_each_other_are_a_mistake():
    files = _email("subject: s", "{% include 'a.html' %}", **{"templates/_base/a.html": "{% include 'a.html' %}"})
    assert "without end" in mistakes(files)[0]


def test_a_layout_speaks_the_language_of_the_message():
    files = _email(
        "subject: s\nlayout: shop",
        "<p>Hello</p>",
        **{
            "templates/_base/shop.html": "{{ body }}<i>Bye</i>",
            "templates/_base/shop.de.html": "{{ body }}<i>Servus</i>",
            "templates/winback/_default/email.de.html": "---\nsubject: t\n---\n<p>Hallo</p>",
        },
    )
    answer = compiled(files).render(request({}, Channel.EMAIL, locale="de-AT"))
    assert isinstance(answer, EmailContent)
    assert "<p>Hallo</p>" in answer.html
    assert "<i>Servus</i>" in answer.html


def test_a_preheader_is_shown_even_without_a_layout():
    for ending, body in (("html", "<p>x</p>"), ("mjml", "<mj-section></mj-section>")):
        made = compiled(
            {f"templates/winback/_default/email.{ending}": f"---\nsubject: s\npreheader: A look\n---\n{body}\n"}
        )
        answer = made.render(request({}, Channel.EMAIL))
        assert isinstance(answer, EmailContent)
        assert "A look" in answer.html
        assert "A look" not in answer.text


def test_blanks_are_trimmed_where_the_template_says_so():
    made = compiled(
        {
            "templates/winback/_default/sms.txt": "a  {%- if true %}\n b {{- 'c' -}}\n d{% endif %}{# no #}{% raw %}{{ x }}{% endraw %}\n"
        }
    )
    assert made.render(request({}, Channel.SMS)) == TextContent("a\n bcd{{ x }}")


def test_the_same_files_have_the_same_key_and_others_another():
    one, same = (
        Compiled("winback", bundle(SHOP), SETTING),
        Compiled("winback", bundle(dict(reversed(SHOP.items()))), SETTING),
    )
    assert one.key == same.key
    assert one.key != Compiled("winback", bundle(SHOP), Setting()).key


class _Balance(HTMLParser):
    """Every table, row and cell that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in {"table", "tr", "td", "div", "tbody"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in {"table", "tr", "td", "div", "tbody"}:
            assert self.open.pop() == tag


def test_what_comes_of_mjml_is_balanced():
    answer = compiled(SHOP).render(request(ADA, Channel.EMAIL, segment="lapsed_vips", extras=EXTRAS))
    assert isinstance(answer, EmailContent)
    balance = _Balance()
    balance.feed(answer.html)
    assert balance.open == []


_BITS = [
    "---\n", "\n", " ", "subject: s", "copy:", "  a: ", '"', "'", "{{", "}}", "{%", "%}", "{#", " if ", " for ", " in ",
    " endif ", " endfor ", "x", "copy.a", "|", "safe", "default(1)", "(", ")", "[", "]", "{", "}", "<mj-section>",
    "</mj-section>", "<mj-column>", "<mj-text>", "</mj-text>", "<p ", "class=", ">", "<", "/", "<table>", "<tr>", "<style>",
    "</style>", ".a{color:red}", "<!--", "-->", "&amp;", "é", "\u2028", "\0", "zq1qz", "- ", "*a", "&a ", "!!python/name:os",
    "2026-01-01", "1e999", "layout: shop", "include ", "set ", "macro m() ", "call ", "raw ", "endraw ", "\t", ":", "~", "**",
]  # fmt: skip


@given(
    st.sampled_from(
        ["email.html", "email.mjml", "push.yaml", "in_app.yaml", "sms.txt", "webhook.yaml", "email@b.mjml"]
    ),
    st.lists(st.sampled_from(_BITS), max_size=40).map("".join).map(str.encode) | st.binary(max_size=60),
    st.booleans(),
)
@example("push.yaml", b"+_", False)  # a number of no digits
@example("email.mjml", "é/>\u2028".encode(), True)  # the parser of MJML panics
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_file_is_a_template_or_a_mistake_of_that_file(name: str, content: bytes, headed: bool):
    path = f"templates/winback/z/{name}"
    begin = {"html": b"---\nsubject: s\n---\n", "mjml": b"---\nsubject: s\n---\n", "yaml": b"title: t\nbody: "}
    head = begin.get(name.rpartition(".")[2], b"") if headed else b""
    good = {"templates/winback/_default/push.yaml": "title: t\nbody: b\n", "templates/_base/shop.html": "{{ body }}"}
    made = Compiled("winback", bundle(good) | {path: head + content}, SETTING)
    assert {mistake.file for mistake in made.mistakes} <= {path}
    lint(made, Catalogue(), marketing=True)
    for channel in Channel:
        assert made.render(request({"x": 1}, channel, segment="z")) is not None
    assert isinstance(made.render(request(ADA)), PushContent)
