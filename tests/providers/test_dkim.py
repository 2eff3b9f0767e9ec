"""DKIM signatures, verified by another hand's implementation: of every mail, by both kinds of keys, and not of altered ones."""

from base64 import b64encode
from dataclasses import replace

import dkim as verifier
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import OrchestratorError
from orchestrator.providers.dkim import signer
from orchestrator.providers.smtp import Smtp
from tests.providers.conformance import NOW
from tests.providers.mails import a_mail

RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()
KINDS = pytest.mark.parametrize("key", [RSA, ED], ids=["rsa", "ed25519"])

SMALL = """\
-----BEGIN PRIVATE KEY-----
MIIB5QIBADANBgkqhkiG9w0BAQEFAASCAc8wggHLAgEAAmEAynYaRM8PlJo1E/o9
Btaq/ydPFBbApzHCBEQusg+ngsBYksu+3TWm+jdnfF0CQerCeruynUzonD5FX8Ep
+P/36YOr5UOxCAhh85zmpK2k3Dz/yXerb6PA23xuvWU3EbUPAgMBAAECYBRmykbc
xqkm0OpucO/beee0Qle34zn13aMoa7wtr6eRUluYhGcuHOFh69+wT6XszfZAw5ki
IqW+ejJgcGcQAhoe2cHQOjzJwIH7hkytVKcV0LO7aeOewQCdqqNnuOwYQQIxAOq1
cR8uczkq1xA7evkAjJsHobEdsmSEhf8R2OaEARK6DhNGxym9VTW6dqwSDr7M1wIx
ANzTylW8oDAEs+X7HAZW05Pp00mf3jE88pqbyfmQZDKLewhd81ngqMO8QsOMq9Ha
iQIxAMpw63xYpTumzs8Kbrv9FEnXoEhTc/4tLCJgc3QIYaCUZ/WKc9h1nNx100wB
W0SJCwIxAK07qDriIngI+GeuOinu60PZ5tqXA2N1AIyxMh0JXNEaAoZpzYHwb/Q9
N9LYA+I4oQIwZveAVrRdM5DZiubSGf0cj7oU5Ps6/0DL0f3wn1oDaBXWY2l67Dxj
CziWloodN2mc
-----END PRIVATE KEY-----
"""
"""An RSA key of 768 bits, which only old tools make."""


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def record(key):
    """What stands in the DNS for a key."""
    if isinstance(key, rsa.RSAPrivateKey):
        kind, told = "rsa", key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, told = "ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind}; p={b64encode(told).decode()}".encode()


def verified(mail, key, asked=None):
    def dns(name, **_):
        if asked is not None:
            asked.append(name)
        return record(key)

    return verifier.verify(mail, dnsfunc=dns)


def with_key(key):
    return {"host": "localhost", "dkim_domain": "shop.example", "dkim_selector": "o1", "dkim_key": pem(key)}


def signed(key, **over):
    mail = a_mail()
    return Smtp().build([replace(mail, content=replace(mail.content, **over))], with_key(key), NOW).data


@KINDS
def test_a_signed_mail_is_verified_at_the_domain_and_selector_of_the_settings(key):
    asked = []
    assert verified(signed(key), key, asked)
    assert asked == [b"o1._domainkey.shop.example."]


@KINDS
def test_the_same_message_is_the_same_bytes_on_every_attempt(key):
    assert signed(key) == signed(key)


@KINDS
@pytest.mark.parametrize(
    "altered",
    [
        (b"<hello@news.shop.example>", b"<other@news.shop.example>"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: None"),
        (b"\r\nDate: ", b"\r\nDate: x"),
        (b"\r\nFrom: ", b"\r\nFrom: a@evil.example\r\nFrom: "),
        (b"</", b"<x/"),
    ],
)
def test_whoever_alters_it_breaks_it(key, altered):
    mail = signed(key, html="<p>Hello</p>", text="Hello")
    assert altered[0] in mail
    assert not verified(mail.replace(*altered, 1), key)


@KINDS
def test_blanks_and_folds_that_servers_change_break_nothing(key):
    mail = signed(key, subject="One  two", text="a  b \n\n\n", html="")
    head, gap, body = mail.partition(b"\r\n\r\n")
    moved = (
        head.replace(b"Subject: One  two", b"subject:   One\r\n\ttwo")
        + gap
        + body.replace(b"a  b ", b"a b")
        + b"\r\n\r\n"
    )
    assert moved != mail
    assert verified(moved, key)


def test_every_line_is_one_that_servers_carry_and_all_is_seven_bit():
    for key in (RSA, ED):
        mail = signed(key, html="<p>" + "Größe ☃ " * 500 + "</p>")
        assert mail.isascii()
        assert max(map(len, mail.split(b"\r\n"))) <= 998


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=300).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
    st.text(alphabet="ab \t\r\n.", max_size=300),
    st.sampled_from(["Hello", "Größe  42", "x" * 800, " blank "]),
)
def test_whatever_stands_in_it(html, text, subject):
    mail = signed(ED, html=f"<p>{html}</p>", text=text + "x", subject=subject)
    assert verified(mail, ED)


def test_a_mail_that_nobody_signs_is_as_it_was():
    plain = Smtp().build([a_mail()], {"host": "localhost"}, NOW).data
    assert b"DKIM-Signature" not in plain


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"dkim_key": ""}, "smtp: dkim_key: missing"),
        ({"dkim_domain": ""}, "smtp: dkim_domain: missing"),
        ({"dkim_selector": ""}, "smtp: dkim_selector: missing"),
        ({"dkim_selector": "a;b"}, "smtp: dkim_selector: 'a;b' is no name"),
        ({"dkim_domain": "Shop.example"}, "smtp: dkim_domain: 'Shop.example' is no name"),
        ({"dkim_key": "nothing"}, "smtp: dkim_key: no private key in PEM"),
        ({"dkim_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "smtp: dkim_key: a key of another kind"),
    ],
)
def test_settings_that_cannot_be_are_said_before_anything_is_sent(over, said):
    with pytest.raises(OrchestratorError, match=said):
        Smtp().declare({**with_key(ED), **over})


def test_a_key_of_too_few_bits_is_refused():
    with pytest.raises(OrchestratorError, match="dkim_key: 768 bits are too few"):
        signer("shop.example", "o1", SMALL)
