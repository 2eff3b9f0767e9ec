"""The page of previews in a real browser: every message is there, switches work, a save is seen, and nothing gets out.

It needs Chromium on this machine (`apt install chromium`) and `playwright` of the extra `dev`.
"""

import base64
import shutil
import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import surroundings
from tests.doors.builders import rewrite, the_example_in

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is in the extra `dev`")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")
CALL = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
HOSTILE = """---
from: offers
subject: "Hello {{ userAttribute.firstName | default('you') }}"
---
<!doctype html>
<html><head><meta http-equiv="refresh" content="0;url=https://elsewhere.example/refreshed">
<link rel="stylesheet" href="https://elsewhere.example/style.css"></head>
<body onload="document.body.id='ran'"><p id="words">Plain words</p>
<script>document.getElementById('words').textContent = 'SCRIPT RAN'</script>
<img src="https://elsewhere.example/open.png" alt="A bag" onerror="document.body.id='ran'">
<a id="out" href="https://elsewhere.example/clicked" target="_top">Go</a>
<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>
"""


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def shop(tmp_path):
    """The example with all channels in one campaign, in two languages, and one e-mail that means harm."""
    root = the_example_in(tmp_path)
    rewrite(root / "config/orchestrator.yaml", "locales: [en]", "locales: [en, de]")
    rewrite(root / "config/orchestrator.yaml", "  push: [gateway]", "  push: [gateway]\n  sms: [gateway]")
    rewrite(root / "config/campaigns/winback.yaml", "{first_of: [push, email]}", "{all_of: [push, email, in_app, sms]}")
    own = root / "templates/winback/_default"
    (own / "sms.txt").write_text("Your code \u2013 BACK10\n")
    (own / "sms.de.txt").write_text("Dein Code - BACK10\n")
    (own / "in_app.yaml").write_text("kind: banner\ntitle: Welcome back\nimage: https://elsewhere.example/bag.png\n")
    (own / "in_app.de.yaml").write_text("title: Willkommen\n")
    (own / "push.de.yaml").write_text("title: Neu\nbody: Sieh dich um\n")
    (own / "push@discount.de.yaml").write_text("title: Nachlass\n")
    (own / "email.de.mjml").write_text("---\nsubject: Neu\npreheader: Drei Dinge\n---\n")
    (own / "email@discount.de.mjml").write_text("---\nsubject: Nachlass\n---\n")
    shutil.rmtree(root / "templates/winback/lapsed_vips")
    (root / "templates/winback/lapsed_vips").mkdir()
    (root / "templates/winback/lapsed_vips/email.html").write_text(HOSTILE)
    (root / "templates/winback/lapsed_vips/email.de.html").write_text("---\nsubject: Hallo\n---\n")
    return root


@pytest.fixture
def served(shop):
    """The page's address, served by the command as people call it."""
    words = [*CALL, "-C", str(shop), "preview", "winback", "--serve"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=surroundings()) as process:
        lines = iter(process.stdout.readline, "")
        yield next(line.split()[1] for line in lines if line.startswith(" page "))
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert (process.wait(), rest) == (0, "      follows every save; ctrl-c ends it\n")


@pytest.fixture
def page(chromium):
    """A tab that notes which requests leave the machine."""
    tab = chromium.new_page(viewport={"width": 1400, "height": 1000}, color_scheme="null")
    tab.sought = []

    def seek(request):
        if not request.url.startswith(("http://127.0.0.1", "file:", "data:", "about:", "blob:")):
            tab.sought.append(request)

    tab.on("request", seek)
    tab.context.route("https://elsewhere.example/**", lambda route: route.abort())
    yield tab
    tab.close()


def left(page):
    """The addresses that would have been asked outside; what the policy stops is not even begun."""
    return {request.url for request in page.sought if request.failure != "csp"}


def frame_of(page, tile, kind="desktop"):
    """The document of an e-mail, once it is there."""
    frame = tile.locator(f".{kind} iframe")
    frame.scroll_into_view_if_needed()
    inside = frame.element_handle().content_frame()
    inside.wait_for_selector("body p, body div")
    return inside


def is_dark(page, frame):
    """Whether a message is told that it is dark, after the page has been drawn some times: timers do not run in a sandbox."""
    asked = "matchMedia('(prefers-color-scheme: dark)').matches"
    return any(
        frame.evaluate(asked) or page.evaluate("new Promise(requestAnimationFrame).then(() => false)")
        for _ in range(60)
    )


COLOUR = """async shot => {
  const image = new Image();
  image.src = `data:image/png;base64,${shot}`;
  await image.decode();
  const sheet = new OffscreenCanvas(1, 1).getContext("2d");
  sheet.drawImage(image, -100, -image.height / 2);
  return [...sheet.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


def come(page, tile, *, dark):
    """The document of an e-mail, once it has been asked for in this scheme."""
    inside = frame_of(page, tile)
    inside.wait_for_selector(f"style[media='{'all' if dark else 'not all'}']", state="attached")
    return inside


def ground(page, tile):
    """The colour a message lies on, as the screen shows it."""
    shot = tile.locator(".desktop iframe").screenshot()
    return page.evaluate(COLOUR, base64.b64encode(shot).decode())


def vips(page):
    return page.locator(".tile.email[data-segment=lapsed_vips][data-locale=en]")


def test_every_message_stands_on_the_page(page, served):
    page.goto(served)
    shown = page.eval_on_selector_all(
        ".tile",
        "all => all.map(one => [one.dataset.channel, one.dataset.segment, one.dataset.variant, one.dataset.locale])",
    )
    both, others = "reminder discount", "one_time_buyers lapsed"
    everybody = f"lapsed_vips {others}"
    assert sorted(map(tuple, shown)) == sorted(
        [
            *(("push", everybody, variant, locale) for variant in both.split() for locale in ("en", "de")),
            *(("email", "lapsed_vips", both, locale) for locale in ("en", "de")),
            *(("email", others, variant, locale) for variant in both.split() for locale in ("en", "de")),
            *(("in_app", everybody, both, locale) for locale in ("en", "de")),
            *(("sms", everybody, both, locale) for locale in ("en", "de")),
        ]
    )
    assert page.locator(".tile.sms[data-locale=en] .parts").inner_text() == "1 part · UCS-2 · 18 of 70"
    assert page.locator(".tile.in_app[data-locale=en] figcaption").inner_text() == "in-app, banner"
    assert frame_of(page, vips(page)).inner_text("#words") == "Plain words"
    assert frame_of(page, vips(page), "phone").evaluate("innerWidth") == 375
    assert left(page) == set()


def test_the_page_fits_on_a_phone(page, served):
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(served)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_neither_scripts_nor_redirects_of_a_message_run_and_no_click_leads_out(page, served):
    page.goto(served)
    inside = frame_of(page, vips(page))
    inside.click("#out")
    assert inside.inner_text("#words") == "Plain words"
    assert inside.evaluate("document.body.id") == ""
    assert page.url == served
    assert len(page.context.pages) == 1
    assert left(page) == set()


def test_a_message_alone_in_a_tab_is_as_harmless(page, served):
    page.goto(served)
    page.goto(served + vips(page).locator("a", has_text="open alone").get_attribute("href"))
    assert page.inner_text("#words") == "Plain words"
    assert left(page) == set()


def test_pictures_are_fetched_once_somebody_asks_and_only_then(page, served):
    page.goto(served)
    frame_of(page, vips(page))
    assert left(page) == set()
    with (
        page.expect_request("https://elsewhere.example/open.png"),
        page.expect_request("https://elsewhere.example/bag.png"),
    ):
        page.keyboard.press("p")
    assert page.get_attribute("[data-switch=pictures]", "aria-pressed") == "true"
    page.keyboard.press("p")
    assert page.locator("[data-picture] img").count() == 0
    assert "pictures" not in vips(page).locator("iframe").first.get_attribute("src")


def test_dark_mode_is_what_messages_are_told_too(page, served):
    page.goto(served)
    assert not is_dark(page, frame_of(page, vips(page)))
    page.click("[data-switch=dark]")
    assert is_dark(page, come(page, vips(page), dark=True))
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()  # it is remembered
    assert is_dark(page, frame_of(page, vips(page)))


@pytest.mark.parametrize("told", ["null", "light", "dark"])
def test_a_message_without_dark_colours_is_recoloured_whatever_scheme_its_frame_is_told(page, served, told):
    page.emulate_media(color_scheme=told)
    page.goto(served)
    begins = told == "dark"
    for dark in (begins, not begins, begins):
        assert page.get_attribute("[data-switch=dark]", "aria-pressed") == str(dark).lower()
        come(page, vips(page), dark=dark)
        assert ground(page, vips(page)) == ([23, 23, 23] if dark else [255, 255, 255])
        page.keyboard.press("d")


def test_a_message_with_dark_colours_of_its_own_keeps_them(page, served, shop):
    file = shop / "templates/winback/lapsed_vips/email.html"
    own = "<style>@media (prefers-color-scheme: dark){body{background:#012345}}</style></head>"
    rewrite(file, "</head>", own)
    page.goto(served)
    vips(page).locator(".desktop iframe:not([data-recoloured])").wait_for()  # the edition after the save
    page.click("[data-switch=dark]")
    assert is_dark(page, frame_of(page, vips(page)))
    assert ground(page, vips(page)) == [0x01, 0x23, 0x45]


def test_widths_filters_and_the_keyboard_choose_what_is_shown(page, served):
    page.goto(served)
    page.focus("button[data-width=phone]")
    page.keyboard.press("Enter")
    assert vips(page).locator(".desktop").is_hidden()
    assert vips(page).locator(".phone").is_visible()
    page.select_option("[data-filter=locale]", "de")
    page.select_option("[data-filter=channel]", "push")
    assert page.locator(".tile:visible").count() == 2
    page.select_option("[data-filter=variant]", "discount")
    assert page.locator(".tile:visible h4").all_inner_texts() == ["discount"]


def test_a_save_is_seen_on_the_page_and_what_did_not_change_stays(page, served, shop):
    page.goto(served)
    page.select_option("[data-filter=locale]", "en")
    page.eval_on_selector_all(".tile", "all => all.forEach(one => one.before_the_save = true)")
    rewrite(shop / "templates/winback/_default/push@discount.yaml", "welcome back", "it is good to see you")
    page.wait_for_selector(".tile.push.changed >> text=it is good to see you")
    kept = page.eval_on_selector_all(
        ".tile", "all => all.filter(one => !one.before_the_save).map(one => one.dataset.variant)"
    )
    assert kept == ["discount"]
    assert page.locator(".tile.push:visible").count() == 2  # the filter holds


def test_a_broken_template_says_what_to_do_in_its_place_and_the_others_stay(page, served, shop):
    page.goto(served)
    rewrite(shop / "templates/winback/_default/push@discount.yaml", "| default('friend')", "| defalt('friend')")
    broken = page.locator(".tile.push[data-variant=discount][data-locale=en] .broken")
    broken.wait_for()
    assert "templates/winback/_default/push@discount.yaml:1:" in broken.inner_text()
    assert "Did you mean default?" in broken.inner_text()
    assert page.locator(".tile.push[data-variant=reminder] .note").count() == 4
    page.keyboard.press("t")
    assert all("discount" in name for name in page.locator(".tile.push:visible h4").all_inner_texts())
    rewrite(shop / "templates/winback/_default/push@discount.yaml", "defalt", "default")
    broken.wait_for(state="detached")


def test_a_broken_campaign_is_named_above_the_last_messages(page, served, shop):
    page.goto(served)
    rewrite(shop / "config/campaigns/winback.yaml", "goal:", "gaol:")
    page.wait_for_selector(".banner >> text=config/campaigns/winback.yaml:")
    assert page.locator(".tile").count() == 14
    rewrite(shop / "config/campaigns/winback.yaml", "gaol:", "goal:")
    page.wait_for_selector(".banner", state="hidden")


def test_one_file_holds_the_whole_page(page, shop, tmp_path):
    file = tmp_path / "winback.html"
    subprocess.run(
        [*CALL, "-C", str(shop), "preview", "winback", "--html", str(file)],
        check=True,
        capture_output=True,
        env=surroundings(),
    )
    page.goto(file.as_uri())
    assert page.locator(".tile").count() == 14
    inside = frame_of(page, vips(page))
    inside.click("#out")
    assert inside.inner_text("#words") == "Plain words"
    page.click("[data-switch=dark]")
    assert is_dark(page, come(page, vips(page), dark=True))
    assert ground(page, vips(page)) == [23, 23, 23]
    assert left(page) == set()
    with page.expect_request("https://elsewhere.example/open.png"):
        page.click("[data-switch=pictures]")
