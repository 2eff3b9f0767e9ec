"""Every message is read back by the standard library, which knows nothing of how it was written."""

import email
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message
from orchestrator.core.times import Instant
from orchestrator.providers import CannotBuildError, MailRequest
from orchestrator.providers.addresses import Mailbox, address, mailbox
from orchestrator.providers.mime import ALLOWED, as_seven_bit, compose, message_id

ID = "0123456789abcdef0123456789abcdef"
AT = Instant(1_772_442_000_000_000)  # 2026-03-02T09:00:00Z
STANDARD = ["From", "To", "Subject", "Date", "Message-ID"]
FORM = ["MIME-Version", "Content-Type"]


def a_message(to: str = "anna@x.example", mail_id: str = ID, at: Instant = AT, **content) -> Message:
    filled = {
        "sender": "Shop <hello@news.shop.example>",
        "subject": "Hello",
        "html": "<p>Hello</p>\n",
        "text": "Hello\n",
    }
    return Message(
        DeliveryKey(1, "u1", Channel.EMAIL), mail_id, Address(to), EmailContent(**{**filled, **content}), judged_at=at
    )


def written(message: Message) -> MailRequest:
    assert isinstance(message.content, EmailContent)
    return compose(message, message.content)


def read(request: MailRequest) -> EmailMessage:
    """The message as an independent reader sees it, after the laws that hold for every message."""
    assert b"\r" not in request.data.replace(b"\r\n", b"")
    assert b"\n" not in request.data.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in request.data.split(b"\r\n"))
    head = request.data.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    message = email.message_from_bytes(request.data, policy=default)
    assert message.defects == []
    for part in message.walk():
        assert part.defects == []
        for name in part:
            # Asking is parsing: a defect of one header shows on it.
            assert part[name].defects == (), (name, part[name])
    return message


def recipients(message: EmailMessage) -> list[str]:
    return [a.addr_spec for name in ("to", "cc", "bcc") for h in message.get_all(name, []) for a in h.addresses]


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def test_a_message_reads_back_as_it_was_meant():
    unsubscribe = {
        "List-Unsubscribe": "<https://go.shop.example/u/abc>",
        "list-unsubscribe-post": "List-Unsubscribe=One-Click",
    }
    request = written(a_message(html="<p>Grüße</p>\n", reply_to="Help <help@shop.example>", headers=unsubscribe))
    message = read(request)
    assert (request.sender, request.recipient) == ("hello@news.shop.example", "anna@x.example")
    assert message.keys() == [
        "From",
        "Reply-To",
        *STANDARD[1:],
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        *FORM,
        "Content-Transfer-Encoding",
    ]
    assert str(message["from"]) == "Shop <hello@news.shop.example>"
    assert str(message["reply-to"]) == "Help <help@shop.example>"
    assert message["message-id"] == f"<{ID}@news.shop.example>"
    assert message_id(request.data) == f"{ID}@news.shop.example"
    assert message["date"].datetime.isoformat() == "2026-03-02T09:00:00+00:00"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert (body(message, "plain"), body(message, "html")) == ("Hello\n", "<p>Grüße</p>\n")


def test_the_same_message_is_the_same_bytes_and_another_one_is_not():
    assert written(a_message()) == written(a_message())
    assert written(a_message()).data != written(a_message(mail_id="f" * 32)).data
    assert written(a_message()).data != written(a_message(at=Instant(AT + 1_000_000))).data


def test_bounces_go_to_the_return_path_if_there_is_one():
    message = a_message()
    request = compose(message, message.content, "bounces@shop.example")
    assert request.sender == "bounces@shop.example"
    assert request.data == written(message).data


@pytest.mark.parametrize(("kind", "empty"), [("plain", "html"), ("html", "text")])
def test_one_form_alone_is_no_multipart(kind, empty):
    message = read(written(a_message(**{empty: ""})))
    assert message.get_content_type() == f"text/{kind}"
    assert "Hello" in body(message, kind)


# Headers

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=120)
PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120)
NASTY = st.sampled_from(
    [
        *(chr(n) for n in range(0x20)),
        *(chr(n) for n in range(0x7F, 0xA0)),
        "\u2028",
        "\u2029",
        "\ud800",
        "\udfff",
        "\r\nBcc: evil@x.example",
    ]
)


def has_a_control(text: str) -> bool:
    return any(c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" or "\ud800" <= c <= "\udfff" for c in text)


@given(PRINTABLE)
@settings(max_examples=500)
@example("Bob, x <a@b.example>")
@example('"quoted" (and) [bracketed]')
@example("=?utf-8?q?not_really?=")
@example(" spaces  around ")
@example("   ")
@example("\u00a0non-breaking\u00a0")
@example("é" * 120)
@example("😀" * 60)
@example("x" * 2000)
@example("ﷺ" * 40 + " and plain")
def test_a_subject_reads_back_exactly(subject):
    message = read(written(a_message(subject=subject)))
    assert str(message["subject"]) == subject
    assert message.keys() == [*STANDARD, *FORM]
    assert recipients(message) == ["anna@x.example"]


@given(ANY_TEXT, NASTY, ANY_TEXT, st.sampled_from(["subject", "sender", "reply_to", "header"]))
@settings(max_examples=1000)
def test_no_control_character_ever_reaches_a_header(before, nasty, after, where):
    value = before + nasty + after
    given_as = {
        "subject": {"subject": value},
        "sender": {"sender": f"{value} <hello@news.shop.example>"},
        "reply_to": {"reply_to": f"x{value}x <help@shop.example>"},
        "header": {"headers": {"Feedback-ID": f"x{value}x"}},
    }[where]
    with pytest.raises(CannotBuildError):
        written(a_message(**given_as))


@given(ANY_TEXT)
@settings(max_examples=1000)
def test_any_text_is_a_faithful_subject_or_a_clear_error(subject):
    try:
        message = read(written(a_message(subject=subject)))
    except CannotBuildError:
        assert has_a_control(subject)
        return
    assert str(message["subject"]) == subject
    assert message.keys() == [*STANDARD, *FORM]


def raw_name(message: EmailMessage) -> str:
    """The display name as it stands in the header, unread."""
    (value,) = (value for name, value in message.raw_items() if name == "From")
    return str(value).rpartition(" <")[0]


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="<>"), min_size=1, max_size=80
    )
)
@settings(max_examples=500)
@example("Shop, Inc.")
@example("O'Hara & Söhne (Wien)")
@example('The "best" shop')
@example("back\\slash")
@example("=?utf-8?q?x?=")
@example("a@b.example, c")
@example("two  spaces")
@example("x" * 80)
def test_a_display_name_reads_back_and_is_one_mailbox(name):
    message = read(written(a_message(sender=f"{name} <hello@news.shop.example>")))
    (box,) = message["from"].addresses
    assert box.addr_spec == "hello@news.shop.example"
    meant = mailbox(f"{name} <hello@news.shop.example>").name
    # The parser of Python 3.11 shows a blank between two encoded words, which RFC 2047 6.2 forbids; decode_header does not.
    shown = (
        str(make_header(decode_header(raw_name(message)))) if raw_name(message).count("=?") > 1 else box.display_name
    )
    assert shown == meant
    assert recipients(message) == ["anna@x.example"]
    assert message.keys() == [*STANDARD, *FORM]


def test_a_display_name_longer_than_any_screen_is_refused():
    read(written(a_message(sender=f"{'x' * 200} <hello@news.shop.example>")))
    with pytest.raises(CannotBuildError, match="from"):
        written(a_message(sender=f"{'x' * 201} <hello@news.shop.example>"))


def test_a_quoted_display_name_loses_its_quotes_only():
    assert mailbox('"Shop, Inc." <a@b.example>') == Mailbox("Shop, Inc.", "a@b.example")
    assert mailbox('"say \\"hi\\"" <a@b.example>') == Mailbox('say "hi"', "a@b.example")
    assert mailbox(" a@b.example ") == Mailbox("", "a@b.example")


@given(st.integers(20, 900), st.text(st.sampled_from("abcXYZ019-_~%&=/.+"), min_size=900, max_size=900))
@settings(max_examples=300)
def test_list_unsubscribe_is_one_clean_line_whatever_its_length(length, tail):
    """Without `=?`, which no link of ours has: a reader may take what follows for an encoded word."""
    url = ("https://go.shop.example/u/" + tail)[:length]
    headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    request = written(a_message(headers=headers))
    message = read(request)
    lines = request.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert lines.count(f"List-Unsubscribe: <{url}>") == 1
    assert lines.count("List-Unsubscribe-Post: List-Unsubscribe=One-Click") == 1
    assert message.keys() == [*STANDARD, *headers, *FORM]
    assert str(message["list-unsubscribe"]) == f"<{url}>"


def test_a_header_line_over_998_characters_is_refused():
    exactly = "x" * (998 - len("List-Unsubscribe: "))
    read(written(a_message(headers={"List-Unsubscribe": exactly})))
    with pytest.raises(CannotBuildError, match="List-Unsubscribe"):
        written(a_message(headers={"List-Unsubscribe": exactly + "x"}))


@pytest.mark.parametrize(
    "name",
    [
        "Bcc",
        "To",
        "cc",
        "From",
        "Subject",
        "X-SMTPAPI",
        "Content-Type",
        "DKIM-Signature",
        "Received",
        "X-Foo: a\r\nBcc",
        "Resent-To",
        "",
    ],
)
def test_only_known_headers_come_along(name):
    with pytest.raises(CannotBuildError, match="allowed"):
        written(a_message(headers={name: "x"}))


def test_every_known_header_comes_along_and_none_names_people():
    message = read(written(a_message(headers=dict.fromkeys(ALLOWED, "value"))))
    assert message.keys() == [*STANDARD, *ALLOWED.values(), *FORM]
    assert recipients(message) == ["anna@x.example"]


@pytest.mark.parametrize(
    "headers", [{"List-ID": "a", "list-id": "b"}, {"Feedback-ID": "grün"}, {"Feedback-ID": ""}, {"Feedback-ID": " "}]
)
def test_a_header_that_is_double_empty_or_not_ascii_is_refused(headers):
    with pytest.raises(CannotBuildError, match="header"):
        written(a_message(headers=headers))


# Addresses


@pytest.mark.parametrize(
    ("given_address", "as_written"),
    [
        ("anna@x.example", "anna@x.example"),
        ("Anna.O'Hara+tag@X.example", "Anna.O'Hara+tag@X.example"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),  # IDNA 2003 would write to strasse.example
        ("a..b@docomo.example", '"a..b"@docomo.example'),
        ("ab.@docomo.example", '"ab."@docomo.example'),
        ("root@localhost", "root@localhost"),
    ],
)
def test_an_address_is_written_as_mail_servers_read_it(given_address, as_written):
    request = written(a_message(to=given_address))
    assert request.recipient == address(given_address) == as_written
    assert recipients(read(request)) == [as_written.replace('"', "")]  # the parser shows it without its quotes


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "anna",
            "anna@",
            "@x.example",
            "a@b@x.example",
            "anna@x.example, bob@x.example",
            "Bob, x <a@b.example>",
            "<a@b.example>",
        ),
        *(
            "a b@x.example",
            "anna@x .example",
            "anna@x.example\r\nBcc: b@x.example",
            "anna@x.example\n",
            "a\0@x.example",
            "anna@-x.example",
        ),
        *(
            "anna@x..example",
            "anna@x.example.",
            '"a b"@x.example',
            "a(b)@x.example",
            "a;b@x.example",
            "anna@[127.0.0.1]",
            "anna@x_y.example",
        ),
        *(
            "a" * 65 + "@x.example",
            "a@" + "b" * 64 + ".example",
            "a@" + "b.c" * 90 + ".example",
            "ann\udcffa@x.example",
            "a\u2028@x.example",
        ),
    ],
)
def test_what_is_not_exactly_one_address_is_refused(wrong):
    with pytest.raises(CannotBuildError, match="e-mail") as refused:
        written(a_message(to=wrong))
    assert len(wrong) < 6 or wrong not in str(refused.value), "an address must not outlive its person in the ledger"


def test_a_local_part_outside_ascii_says_why_it_is_refused():
    with pytest.raises(CannotBuildError, match="SMTPUTF8"):
        address("ännä@x.example")


@given(
    ANY_TEXT.filter(bool), st.sampled_from(["{}", "{}@x.example", "anna@{}", "anna{}@x.example", "anna@x.example{}"])
)
@settings(max_examples=1000)
def test_an_address_is_one_recipient_or_an_error(text, frame):
    try:
        request = written(a_message(to=frame.replace("{}", text)))
    except CannotBuildError:
        return
    message = read(request)
    assert recipients(message) == [request.recipient.replace('"', "")]
    assert message.keys() == [*STANDARD, *FORM]


# Bodies

BODY = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def canonical(text: str) -> str:
    """What every mail reader shows: line ends are line ends, and the last line has one."""
    lines = text.replace("\r\n", "\n")
    return lines if lines.endswith("\n") else f"{lines}\n"


def exact(message: EmailMessage, kind: str) -> str:
    """The body without the reader's own ideas of line ends (a lone CR is one to Python)."""
    part = message.get_body((kind,))
    assert part is not None
    return part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n")


@given(BODY.filter(bool), BODY.filter(bool))
@settings(max_examples=500)
@example("a\rb", "nul\0nul")
@example("x" * 999, "ü" * 500)
@example("x" * 998, "x" * 997 + "\n" + "x" * 998)
@example(f"--=_{ID}--\nBcc: x", f"text\n--=_{ID}\nContent-Type: text/html\n\n<p>")
@example(".\n..\n.x", "From me\n\n\n")
@example("\u2028\u2029\x0b\x0c\x85", "\n")
@example("\r\n\r\n", "\r\r\n")
def test_bodies_read_back_in_both_forms_at_8_and_at_7_bits(text, html):
    request = written(a_message(text=text, html=html))
    for data in (request.data, as_seven_bit(request.data)):
        message = read(replace(request, data=data))
        assert message.keys()[: len(STANDARD)] == STANDARD
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert (exact(message, "plain"), exact(message, "html")) == (canonical(text), canonical(html))
    assert data.isascii()


@given(BODY.filter(bool))
def test_one_form_alone_becomes_7_bits_too(text):
    request = written(a_message(text=text, html=""))
    message = read(replace(request, data=as_seven_bit(request.data)))
    assert exact(message, "plain") == canonical(text)


@pytest.mark.parametrize(
    ("html", "encoding"),
    [
        ("<p>plain</p>", "7bit"),
        ("<p>schön</p>", "8bit"),
        ("x" * 998, "7bit"),
        ("x" * 999, "base64"),
        ("a\rb", "base64"),
        ("a\0b", "base64"),
        (f"--=_{ID}", "base64"),
    ],
)
def test_a_body_goes_as_it_is_where_mail_can_carry_it(html, encoding):
    part = read(written(a_message(html=html))).get_body(("html",))
    assert part is not None
    assert part["content-transfer-encoding"] == encoding


@pytest.mark.parametrize("form", ["text", "html"])
def test_half_a_surrogate_pair_in_a_body_is_a_clear_error(form):
    with pytest.raises(CannotBuildError, match="surrogate"):
        written(a_message(**{form: "broken \ud83d text"}))


@pytest.mark.parametrize("wrong", ["", "a b", "x" * 61, "a\r\nb", 'a"b', "ä"])
def test_an_id_that_could_break_out_of_a_header_is_refused(wrong):
    with pytest.raises(CannotBuildError, match="id"):
        written(a_message(mail_id=wrong))
