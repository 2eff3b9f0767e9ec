"""Keeps addresses that somebody else wrote from reaching into our own network: which URLs may be called, and at which IP."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

import idna

from orchestrator.wire import NotSent

Network = IPv4Network | IPv6Network
Ip = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to its IP addresses; OSError if it has none."""

LONGEST_URL = 2048


class RefusedError(NotSent):
    """This URL may not be called from here; nothing was sent, and no other attempt will help."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the project's settings permit beyond https to the public internet.

    `networks` are inner networks that may be called on purpose, on any port: `127.0.0.0/8` for a sink on this machine.
    """

    plain_http: bool = False
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({80, 443})


def into(network: str = "") -> Allowance:
    """The public internet over https and its usual port, and one inner network (`10.0.0.0/8`) if it is named; ValueError if it is none."""
    if not network:
        return Allowance(ports=frozenset({443}))
    # Plain HTTP has no port outside that network, so it cannot leave it.
    return Allowance(plain_http=True, networks=(ip_network(network),), ports=frozenset({443}))


@dataclass(frozen=True, slots=True)
class PinnedTarget:
    """A URL in its one plain spelling, and the addresses that were checked: connect to these and to no others."""

    url: str
    host: str
    port: int
    addresses: tuple[str, ...]


# Everything that is not the public internet. Forms of IPv6 that carry an IPv4 address inside are refused as such: a public
# server has an address of its own. In a network that reaches IPv4 only by NAT64, allow 64:ff9b::/96 in the settings.
_INNER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' NAT; 100.100.100.200 is Alibaba's metadata
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # Azure's wire server, in a public range
        "169.254.0.0/16",  # link-local; 169.254.169.254 is most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
        "::/96",  # unspecified, this machine, IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 of the local network
        "100::/64",  # discard
        "2001::/23",  # protocol assignments with Teredo and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local; fd00:ec2::254 is AWS's metadata
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_PLAIN_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_UNSEEN = re.compile(r"[\x00-\x20\x7f\\]")


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask this machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def check(url: str, resolver: Resolver, allow: Allowance) -> PinnedTarget:
    """The target to connect to; RefusedError if the URL or any of its addresses may not be called, NotSent without one."""
    scheme, host, port, path = split(url, allow)
    addresses = await check_host(host, port, resolver, allow)
    shown = f"[{host}]" if ":" in host else host
    plain = port == {"https": 443, "http": 80}[scheme]
    return PinnedTarget(f"{scheme}://{shown}{'' if plain else f':{port}'}{path}", host, port, addresses)


async def check_host(host: str, port: int, resolver: Resolver, allow: Allowance) -> tuple[str, ...]:
    """The addresses of a plainly written host, every one of them checked."""
    literal = _literal(host)
    if literal is None:
        try:
            found = tuple(dict.fromkeys(ip_address(text) for text in await resolver(host, port)))
        except (OSError, UnicodeError, ValueError) as problem:
            raise NotSent(f"{host}: no address found: {problem}") from problem
        if not found:
            raise NotSent(f"{host}: no address found")
    else:
        found = (literal,)
    for ip in found:
        permitted = any(ip in network for network in allow.networks)
        if _is_inner(ip) and not permitted:
            raise RefusedError(
                f"{host}: {ip} is not a public address; if it is meant, allow its network in the project's settings"
            )
        if port not in allow.ports and not permitted:
            raise RefusedError(f"{host}: port {port} is not one of {', '.join(map(str, sorted(allow.ports)))}")
    return tuple(str(ip) for ip in found)


def _is_inner(ip: Ip) -> bool:
    if isinstance(ip, IPv6Address) and (ip.scope_id or (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP):
        return True
    return not ip.is_global or ip.is_multicast or any(ip in network for network in _INNER)


def split(url: str, allow: Allowance) -> tuple[str, str, int, str]:
    """Scheme, host, port and path with query. What libraries read in different ways is refused, not interpreted."""
    if len(url) > LONGEST_URL:
        raise RefusedError(f"the URL is longer than {LONGEST_URL} characters")
    if _UNSEEN.search(url):
        raise RefusedError("the URL has a blank, a control character or a backslash in it; percent-encode it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise RefusedError(f"not a URL: {problem}") from problem
    if parts.scheme not in (("https", "http") if allow.plain_http else ("https",)):
        raise RefusedError(f"{parts.scheme or 'no scheme'}: the URL must start with https://")
    if "@" in parts.netloc:
        raise RefusedError("the URL has a user or password in it; use the settings for credentials")
    host = _host(parts.hostname or "", bracketed=parts.netloc.startswith("["))
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    standard = 443 if parts.scheme == "https" else 80
    return parts.scheme, host, standard if port is None else port, path + (f"?{query}" if query else "")


def _host(written: str, *, bracketed: bool) -> str:
    """The host in its one plain spelling: lower case, ASCII, no final dot; an IP address only as everybody writes it."""
    if bracketed:
        try:
            ip = IPv6Address(written)
        except ValueError as problem:
            raise RefusedError(f"{written}: not an IPv6 address") from problem
        if ip.scope_id:
            raise RefusedError(f"{written}: an address with a zone is of this machine's own network")
        return str(ip)
    try:
        host = written if written.isascii() else idna.encode(written, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as problem:
        raise RefusedError(f"{written}: not a host name") from problem
    host = host.lower().removesuffix(".")
    if not _PLAIN_HOST.fullmatch(host):
        raise RefusedError(f"{written or 'nothing'}: not a host name")
    if _NUMBER.match(host.rpartition(".")[2]) and _literal(host) is None:
        raise RefusedError(f"{written}: write the IP address as four decimal numbers")
    return host


def _literal(host: str) -> Ip | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
