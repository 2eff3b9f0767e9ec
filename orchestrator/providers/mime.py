"""The bytes of an e-mail: headers nobody can smuggle anything into, the text and the HTML, the same on every attempt.

It is the hot path of e-mail, so nothing here uses the standard library's EmailMessage (2.5 ms a message, and it folds
List-Unsubscribe into encoded words, which breaks one-click unsubscribing); the tests read every byte back with it.
"""

import re
from base64 import b64encode
from email.utils import format_datetime
from functools import lru_cache
from types import MappingProxyType

from orchestrator.core.nouns import EmailContent, Message
from orchestrator.core.times import SECOND, Instant, moment
from orchestrator.providers import CannotBuildError, MailRequest
from orchestrator.providers.addresses import ATOM, Mailbox, address, mailbox

LINE = 998
"""Octets a line may have without its CRLF (RFC 5322 2.1.1)."""

ALLOWED = MappingProxyType(
    {
        name.lower(): name
        for name in (
            *("List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "List-Help", "List-Archive", "List-Owner"),
            *("Feedback-ID", "Precedence", "Auto-Submitted", "In-Reply-To", "References", "Importance", "X-Priority"),
            *("X-Auto-Response-Suppress", "X-Entity-Ref-ID", "Resend-Idempotency-Key", "X-Mailgun-Tag"),
            *("X-SES-CONFIGURATION-SET", "X-SES-MESSAGE-TAGS", "X-PM-Message-Stream", "X-PM-Tag", "X-PM-Metadata"),
        )
    }
)
"""The headers a message may bring along. Those that name people (To, Cc, Bcc, X-SMTPAPI …) are never among them."""

_PLAIN_NAME = re.compile(rf"{ATOM}(?:{ATOM}| )*")
_ID = re.compile(r"[A-Za-z0-9._-]{1,60}")
# C0 and C1 controls, DEL, the two Unicode line breaks, and halves of surrogate pairs.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_BOUNDARY = re.compile(rb'\r\nContent-Type: multipart/[a-z]+; boundary="([^"\r\n]+)"')
_EIGHT_BIT = b"Content-Transfer-Encoding: 8bit\r\n"
_ENCODED = b"Content-Transfer-Encoding: base64\r\n"


def compose(message: Message, content: EmailContent, return_path: str = "") -> MailRequest:
    """The envelope and the bytes of this message for exactly one recipient; CannotBuildError names what is wrong.

    A pure function of the message: Date is its first judging moment, Message-ID and boundary hang on its id.
    `return_path` is the envelope sender, where bounces go; without one it is the sender's own address.
    """
    sender_lines, sender, domain = _sender_lines(content.sender, content.reply_to)
    named = own_name(message, domain)
    recipient = address(message.address.value)
    boundary = f"=_{message.id}"
    head = (
        f"{sender_lines}To: {recipient}\r\nSubject: {_text('subject', content.subject)}\r\n"
        f"Date: {_date(message.judged_at // SECOND)}\r\nMessage-ID: {named}\r\n"
        f"{_extra(content)}MIME-Version: 1.0\r\n"
    )
    return MailRequest(
        return_path or sender, recipient, head.encode("ascii") + _body(content, boundary.encode("ascii"))
    )


def own_name(message: Message, domain: str) -> str:
    """The Message-ID, in its angle brackets: the same on every attempt."""
    if _ID.fullmatch(message.id) is None:
        raise CannotBuildError(f"message id {message.id!r}: use 1 to 60 of the characters A-Z a-z 0-9 . _ -")
    return f"<{message.id}@{domain}>"


def message_id(data: bytes) -> str:
    """The Message-ID of a message composed here, without its angle brackets; empty if there is none."""
    start = data.find(b"\r\nMessage-ID: <")
    return data[start + 15 : data.find(b">", start)].decode("ascii") if start >= 0 else ""


def as_seven_bit(data: bytes) -> bytes:
    """The same message for a server without 8BITMIME: parts sent as 8bit become base64, everything else stays.

    RFC 6152 asks for this conversion; like `compose` it is pure, so every attempt at such a server sends the same bytes.
    """
    if data.isascii():
        return data
    head, gap, body = data.partition(b"\r\n\r\n")
    boundary = _BOUNDARY.search(head + gap)
    if boundary is None:
        return _recode(data)
    mark = b"\r\n--" + boundary[1]
    parts = (b"\r\n" + body).split(mark)
    recoded = mark.join(_recode(part) for part in parts)
    return head.replace(_EIGHT_BIT, b"") + b"\r\n" + recoded


def _recode(part: bytes) -> bytes:
    """One part, its 8bit body in base64."""
    head, gap, body = part.partition(b"\r\n\r\n")
    if _EIGHT_BIT not in head + b"\r\n":
        return part
    return (head + b"\r\n").replace(_EIGHT_BIT, _ENCODED) + b"\r\n" + _base64(body) if gap else part


# Headers


@lru_cache(maxsize=1024)
def _sender_lines(sender: str, reply_to: str) -> tuple[str, str, str]:
    """From and Reply-To as header lines, then the sender's address and its domain: the same for a whole campaign."""
    box = mailbox(sender)
    lines = f"From: {_shown('from', box)}\r\n"
    if reply_to:
        lines += f"Reply-To: {_shown('reply_to', mailbox(reply_to))}\r\n"
    return lines, box.address, box.address.rpartition("@")[2]


def _shown(where: str, box: Mailbox) -> str:
    """A mailbox as a header shows it: name plain, quoted or as encoded words, whichever is the simplest that is exact."""
    if not box.name:
        return box.address
    check_name(where, box)
    if not box.name.isascii() or "=?" in box.name:
        return f"{_words(box.name)} <{box.address}>"
    return quoted(box)


def quoted(box: Mailbox) -> str:
    """A mailbox whose name needs no encoded words: the name plain where that is exact, else in quotation marks."""
    if not box.name:
        return box.address
    if _PLAIN_NAME.fullmatch(box.name) and "  " not in box.name:
        return f"{box.name} <{box.address}>"
    escaped = box.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{box.address}>'


def check_name(where: str, box: Mailbox) -> None:
    """CannotBuildError for a display name that no header can show."""
    refuse_controls(where, box.name)
    if len(box.name) > 200:
        raise CannotBuildError(f"{where}: a display name of {len(box.name)} characters; 200 are enough")


def refuse_controls(where: str, value: str) -> None:
    """CannotBuildError for a character that could end a header, or that no header can carry."""
    found = _FORBIDDEN.search(value)
    if found:
        raise CannotBuildError(
            f"{where}: character U+{ord(found[0]):04X} at position {found.start()} may not stand in a header; remove it in the template"
        )


def _text(where: str, value: str) -> str:
    """A header's free text: as it is when that is exact, else as encoded words (RFC 2047)."""
    plain = value.isascii() and value.isprintable() and "=?" not in value and len(value) <= 900
    if plain and value[:1] != " " and value[-1:] != " ":
        return value
    refuse_controls(where, value)
    return _words(value)


def _words(text: str) -> str:
    """Encoded words in UTF-8 and base64, one a line, each short enough for `Subject: ` in front (RFC 2047 2: 76 a line)."""
    data = text.encode()
    words = []
    start = 0
    while start < len(data):
        end = min(start + 39, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # never cut within a character
            end -= 1
        words.append(f"=?utf-8?b?{b64encode(data[start:end]).decode('ascii')}?=")
        start = end
    return "\r\n ".join(words)


def own_headers(content: EmailContent) -> dict[str, str]:
    """The message's own headers: each a known name and one unfolded line of printable ASCII."""
    found: dict[str, str] = {}
    for name, value in content.headers.items():
        known = ALLOWED.get(name.lower())
        if known is None:
            raise CannotBuildError(
                f"header {name!r} is not one a message may set; allowed: {', '.join(ALLOWED.values())}"
            )
        if known in found:
            raise CannotBuildError(f"header {known} is set twice; keep one")
        found[known] = value.strip(" ")
        if not (value.isascii() and value.isprintable()) or not found[known]:
            raise CannotBuildError(f"header {known}: the value must be printable ASCII on one line, and not empty")
        size = len(known) + 2 + len(found[known])
        if size > LINE:
            raise CannotBuildError(f"header {known}: {size} characters; a line may have {LINE}")
    return found


def _extra(content: EmailContent) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in own_headers(content).items()])


@lru_cache(maxsize=256)
def _date(seconds: int) -> str:
    return format_datetime(moment(Instant(seconds * SECOND)))


# Bodies


def _body(content: EmailContent, boundary: bytes) -> bytes:
    """The rest of the headers and the content: both forms as alternatives, the last the preferred, or the one there is."""
    if not content.html:
        return b"".join(_part("text", content.text, boundary))
    if not content.text:
        return b"".join(_part("html", content.html, boundary))
    text_head, text = _part("text", content.text, boundary)
    html_head, html = _part("html", content.html, boundary)
    eight = _EIGHT_BIT if _EIGHT_BIT in text_head or _EIGHT_BIT in html_head else b""
    mark = b"--" + boundary
    head = b'Content-Type: multipart/alternative; boundary="%b"\r\n%b\r\n' % (boundary, eight)
    mark = b"--" + boundary
    return b"".join(
        (head, mark, b"\r\n", text_head, text, b"\r\n", mark, b"\r\n", html_head, html, b"\r\n", mark, b"--\r\n")
    )


_TYPES = {"text": b"Content-Type: text/plain; charset=utf-8\r\n", "html": b"Content-Type: text/html; charset=utf-8\r\n"}
_HEADS = {
    (kind, encoding): line + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    for kind, line in _TYPES.items()
    for encoding in (b"7bit", b"8bit", b"base64")
}


def _part(kind: str, text: str, boundary: bytes) -> tuple[bytes, bytes]:
    """One form of the content: its headers and its lines, as they are where mail can carry them, else in base64."""
    try:
        data = text.encode()
    except UnicodeEncodeError as problem:
        raise CannotBuildError(
            f"{kind}: half a surrogate pair at position {problem.start}; the data holds broken text, repair or filter it"
        ) from problem
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    fits = b"\r" not in data and b"\0" not in data and boundary not in data and _lines_fit(data)
    data = data.replace(b"\n", b"\r\n")
    if not fits:
        return _HEADS[kind, b"base64"], _base64(data)
    return _HEADS[kind, b"7bit" if text.isascii() else b"8bit"], data


def _lines_fit(data: bytes) -> bool:
    """Whether every line of this text, whose last one is ended, has at most 998 octets: some ten steps for 8 KB."""
    start = 0
    while len(data) - start > LINE:
        end = data.rfind(b"\n", start, start + LINE + 1)
        if end < 0:
            return False
        start = end + 1
    return True


def _base64(data: bytes) -> bytes:
    """Base64 in lines of 76, the last one ended too."""
    text = b64encode(data)
    return b"".join([text[at : at + 76] + b"\r\n" for at in range(0, len(text), 76)])
