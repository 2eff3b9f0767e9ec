"""Which files make a message."""

import pytest

from orchestrator.core.nouns import Channel
from orchestrator.rendering.lookup import languages, shelve


def _paths(*names: str, segment: str = "", variant: str = "", locale: str = "", channel: Channel = Channel.PUSH):
    shelf = shelve("winback", {f"templates/winback/{name}": b"" for name in names})
    assert shelf.mistakes == ()
    cell = shelf.find(segment, channel, variant, locale)
    return None if cell is None else [file.path.removeprefix("templates/winback/") for file in shelf.chain(cell)]


def test_a_segments_own_folder_wins_over_the_default():
    assert _paths("vips/push.yaml", "_default/push.yaml", segment="vips") == ["vips/push.yaml"]
    assert _paths("vips/push.yaml", "_default/push.yaml", segment="lapsed") == ["_default/push.yaml"]


def test_a_segment_without_the_channel_falls_back_to_the_default():
    assert _paths("vips/email.mjml", "_default/push.yaml", segment="vips") == ["_default/push.yaml"]


def test_a_variants_own_file_changes_the_plain_one():
    files = ("_default/push.yaml", "_default/push@discount.yaml")
    assert _paths(*files, variant="discount") == list(files)
    assert _paths(*files, variant="reminder") == ["_default/push.yaml"]


def test_a_locale_is_looked_up_from_the_region_to_none():
    files = ("_default/push.yaml", "_default/push.fr.yaml", "_default/push.fr-CA.yaml")
    assert _paths(*files, locale="fr-CA") == list(files)
    assert _paths(*files, locale="fr-BE") == ["_default/push.yaml", "_default/push.fr.yaml"]
    assert _paths(*files, locale="de") == ["_default/push.yaml"]


@pytest.mark.parametrize("spelt", ["fr-CA", "fr_ca", "FR-ca"])
def test_a_locale_is_found_however_it_is_spelt(spelt: str):
    assert _paths("_default/push.yaml", "_default/push.fr-CA.yaml", locale=spelt)[-1] == "_default/push.fr-CA.yaml"


def test_a_variant_without_a_translation_keeps_its_own_words():
    """The French of the plain message would spoil the experiment without anybody noticing."""
    files = ("_default/push.yaml", "_default/push.fr.yaml", "_default/push@discount.yaml")
    assert _paths(*files, variant="discount", locale="fr") == ["_default/push.yaml", "_default/push@discount.yaml"]


def test_a_translated_variant_stands_on_the_translated_plain_message():
    files = (
        "_default/push.yaml",
        "_default/push.fr.yaml",
        "_default/push@discount.yaml",
        "_default/push@discount.fr.yaml",
    )
    assert _paths(*files, variant="discount", locale="fr") == list(files)


def test_nobody_gets_another_language_for_want_of_a_plain_file():
    assert _paths("_default/push.fr.yaml", locale="de") is None
    assert _paths("_default/push.yaml", "_default/push@discount.fr.yaml", variant="discount", locale="de") is None


def test_languages_go_from_the_narrow_to_none():
    assert languages("zh-hant-hk") == ("zh-Hant-HK", "zh-Hant", "zh", "")
    assert languages("") == ("",)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("_default/pash.yaml", "no channel 'pash'"),
        ("_default/push.html", "push cannot be written in .html"),
        ("_default/push.discount1.yaml", "for a variant write push@discount1"),
        ("_default/a/push.yaml", "no message is looked up here"),
        ("push.yaml", "no message is looked up here"),
        ("_default/push", "is not the name of a template"),
    ],
)
def test_a_file_nobody_would_find_is_a_mistake(name: str, said: str):
    (mistake,) = shelve("winback", {f"templates/winback/{name}": b""}).mistakes
    assert said in str(mistake)


def test_two_bodies_for_one_message_are_a_mistake():
    shelf = shelve(
        "winback", {"templates/winback/_default/email.html": b"", "templates/winback/_default/email.mjml": b""}
    )
    assert [mistake.text for mistake in shelf.mistakes] == [
        "templates/winback/_default/email.html writes the same message"
    ]


def test_a_huge_file_is_a_mistake():
    (mistake,) = shelve("winback", {"templates/winback/_default/push.yaml": b" " * 262_145}).mistakes
    assert "262145 bytes" in str(mistake)
