"""Links that may be followed: those of the page's own text that lead into the web, and never one that somebody's data made."""

from dataclasses import replace

import pytest

from orchestrator.core.nouns import Channel
from orchestrator.rendering import RenderChild, replaced
from orchestrator.rendering.marks import LONGEST, MARK, address_of
from tests.rendering.builders import ADA, EXTRAS, SETTING, SHOP, compiled, request

SECRET = "4711"
FILE = "templates/winback/_default/email.{}"


def written(body, ending="html", secret=SECRET, child=None, **attributes):
    """An e-mail as its template writes it, the marks still in it."""
    files = {FILE.format(ending): f"---\nsubject: s\n---\n{body}\n"}
    made = compiled(files, setting=replace(SETTING, secret=secret))
    asked = request(attributes, Channel.EMAIL)
    return next(child.render_many(made, [asked])) if child else made.render(asked)


def found(html, secret=SECRET):
    """The links that may be followed, and the page without marks."""
    links = []
    page = replaced(html, secret, lambda its: [links.append(link) or link[1] for link in its])
    return links, page


def links(body, ending="html", **attributes):
    return found(written(body, ending, **attributes).html)[0]


def test_links_into_the_web_are_found_and_no_others():
    body = (
        "<a href=\"https://shop.example/a\">a</a> <A class=x HREF='http://shop.example:8080?b'>b</A>"
        '<a href="mailto:help@shop.example">m</a><a href="tel:+431">t</a><a href="#top">top</a><a name="top">here</a>'
        '<a href="shop://cart">app</a><a href="/relative">r</a><img src="https://shop.example/i.png">'
        '<link href="https://shop.example/s.css"><!-- <a href="https://shop.example/comment">c</a> -->'
        '<a data-href="https://shop.example/other" href="sms:1">s</a>'
    )
    assert links(body) == [("0", "https://shop.example/a"), ("0", "http://shop.example:8080?b")]


def test_the_page_is_the_same_as_without_marks():
    body = '<p>Hi {{ firstName }} <a href="https://shop.example/?u={{ user_id }}&amp;x=1" data-untracked>a</a>'
    body += '<a data-b href="https://shop.example/{{ firstName }}">b</a></p>'
    with_marks, without = written(body, firstName="Ada"), written(body, secret="", firstName="Ada")
    assert MARK in with_marks.html
    assert MARK not in without.html
    assert found(with_marks.html)[1] == without.html
    assert with_marks.text == without.text
    assert "data-untracked" not in without.html
    assert "zuqz" not in with_marks.html + with_marks.text + without.html


@pytest.mark.parametrize("ending", ["html", "mjml"])
def test_a_link_says_that_it_is_not_to_be_tracked(ending):
    around = {"mjml": "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>", "html": "{}"}
    body = """<a data-untracked href="https://shop.example/1">1</a>
<a href='https://shop.example/2' data-untracked="yes">2</a><a href="https://shop.example/3">3</a>"""
    body = around[ending].format(body)
    assert links(body, ending) == [("0", "https://shop.example/3")]
    assert "data-untracked" not in written(body, ending).html
    assert "(https://shop.example/1)" in written(body, ending).text


def test_buttons_and_pictures_of_mjml_are_links_and_can_be_left_alone():
    body = """<mj-section><mj-column><mj-button href="https://shop.example/b">b</mj-button>
<mj-button href="https://shop.example/no" data-untracked="">no</mj-button>
<mj-image src="https://shop.example/i.png" alt="" href="https://shop.example/{{ firstName }}" /></mj-column></mj-section>"""
    assert links(body, "mjml", firstName="Ada") == [("0", "https://shop.example/b"), ("0", "https://shop.example/Ada")]
    assert 'href="https://shop.example/no"' in written(body, "mjml", firstName="Ada").html


def test_a_word_that_looks_like_our_own_telling_stays():
    body = '<p>zuqz</p><a data-untracked href="https://shop.example/1">1</a><a href="https://shop.example/zuqz">2</a>'
    answer = written(body)
    assert found(answer.html)[0] == [("0", "https://shop.example/zuqz")]
    assert "<p>zuqz</p>" in answer.html
    assert "zuqz\n" in answer.text


def test_style_sheets_are_put_into_links_as_before():
    body = '<style>a { color: red }</style><a href="https://shop.example/a">a</a>'
    assert links(body) == [("0", "https://shop.example/a")]
    assert 'style="color: red' in written(body).html


@pytest.mark.parametrize(
    ("href", "whose"),
    [
        ("https://shop.example/{{ firstName }}", "0"),
        ("https://shop.example?{{ firstName }}", "0"),
        ("https://shop.example/{% if firstName %}a{% else %}b{% endif %}", "0"),
        ("https://shop.example{{ firstName }}", "1"),
        ("https://{{ firstName }}.shop.example/", "1"),
        ("https://{{ firstName }}@shop.example/", "1"),
        ("https://shop.example:{{ firstName }}/", "1"),
        ("{{ firstName }}", "1"),
        ("{{ firstName }}/shop.example/", "1"),
    ],
)
def test_whose_host_it_is_stands_beside_each_link(href, whose):
    [(said, _)] = links(f'<a href="{href}">a</a>', firstName="https:")
    assert said == whose


def test_links_in_loops_and_conditions_are_all_found():
    body = '{% for one in names %}<a href="https://shop.example/{{ one }}">{{ one }}</a>{% endfor %}'
    body += '{% if false %}<a href="https://shop.example/never">n</a>{% endif %}'
    assert links(body, names=["a", "b&c"]) == [("0", "https://shop.example/a"), ("0", "https://shop.example/b&amp;c")]


def test_the_render_child_marks_them_too():
    body = '{% for one in names %}<a href="https://shop.example/{{ one }}">a</a>{% endfor %}'
    with RenderChild() as child:
        assert found(written(body, child=child, names=["x"]).html)[0] == [("0", "https://shop.example/x")]


@pytest.mark.parametrize(
    "name",
    [MARK, f"{MARK}0https://evil.example{MARK}", f"{MARK}47110https://evil.example/{MARK}", f"a{MARK}b{MARK}c{MARK}"],
)
@pytest.mark.parametrize(
    "body",
    [
        'Hi {{ firstName }} <a href="https://shop.example/">a</a>',
        '<a href="https://shop.example/">a</a> {{ firstName }}',
        '<a href="https://shop.example/?{{ firstName }}">a</a>',
    ],
)
def test_data_that_looks_like_a_mark_makes_no_link_and_no_other_page(body, name):
    html = written(body, firstName=name, secret="98172398471289").html
    followed, page = found(html, "98172398471289")
    assert all("evil" not in url for _, url in followed)
    assert page.replace(MARK, "") == written(body, firstName=name, secret="").html.replace(MARK, "")


@pytest.mark.parametrize(
    ("attribute", "url"),
    [
        ("https://shop.example/?a=1&amp;b=2", "https://shop.example/?a=1&b=2"),
        ("https://shop.example/?a=1&b=2", "https://shop.example/?a=1&b=2"),
        ("https://shop.example/?a=1&copy=2&amp;c", "https://shop.example/?a=1&copy=2&c"),
        ("https://shop.example/?a&copy;b&notanentity;&lt", "https://shop.example/?a%C2%A9b&notanentity;%3C"),
        ("https://shop.example/&#x41;&#66;", "https://shop.example/AB"),
        (" \n https://shop.example/a\n b\tc ", "https://shop.example/a%20bc"),
        ("https://shop.example/öl%20x?q=ü#ß", "https://shop.example/%C3%B6l%20x?q=%C3%BC#%C3%9F"),
        ("HTTPS://Shop.Example", "HTTPS://Shop.Example"),
        ("https://shop.example/\x00\x85\u2028", "https://shop.example/%00%C2%85%E2%80%A8"),
        ("https://shop.example/\r\nSet-Cookie: a=b", "https://shop.example/Set-Cookie:%20a=b"),
        ("https://shop.example/" + "x" * (LONGEST - 21), "https://shop.example/" + "x" * (LONGEST - 21)),
    ],
)
def test_a_link_leads_where_a_browser_goes(attribute, url):
    assert address_of(attribute) == url


@pytest.mark.parametrize(
    "attribute",
    [
        "",
        "mailto:a@shop.example",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "//shop.example/",
        "https:/shop.example",
        "https://",
        "https://user:word@shop.example/",
        "https://shop.example\\@evil.example/",
        "https://shöp.example/",
        "https://[::1]/",
        "https://shop.example/\ud800",
        "https://shop.example/" + "x" * LONGEST,
    ],
)
def test_what_leads_anywhere_else_is_left_as_it_is(attribute):
    assert address_of(attribute) == ""


def test_the_shops_own_mail_has_its_links_and_its_way_out():
    made = compiled(SHOP, setting=replace(SETTING, secret=SECRET))
    html = made.render(request(ADA, Channel.EMAIL, segment="lapsed_vips")).html
    cart = ("1", "https://x.test/c?a=1&amp;b=2")
    assert found(html)[0] == [cart, cart, ("1", EXTRAS["unsubscribe_url"])]
