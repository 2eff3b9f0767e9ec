"""Template files that are missing, that nobody will ever read, or that name a sender nobody knows."""

import pytest

from orchestrator.config import load
from tests.config.builders import SETTINGS, WELCOME, WINBACK, said, with_edit, with_file, without_file

HERE = "templates/winback"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (f"{HERE}/_default/emial.mjml", "is not named like a template\n    Allowed: email"),
        (f"{HERE}/_default/email.mjml.bak", "a template for email ends in .mjml or .html"),
        (f"{HERE}/_default/email@a@b.mjml", "is not named like a template\n    Write it like"),
        (f"{HERE}/_default/email.yaml", "a template for email ends in .mjml or .html"),
        (f"{HERE}/_default/push.html", "a template for push ends in .yaml"),
        (f"{HERE}/_default/sms.txt", "is never read: winback sends no sms"),
        (
            f"{HERE}/_default/push@discont.yaml",
            "no variant 'discont'\n    Allowed: discount, reminder. Did you mean 'discount'?",
        ),
        (f"{HERE}/_default/email.fr.mjml", "is never read: 'fr' is not in `locales`"),
        (f"{HERE}/_default/email.html", None),
        (
            f"{HERE}/lapsed_vip/push.yaml",
            "'lapsed_vip' is not in the audience of winback\n    Allowed: _default, lapsed",
        ),
        (f"{HERE}/staff/push.yaml", "'staff' is not in the audience of winback"),
        (
            "templates/winbak/_default/push.yaml",
            "no campaign 'winbak'\n    Allowed: new_in, welcome_back, winback. Did you mean 'winback'?",
        ),
        ("templates/push.yaml", "no campaign reads this file"),
        (f"{HERE}/push.yaml", "no campaign reads this file"),
        (f"{HERE}/_default/deeper/push.yaml", "no campaign reads this file"),
    ],
)
def test_a_file_that_is_never_read_is_named(file, words):
    found = said(with_file(file, "title: x"))
    if words is None:
        assert "email.mjml  stands for the same message as templates/winback/_default/email.html" in found
    else:
        assert found.startswith(f"{file}  ")
        assert words in found


def test_layouts_and_snippets_are_shared_freely():
    assert load(with_file("templates/_base/snippets/footer.html", "x")).mistakes == ()


def test_a_segment_without_its_own_files_takes_those_for_everybody():
    assert said(without_file(f"{HERE}/lapsed_vips/email@discount.mjml")) == ""
    files = without_file(f"{HERE}/lapsed_vips/email@discount.mjml")
    del files[f"{HERE}/lapsed_vips/email.mjml"]
    assert load(files).mistakes == ()


def test_a_channel_without_any_file_is_missing_for_each_segment():
    files = without_file(f"{HERE}/_default/push.yaml")
    del files[f"{HERE}/_default/push@discount.yaml"]
    for segment in ("lapsed_vips", "one_time_buyers", "lapsed"):
        assert f"{HERE}/{segment}/push.yaml  is missing" in said(files)


def test_without_a_plain_file_every_variant_needs_its_own():
    files = without_file(f"{HERE}/_default/push.yaml")
    assert f"{HERE}/_default/push@reminder.yaml  is missing" in said(files)
    assert load({**files, f"{HERE}/_default/push@reminder.yaml": b"title: x"}).mistakes == ()


def test_every_file_that_lacks_a_locale_is_named():
    found = said(with_edit(SETTINGS, "locales: [en]", "locales: [en, fr, pt-BR]"))
    assert (
        f"{HERE}/_default/email@discount.fr.mjml  is missing\n    Write it (only what differs), or drop fr from `locales`."
        in found
    )
    assert "templates/welcome_back/_default/in_app.pt-BR.yaml  is missing" in found
    assert found.count("is missing") == 9 * 2


def test_a_language_serves_its_regions():
    files = with_edit(SETTINGS, "locales: [en]", "locales: [en, pt-BR, pt]")
    assert "in_app.pt.yaml  is missing" in said(files)
    files["templates/welcome_back/_default/in_app.pt.yaml"] = b"title: Oi"
    assert "in_app.pt" not in said(files)


def test_a_locale_alone_leaves_everybody_else_without_a_message():
    files = with_edit(SETTINGS, "locales: [en]", "locales: [en, de]")
    files["templates/welcome_back/_default/in_app.de.yaml"] = files.pop("templates/welcome_back/_default/in_app.yaml")
    assert "templates/welcome_back/_default/in_app.yaml  is missing\n    People of every other locale" in said(files)


def test_a_sender_nobody_knows_is_pointed_at_in_the_head():
    found = said(with_edit(f"{HERE}/lapsed_vips/email.mjml", "from: offers", "from: ofers"))
    assert (
        found
        == f"{HERE}/lapsed_vips/email.mjml:2:7  from: no sender 'ofers'\n    Allowed: offers. Did you mean 'offers'?"
    )


def test_an_ended_campaign_needs_no_templates():
    files = with_edit(WELCOME, "state: live", "state: ended")
    del files["templates/welcome_back/_default/in_app.yaml"]
    assert load(files).mistakes == ()


def test_a_draft_is_told_what_it_still_lacks():
    files = with_edit(WELCOME, "state: live", "state: draft")
    del files["templates/welcome_back/_default/in_app.yaml"]
    assert "templates/welcome_back/lapsed/in_app.yaml  is missing" in said(files)


def test_a_triggered_campaign_for_everybody_reads_the_default_folder():
    files = with_edit(WELCOME, "audience: [lapsed]\n", "")
    assert load(files).mistakes == ()


@pytest.mark.parametrize("name", ["fr", "it", "de-AT", "no"])
def test_a_variant_must_not_be_called_like_a_locale(name):
    assert "is called like a locale" in said(with_edit(WINBACK, "discount: 50%", f'"{name}": 50%'))
