"""Templates held against the catalogue: every branch, each mistake with its place and its remedy."""

import pytest

from orchestrator.rendering import Catalogue, Compiled, lint
from tests.rendering.builders import SETTING, SHOP, bundle

CATALOGUE = Catalogue(
    attributes=("email", "firstName", "country"),
    events={"app_open": (), "add_to_cart": ("product", "price", "image", "link"), "purchase": ("amount", "currency")},
    coupons=("winback10",),
)


def _lint(files: dict[str, str], *, marketing: bool = True, catalogue: Catalogue = CATALOGUE) -> list[str]:
    return [str(one) for one in lint(Compiled("winback", bundle(files), SETTING), catalogue, marketing=marketing)]


def _push(title: str, **more: str) -> dict[str, str]:
    return {"templates/winback/_default/push.yaml": f'title: "{title}"\nbody: b\n'} | more


def test_the_shop_has_no_mistakes():
    assert _lint(SHOP) == []


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("{{ userAttribute.fristName }}", ":1:9  userAttribute.fristName: no attribute 'fristName'\n    Did you mean firstName?"),
        ("{{ firstName }}", "no variable 'firstName'\n    write userAttribute.firstName"),
        ("{{ contry }}", "no variable 'contry'\n    Did you mean country?"),
        ("{{ latest.add_to_card.price }}", "no event 'add_to_card'\n    Did you mean add_to_cart?"),
        ("{{ latest.add_to_cart.prize }}", "no property of add_to_cart 'prize'\n    Did you mean price?"),
        ("{{ lastOccurrenceOf['purchas'] }}", "lastOccurrenceOf.purchas: no event 'purchas'\n    Did you mean purchase?"),
        ("{{ parameter.product }}", "no variable 'parameter'\n    parameters are the properties of a trigger's event"),
        ("{{ coupon('winback') }}", "no coupons 'winback'\n    Did you mean winback10?"),
        ("{% if false %}{{ userAttribute.nme | default('x') }}{% endif %}", ":1:23  userAttribute.nme: no attribute 'nme'"),
        ("{{ userAttribute.firstName | upcas }}", "no filter 'upcas'\n    Did you mean upcase?"),
    ],
)  # fmt: skip
def test_a_variable_nobody_fills_is_a_mistake(title: str, said: str):
    (found,) = _lint(_push(title))
    assert found.startswith("templates/winback/_default/push.yaml")
    assert said in found


def test_a_triggers_properties_are_its_parameters():
    catalogue = Catalogue(CATALOGUE.attributes, CATALOGUE.events, trigger="purchase")
    assert _lint(_push("{{ parameter.amount }}"), catalogue=catalogue) == []
    assert "no property of purchase 'amont'" in _lint(_push("{{ parameter.amont }}"), catalogue=catalogue)[0]


def test_marketing_mail_without_a_way_out_is_a_mistake():
    files = {"templates/winback/_default/email.html": "---\nsubject: s\n---\n<p>Buy</p>"}
    assert "marketing e-mail without unsubscribe_url" in _lint(files)[0]
    assert _lint(files, marketing=False) == []
    files["templates/winback/_default/email.html"] += '<a href="{{ unsubscribe_url }}">no more</a>'
    assert _lint(files) == []


def test_a_picture_without_words_is_a_mistake():
    body = '---\nsubject: s\n---\n<p>\n <img src="https://x.test/a.png"><img src="https://x.test/b.png" alt="">'
    (found,) = _lint({"templates/winback/_default/email.html": body}, marketing=False)
    assert found.startswith("templates/winback/_default/email.html:5:2  <img> has no alt")


def test_an_element_mjml_does_not_know_is_a_mistake():
    body = "---\nsubject: s\n---\n<mj-section><mj-colum><mj-text>x</mj-text></mj-colum></mj-section>"
    assert any(
        "no element <mj-colum>\n    Did you mean mj-column?" in one
        for one in _lint({"templates/winback/_default/email.mjml": body})
    )


def test_words_of_a_variant_without_a_translation_are_a_mistake():
    files = _push(
        "Hello",
        **{
            "templates/winback/_default/push.fr.yaml": "title: Bonjour\nbody: c\n",
            "templates/winback/_default/push@b.yaml": "title: Hey\nbody: Look\nlink: shop://b\n",
            "templates/winback/_default/push@b.fr.yaml": "title: Salut\n",
        },
    )
    (found,) = _lint(files)
    assert found.startswith("templates/winback/_default/push@b.yaml:2:7  body has no translation to fr")
