"""What is said of a message beside its look: the inbox's line, its weight, and everything that is amiss with it."""

import pytest

from orchestrator.core.cuts import CLIPPED, cut
from orchestrator.core.nouns import EmailContent, InAppContent, PushContent, TextContent, WebhookContent
from orchestrator.rendering import inspect
from orchestrator.rendering.contrast import faint, ratio


def an_email(body="<p>Hello there</p>", subject="Hello", text="Hello there"):
    return EmailContent("Shop <hello@shop.example>", subject, f"<html><body>{body}</body></html>", text)


def said(content, locale="en"):
    return [(found.text, found.wrong) for found in inspect(content, locale).findings]


def test_a_sound_message_has_nothing_said_of_it():
    assert said(an_email('<p>Hi</p><img src="https://a.example/x.png" alt=""><a href="https://a.example">go</a>')) == []


@pytest.mark.parametrize(
    ("content", "locale", "text", "wrong"),
    [
        (an_email(subject=" "), "en", "has no subject", True),
        (an_email(subject="s" * 36), "en", "subject of 36 characters; phones show about 35", False),
        (an_email(text=" \n"), "en", "has no plain text; spam filters and watches read that part", True),
        (an_email(body=""), "en", "has no words for the inbox to show: a preheader, or text in the body", False),
        (an_email("<img src='https://a.example/x.png'>Hi"), "en", "1 picture without alt: https://a.example/x.png", True),
        (an_email("<img src='http://a.example/x' alt=''>Hi"), "en", "1 picture not at https://, which mail programs may leave out: http://a.example/x", False),
        (an_email("<a href='#'>Go</a><a href=''>There</a>"), "en", "2 links to nowhere: Go, There", True),
        (an_email("<a href='http://a.example'>Go</a>"), "en", "1 link without encryption (http://): http://a.example", False),
        (an_email("<link href='https://a.example/f.css' rel=stylesheet>Hi"), "en", "loads fonts or style sheets from a.example, which learns who reads it and when", False),
        (an_email("<style>@import url(//a.example/f);</style>Hi"), "en", "loads fonts or style sheets from a.example, which learns who reads it and when", False),
        (an_email("<style>@font-face{font-family:x;src:url('https://a.example/x.woff2')}</style>Hi"), "en", "loads fonts or style sheets from a.example, which learns who reads it and when", False),
        (an_email("<p>שלום</p>"), "he-IL", 'is read from the right, and nothing in it says dir="rtl"', True),
        (PushContent("t" * 51, "b"), "en", "title of 51 characters; iOS shows about 50 before it is opened", False),
        (PushContent("t", "b" * 46), "en", "text of 46 characters; Android shows about 45 before it is opened", False),
        (PushContent("t", "b", image="http://a.example/x"), "en", "the picture is not at https://, and phones leave it out", True),
        (InAppContent({"buttons": [{"label": "Later"}]}), "en", "button “Later” does nothing: no link, no dismiss", True),
        (TextContent("a" * 161), "en", "is paid as 2 messages", False),
        (TextContent("It\u2019s"), "en", "\u2019 is not in the alphabet of text messages: a part holds 70 characters instead of 160", False),
    ],
)  # fmt: skip
def test_what_is_amiss_is_said(content, locale, text, wrong):
    assert (text, wrong) in said(content, locale)


def test_a_page_that_is_written_from_the_right_is_well():
    assert said(an_email("<p dir='rtl'>שלום</p>"), "he") == []


def test_gmail_clips_beyond_102_kilobytes_and_not_before():
    frame = len(an_email("").html)
    assert inspect(an_email("x" * (CLIPPED - frame)), "en").weight == CLIPPED
    assert not any(wrong for _, wrong in said(an_email("x" * (CLIPPED - frame))))
    assert any("Gmail clips" in text and wrong for text, wrong in said(an_email("x" * (CLIPPED - frame + 1))))


def test_the_inbox_shows_the_hidden_preheader_first_and_no_padding():
    body = "<div style='display:none'>Three things for you.&#847;&zwnj;&nbsp;&#847;&zwnj;</div><h1>Welcome</h1>"
    assert inspect(an_email(body), "en").snippet == "Three things for you. Welcome"


def test_links_and_pictures_are_listed_with_their_words():
    seen = inspect(an_email('<a href="https://a.example"><img src="https://a.example/x.png" alt="A bag"></a>'), "en")
    assert [(link.url, link.label) for link in seen.links] == [("https://a.example", "A bag")]
    assert [(one.url, one.alt) for one in seen.pictures] == [("https://a.example/x.png", "A bag")]


def test_a_message_with_dark_colours_of_its_own_is_known():
    assert not inspect(an_email(), "en").dark
    assert inspect(an_email("<style>@media (prefers-color-scheme:dark){p{color:#fff}}</style>"), "en").dark


def test_a_webhook_has_no_look():
    assert inspect(WebhookContent("t", {}), "en").findings == ()


def test_contrast_is_as_wcag_counts_it():
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<p style="color:#ccc">pale</p>', ["pale"]),
        ('<p style="color:#ccc;font-size:32px">pale</p>', ["pale"]),
        ('<p style="color:#888;font-size:32px">large</p>', []),
        ('<td bgcolor="#000000"><p style="color:#ccc">on black</p></td>', []),
        ('<div style="background:#222222"><p>black on black</p></div>', ["black on black"]),
        ('<div style="background:url(x.png)"><p style="color:#ccc">on a picture</p></div>', []),
        ('<div style="display:none;color:#fff">unseen</div>', []),
        ('<p style="color:rgb(1 2 3)">unknown</p>', []),
        ('<p style="color:#fff">a<br></p><p>fine</p>', ["a"]),
    ],
)
def test_words_that_are_too_faint_are_found(html, found):
    assert [one.text for one in faint(html)] == found


def test_a_screen_cuts_at_its_room():
    assert cut("Ada, your Wool coat is here and waits", 35) == "Ada, your Wool coat is here and wa…"
    assert cut("  two\n lines ", 35) == "two lines"
