"""Every message of a campaign beside the others: the same ones once, broken ones with what is wrong, and the others all the same."""

from dataclasses import replace

import pytest

from orchestrator.core.campaigns import Campaign, Experiment, Policy
from orchestrator.core.errors import Mistake
from orchestrator.core.nouns import Channel, Person
from orchestrator.ledger import Purpose, Seal
from orchestrator.ledger.links import SigningKey
from orchestrator.pipeline import BundleLetters, Scene, marked, tiles
from orchestrator.rendering import Compiled, Limits, RenderChild
from tests.rendering.builders import ADA, CODED, NOW, SETTING, SHOP, bundle

SEAL = Seal(Purpose.UNSUBSCRIBE, (SigningKey("00", bytes(32)),))
WINBACK = Campaign(
    "winback",
    (Channel.EMAIL, Channel.PUSH),
    Policy(time_zone="UTC", topic="offers"),
    audience=("lapsed_vips", "buyers", "lapsed"),
    experiment=Experiment({"reminder": 50.0, "discount": 50.0}),
)
EVERYBODY = {"templates/winback/_default/email.mjml": SHOP["templates/winback/lapsed_vips/email.mjml"]}


def a_scene(files, child=None, *, campaign=WINBACK, locales=("en",), people=None, mistakes=()):
    made = Compiled("winback", bundle(files), SETTING)
    letters = BundleLetters(made, campaign, SEAL, "https://go.shop.example", child)
    ada = Person("ada", "lapsed", "", "en", "reminder", attributes={**ADA, **CODED})
    return Scene(letters, campaign, locales, people or (ada,), NOW, mistakes)


def places(found):
    return [(str(tile.channel), tile.segments, tile.variants, tile.locales) for tile in found]


def test_each_look_stands_there_once_with_everybody_it_is_for():
    found = tiles(a_scene({**SHOP, **EVERYBODY}))
    assert places(found) == [
        ("email", ("lapsed_vips",), ("reminder",), ("en",)),
        ("email", ("lapsed_vips",), ("discount",), ("en",)),
        ("email", ("buyers", "lapsed"), ("reminder", "discount"), ("en",)),
        ("push", ("lapsed_vips", "buyers", "lapsed"), ("reminder",), ("en",)),
        ("push", ("lapsed_vips", "buyers", "lapsed"), ("discount",), ("en",)),
    ]
    assert all(tile.content is not None for tile in found)
    assert len({tile.name for tile in found}) == len(found)


def test_languages_that_say_the_same_stand_together():
    german = {"templates/winback/_default/push.de.yaml": "title: Neu\n"}
    found = tiles(a_scene({**SHOP, **EVERYBODY, **german}, locales=("en", "de", "de-CH")))
    assert [tile.locales for tile in found if tile.channel is Channel.PUSH and tile.variants == ("reminder",)] == [
        ("en",),
        ("de", "de-CH"),
    ]


def test_a_word_that_names_the_segment_keeps_segments_apart():
    push = {"templates/winback/_default/push.yaml": 'title: "For {{ segment }}"\nbody: b\n'}
    found = tiles(a_scene(push, campaign=replace(WINBACK, channels=(Channel.PUSH,), experiment=None)))
    assert [(tile.segments, tile.content.title) for tile in found] == [
        (("lapsed_vips",), "For lapsed_vips"),
        (("buyers",), "For buyers"),
        (("lapsed",), "For lapsed"),
    ]


def test_a_template_that_cannot_be_read_says_so_and_the_others_are_written():
    broken = {"templates/winback/_default/push@discount.yaml": 'title: "{{ 1 / }}"\n'}
    *others, last = tiles(a_scene({**SHOP, **EVERYBODY, **broken}))
    assert all(tile.content is not None for tile in others)
    assert last.content is None
    assert [(it.file, it.line, it.column) for it in last.mistakes] == [
        ("templates/winback/_default/push@discount.yaml", 1, 9)
    ]


def test_a_message_without_a_file_names_the_one_to_write():
    absent = Mistake("templates/winback/_default/email.mjml", 0, 0, "is missing", "Write it.")
    found = tiles(a_scene(SHOP, mistakes=(absent,)))
    [missing] = [tile for tile in found if tile.channel is Channel.EMAIL and "lapsed" in tile.segments]
    assert (missing.content, missing.mistakes) == (None, (absent,))


def test_what_is_wrong_in_a_file_stands_at_the_messages_it_makes():
    pale = Mistake("templates/winback/lapsed_vips/email@discount.mjml", 3, 1, "is odd", "Mend it.")
    found = tiles(a_scene({**SHOP, **EVERYBODY}, mistakes=(pale,)))
    assert [tile.variants for tile in found if tile.mistakes] == [("discount",)]


def test_missing_data_of_the_person_says_which():
    bare = Person("bo", "lapsed", "", "en", attributes={})
    found = tiles(a_scene({**SHOP, **EVERYBODY}, people=(bare,)))
    assert "latest.add_to_cart.product" in found[0].nothing


def test_the_next_person_is_asked_where_a_template_fails_for_the_first():
    push = {"templates/winback/_default/push.yaml": 'title: "{{ 6 // userAttribute.n }}"\nbody: b\n'}
    people = [Person("x", "lapsed", attributes={"userAttribute": {"n": n}}) for n in (0, 2)]
    campaign = replace(WINBACK, channels=(Channel.PUSH,), experiment=None)
    [tile] = tiles(a_scene(push, campaign=campaign, people=people))
    assert tile.content.title == "3"


def test_a_template_that_never_ends_is_tried_once_and_costs_the_others_nothing():
    endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    files = {**SHOP, **EVERYBODY, "templates/winback/_default/push.yaml": f'title: "{endless}"\nbody: b\n'}
    with RenderChild(limits=Limits(seconds=0.2)) as child:
        found = tiles(a_scene(files, child, locales=("en", "de", "fr")))
    slow = [tile for tile in found if tile.channel is Channel.PUSH and tile.variants == ("reminder",)]
    assert [tile.segments for tile in slow] == [("lapsed_vips", "buyers", "lapsed")]
    assert "took over 0.2 s" in slow[0].nothing
    assert all(tile.content is not None for tile in found if tile.channel is Channel.EMAIL)


def test_the_persons_own_messages_are_marked():
    scene = a_scene({**SHOP, **EVERYBODY})
    own = [tile for tile in marked(tiles(scene), scene.people[0]) if tile.own]
    assert places(own) == [
        ("email", ("buyers", "lapsed"), ("reminder", "discount"), ("en",)),
        ("push", ("lapsed_vips", "buyers", "lapsed"), ("reminder",), ("en",)),
    ]


@pytest.mark.parametrize("changed", [("body: Have a look", "body: Do look"), ("link: shop://new", "link: shop://sale")])
def test_a_tile_looks_another_one_once_anything_on_it_is_and_keeps_its_name(changed):
    plain = {"templates/winback/_default/push.yaml": "title: t\nbody: Have a look\nlink: shop://new\n"}
    campaign = replace(WINBACK, channels=(Channel.PUSH,), experiment=None)
    [before] = tiles(a_scene(plain, campaign=campaign))
    [after] = tiles(a_scene({path: text.replace(*changed) for path, text in plain.items()}, campaign=campaign))
    assert before.name == after.name
    assert before.look != after.look
