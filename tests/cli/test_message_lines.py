"""What a message says, line by line, and which of its lines differ between two versions."""

from orchestrator.cli.message_lines import compared, lines
from orchestrator.core.nouns import EmailContent, InAppContent, PushContent, TextContent, WebhookContent

PUSH = PushContent("Hello Ada", "Two\nlines", "shop://new", "", "news", 43_200, {"sku": "u-1", "price": "12"})
MODAL = InAppContent(
    {
        "kind": "modal",
        "title": "Hi",
        "buttons": [{"label": "Open", "link": "shop://cart"}, {"label": "Later", "dismiss": True}],
    }
)


def test_a_push_is_its_parts_by_name_and_every_piece_of_data():
    assert lines(PUSH) == [
        "Title: Hello Ada", "Body: Two", "  lines", "Link: shop://new", "Replaces: news", "Kept for: 12 hours",
        "Data sku: u-1", "Data price: 12",
    ]  # fmt: skip


def test_an_in_app_message_has_a_line_for_each_of_its_buttons():
    assert lines(MODAL) == [
        "Kind: modal", "Title: Hi", "Buttons 1: label: Open · link: shop://cart", "Buttons 2: label: Later · dismiss: yes",
    ]  # fmt: skip


def test_a_short_message_is_compared_whole_and_only_what_differs_is_marked():
    other = PushContent("Hello Ada", "Two\nlines", "shop://sale", "", "news", 43_200, {"sku": "u-1", "size": "M"})
    assert compared(PUSH, other) == [
        " Title: Hello Ada", " Body: Two", "   lines", "-Link: shop://new", "+Link: shop://sale", " Replaces: news",
        " Kept for: 12 hours", " Data sku: u-1", "-Data price: 12", "+Data size: M",
    ]  # fmt: skip
    assert compared(TextContent("a\nb"), TextContent("a\nc")) == [" a", "-b", "+c"]
    assert compared(None, WebhookContent("won", {"n": 1, "tags": ["a", "b"]})) == [
        "+Type: won",
        "+Data n: 1",
        "+Data tags: a, b",
    ]


def test_of_a_mail_only_what_is_around_a_change_is_told_and_its_html_where_the_words_are_the_same():
    text = "\n".join(str(number) for number in range(40))
    before = EmailContent("a@b.test", "s", "<p><b>x</b></p>", text)
    marked = compared(before, EmailContent("a@b.test", "s", "<p><b>x</b></p>", text.replace("20", "twenty")))
    assert {"-20", "+twenty"} < set(marked)
    assert len(marked) < 12
    redrawn = compared(before, EmailContent("a@b.test", "s", "<p><i>x</i></p>", text))
    assert {"-<b>x</b>", "+<i>x</i>"} < set(redrawn)
