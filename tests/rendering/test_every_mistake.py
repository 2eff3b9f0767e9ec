"""A template says all its mistakes at once: none hides a later one, and none makes up another."""

import pytest

from orchestrator.rendering import Catalogue, Compiled, lint
from tests.rendering.builders import SETTING, bundle

CATALOGUE = Catalogue(attributes=("firstName",), events={"purchase": ("amount",)}, coupons=("ten",))
MAIL = "templates/winback/_default/email.html"
MJML = "templates/winback/_default/email.mjml"
PUSH = "templates/winback/_default/push.yaml"
IN_APP = "templates/winback/_default/in_app.yaml"
NAEM = "userAttribute.naem: no attribute 'naem'"

CASES = [
    ("a filter hides no variable", PUSH, "title: '{{ userAttribute.firstName | upr }}'\nbody: '{{ userAttribute.naem }}'\n",
     ["1:9 no filter 'upr'", f"2:8 {NAEM}"]),
    ("a filter and a variable in one tag", PUSH, "title: '{{ userAttribute.naem | upr }}'\nbody: b\n",
     [f"1:9 {NAEM}", "1:9 no filter 'upr'"]),
    ("a key of the head hides nothing", PUSH, "titel: '{{ userAttribute.naem }}'\nbody: '{{ latest.purchase.amont }}'\nttl: soon\n",
     ["1:9 no key 'titel' in the head of push", f"1:9 {NAEM}",
      "2:8 latest.purchase.amont: no property of purchase 'amont'", "3:6 'soon' is not a duration"]),
    ("a missing key hides nothing", PUSH, "title: '{{ userAttribute.naem }}'\nttl: soon\ndata: x\n",
     ["0:0 push has no body", f"1:9 {NAEM}", "2:6 'soon' is not a duration", "3:7 data is not a map"]),
    ("every expression that cannot be read", MAIL, "---\nsubject: '{{ a b }}'\n---\n{{ c d }}\n{{ e f }} {{ userAttribute.naem }}\n",
     ["2:11 expected token", "4:1 expected token", "5:1 expected token", f"5:11 {NAEM}"]),
    ("a tag without an end", MAIL, "---\nsubject: s\n---\n{{ userAttribute.naem }}\n{{ open\n{{ x | upr }}\n",
     [f"4:1 {NAEM}", "5:1 ", "6:1 no filter 'upr'"]),
    ("an `if` without an end", MAIL, "---\nsubject: s\n---\n{% set x = 1 %}{% if x %}\n{{ x | upr }}{{ userAttribute.naem }}\n",
     ["5:1 no filter 'upr'", "5:14 Unexpected end of template", f"5:14 {NAEM}"]),
    ("a condition that cannot be read", MAIL, "---\nsubject: s\n---\n{% if a b %}\n{{ userAttribute.naem }}{% elif c d %}{% endif %}{{ contry }}\n",
     ["4:1 expected token", f"5:1 {NAEM}", "5:25 expected token", "5:50 no variable 'contry'"]),
    ("copy that is not there", MAIL, "---\nsubject: s\ncopy: {title: t}\n---\n{{ copy.titel }}\n{{ copy.lien }}\n{{ sender.postl }} {{ userAttribute.naem }}\n",
     ["5:1 copy has no 'titel'", "6:1 copy has no 'lien'", "7:1 sender has no 'postl'", f"7:20 {NAEM}"]),
    ("a sender nobody knows", MAIL, "---\nfrom: ofers\nsubject: s\n---\n{{ sender.postal }} {{ x | upr }}{{ userAttribute.naem }}\n",
     ["2:7 no sender 'ofers'", "5:21 no filter 'upr'", "5:21 no variable 'x'", f"5:34 {NAEM}"]),
    ("a layout that is not there", MAIL, "---\nsubject: s\nlayout: shp\n---\n{{ userAttribute.naem }}\n",
     ["3:9 no file templates/_base/shp.html", f"5:1 {NAEM}"]),
    ("snippets that are not there", MAIL, "---\nsubject: s\n---\n{% include 'a.html' %}\n{% from 'b.html' import button %}{{ button('x') }}{{ userAttribute.naem }}\n",
     ["4:1 no file templates/_base/a.html", "5:1 no file templates/_base/b.html", f"5:51 {NAEM}"]),
    ("places where data has no place", MAIL, "---\nsubject: s\n---\n<script>{{ userAttribute.firstName }}</script>\n<p class={{ userAttribute.naem }}>\n",
     ["4:9 {{ userAttribute.firstName }} stands in <script>", "5:10 {{ userAttribute.naem }} stands in an attribute", f"5:10 {NAEM}"]),
    ("markup that is none", MJML, "---\nsubject: s\n---\n<mj-section>\n{{ userAttribute.naem }}\n",
     ["4:1 is not MJML", f"5:1 {NAEM}"]),
    ("a block is one mistake", MAIL, "---\nsubject: s\n---\n{% block a %}{{ userAttribute.naem }}{% endblock %}\n",
     ["4:1 {% block a %} cannot be used here", f"4:14 {NAEM}"]),
    ("a head that cannot be read", MAIL, "---\nsubject: {{ x }}\n---\n{{ copy.title }} {{ userAttribute.naem | upr }}\n",
     ["2:10 a value with {{ }} is read as a map", "2:10 no variable 'x'", f"4:18 {NAEM}", "4:18 no filter 'upr'"]),
    ("a file that is a head and cannot be read", PUSH, "title: 'x\nbody: {{ userAttribute.naem | upr }}\n",
     ["", f"2:7 {NAEM}", "2:7 no filter 'upr'"]),
    ("a kind of in-app message, and for how long", IN_APP, "title: '{{ userAttribute.naem }}'\nkind: modl\nshow: {for: ever}\n",
     [f"1:9 {NAEM}", "2:7 no kind 'modl' of in-app message", "3:13 "]),
]  # fmt: skip


def said(file: str, content: str) -> list[str]:
    found = lint(Compiled("winback", bundle({file: content}), SETTING), CATALOGUE, marketing=False)
    assert {one.file for one in found} == {file}
    return [f"{one.line}:{one.column} {one.text}" for one in found]


@pytest.mark.parametrize(("file", "content", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_template_says_all_its_mistakes(file: str, content: str, wanted: list[str]):
    found = said(file, content)
    assert len(found) == len(wanted), found
    for one in wanted:
        assert any(line.startswith(one) or one == line.partition(" ")[2] for line in found), (one, found)


def test_names_of_the_templates_own_are_no_mistakes_where_nothing_can_be_read():
    assert (
        len(said(MAIL, "---\nsubject: s\n---\n{% for x in userAttribute.firstName %}{{ x.y }} {{ loop.index }}\n")) == 1
    )


def test_copy_that_names_itself_in_many_places_is_one_mistake():
    copy = "{a: '" + "{{ copy.a }}" * 20 + "'}"
    assert len(said(MAIL, f"---\nsubject: s\ncopy: {copy}\n---\n{{{{ copy.a }}}}\n")) == 1
