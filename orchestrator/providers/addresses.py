"""Addresses as services read them: exactly one person's e-mail address or phone number, or a clear error."""

import re
from functools import lru_cache
from typing import NamedTuple

import idna

from orchestrator.core.phones import dialled
from orchestrator.providers import CannotBuildError

ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
"""What the part before the @ and an unquoted name are made of (RFC 5322 3.2.3: atext)."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ADDRESS = re.compile(rf"{ATOM}+(?:\.{ATOM}+)*@{_LABEL}(?:\.{_LABEL})*")
_LOCAL = re.compile(rf"(?:{ATOM}|\.)+")
_NO_DOMAIN = "e-mail domain cannot exist: a domain is letters, digits, hyphens and single dots"
_MAILBOX = re.compile(r"(?P<name>.*?) *<(?P<address>[^<>]*)>", re.DOTALL)


class Mailbox(NamedTuple):
    """A person or a sender as headers show them: the display name (may be empty) and the address."""

    name: str
    address: str


def address(text: str) -> str:
    """One address as SMTP writes it (`anna@xn--bcher-kva.example`); CannotBuildError for anything that is not exactly one.

    Domains outside ASCII become IDNA 2008. A local part outside ASCII needs SMTPUTF8, which few servers have end to end;
    it is left out. A local part with misplaced dots (they exist in Japan) is quoted. Errors never repeat the address: they
    stay in the ledger, and a person's address must be erasable.
    """
    if len(text) <= 254 and _ADDRESS.fullmatch(text) and text.index("@") <= 64:
        return text
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise CannotBuildError("e-mail address: write exactly one address, like anna@shop.example")
    if not local.isascii():
        raise CannotBuildError(
            "e-mail address: letters outside ASCII before the @ need SMTPUTF8, which is not supported"
        )
    if _LOCAL.fullmatch(local) is None or len(local) > 64:
        raise CannotBuildError("e-mail address: the part before the @ has a character or a length no mailbox has")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        local = f'"{local}"'
    written = f"{local}@{_domain(domain)}"
    if len(written) > 254:  # RFC 5321 4.5.3.1.3: 256 with the angle brackets
        raise CannotBuildError("e-mail address: longer than the 254 characters mail allows")
    return written


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """The domain in ASCII."""
    try:
        written = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as problem:
        raise CannotBuildError(_NO_DOMAIN) from problem
    if _DOMAIN.fullmatch(written) is None:
        raise CannotBuildError(_NO_DOMAIN)
    return written


@lru_cache(maxsize=1024)
def mailbox(text: str) -> Mailbox:
    """A sender as written in the config: `Shop <hello@news.shop.example>`, `"Shop, Inc." <…>` or the address alone."""
    match = _MAILBOX.fullmatch(text.strip(" "))
    if match is None:
        return Mailbox("", address(text.strip(" ")))
    name = match["name"].strip(" ")
    if len(name) >= 2 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1], flags=re.DOTALL)
    return Mailbox(name, address(match["address"].strip(" ")))


_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def phone(text: str) -> str:
    """A phone number as networks write it (E.164, `+436601234567`); CannotBuildError for one that does not name its country.

    What people put between the digits is taken out, 00 in front becomes +. Nothing is guessed: which country a number without
    one belongs to is known to whoever brought it. Errors never repeat the number.
    """
    bare = dialled(text)
    if _NUMBER.fullmatch(bare) is None:
        raise CannotBuildError(
            "phone number: write it with its country, like +43 660 1234567: a plus sign or 00, then 7 to 15 digits"
        )
    return bare
