"""Every way to write an inner address that is known, and none of them is called."""

from ipaddress import IPv4Address, ip_address, ip_network
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.wire import NotSent
from orchestrator.wire.guard import Allowance, RefusedError, check, check_host

PUBLIC = "93.184.215.14"
HTTP = Allowance(plain_http=True)

DECEITS = [
    # IPv4 in every notation that inet_aton and browsers read.
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://0X7F.0x0.0x0.0x1/",
    "http://127.0.0.0x1/",
    "http://00000127.0.0.1/",
    "http://127.000.000.001/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://4294967295/",
    "http://256.256.256.256/",
    "http://1.2.3/",
    "http://0x/",
    # IPv6 and what hides inside it.
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::10.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2606:4700::5efe:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[::1]:80/",
    "http://[127.0.0.1]/",
    "http://[v1.fe]/",
    # Inner networks and metadata services.
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    # Digits and dots from other scripts.
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７．０．０．１/",  # noqa: RUF001 - they are meant
    "http://127。0。0。1/",
    "http://٠١٢٧.0.0.1/",
    "http://ⓛocalhost/",
    # Hosts that readers of URLs disagree on.
    "http://hook.example@127.0.0.1/",
    "http://127.0.0.1@hook.example/",
    "http://hook.example:80@127.0.0.1/",
    "http://hook.example\\@127.0.0.1/",
    "http://127.0.0.1\\.hook.example/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1#@hook.example/",
    "http://127.0.0.1?@hook.example/",
    "http://127.0.0.1\t.hook.example/",
    "http://127.0.0.1\n/",
    "\nhttp://hook.example/",
    "http://hook.example /",
    "http://hook.example\x00.evil.example/",
    "http://%31%32%37.0.0.1/",
    "http://%6cocalhost/",
    "http://hook_.example/",
    "http://-hook.example/",
    "http://hook..example/",
    "http://.example/",
    "http:///path",
    "http://",
    "//127.0.0.1/",
    "127.0.0.1",
    "",
    # Names that lead inward.
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://127.0.0.1.nip.example/",
    "http://one-public-one-inner.example/",
    "http://metadata.google.internal/",
    # Other schemes and ports.
    "ftp://hook.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "javascript:alert(1)",
    "http://hook.example:22/",
    "http://hook.example:6379/",
    "http://hook.example:65536/",
    "http://hook.example:-1/",
    "http://hook.example:8o/",
    "http://hook.example/" + "a" * 2048,
]

NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "one-public-one-inner.example": [PUBLIC, "10.0.0.7"],
    "metadata.google.internal": ["169.254.169.254"],
}


async def resolver(host, _port):
    return NAMES.get(host, [PUBLIC])


@pytest.mark.parametrize("url", DECEITS, ids=[f"{number}-{ascii(url)[1:40]}" for number, url in enumerate(DECEITS)])
async def test_no_way_of_writing_it_leads_inward(url):
    with pytest.raises(RefusedError):
        await check(url, resolver, HTTP)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://hook.example", "https://hook.example/"),
        ("https://HOOK.Example./a?b=c", "https://hook.example/a?b=c"),
        ("https://hook.example:443/a", "https://hook.example/a"),
        ("https://bücher.example/ä?q=ö#part", "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://hook.example/a%2Fb", "https://hook.example/a%2Fb"),
        ("https://93.184.215.14/a", "https://93.184.215.14/a"),
        ("https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"),
        ("https://[2606:4700:0:0::1111]:443/a", "https://[2606:4700::1111]/a"),
        ("https://hook.example:80/a", "https://hook.example:80/a"),
    ],
)
async def test_a_public_url_is_pinned_in_its_one_plain_spelling(url, plain):
    target = await check(url, resolver, Allowance())
    assert target.url == plain
    assert all(ip_address(address).is_global for address in target.addresses)
    assert (await check(plain, resolver, Allowance())).url == plain


async def test_plain_http_needs_to_be_allowed():
    with pytest.raises(RefusedError, match="https://"):
        await check("http://hook.example/", resolver, Allowance())
    assert (await check("http://hook.example/", resolver, HTTP)).port == 80


async def test_an_inner_network_is_called_on_any_port_once_it_is_allowed_and_no_other_is():
    allow = Allowance(plain_http=True, networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")))
    assert (await check("http://localhost:9999/", resolver, allow)).addresses == ("127.0.0.1", "::1")
    with pytest.raises(RefusedError):
        await check("http://10.0.0.1/", resolver, allow)
    with pytest.raises(RefusedError):
        await check("http://one-public-one-inner.example/", resolver, allow)


@pytest.mark.parametrize("trouble", [OSError("no such name"), UnicodeError("label too long"), None])
async def test_a_name_without_an_address_is_not_sent_but_may_come_back(trouble):
    async def fails(_host, _port):
        if trouble:
            raise trouble
        return []

    with pytest.raises(NotSent) as problem:
        await check("https://hook.example/", fails, Allowance())
    assert not isinstance(problem.value, RefusedError)


async def test_a_refusal_repeats_neither_path_nor_query():
    with pytest.raises(RefusedError) as problem:
        await check("http://127.0.0.1/s3cr3t?key=s3cr3t", resolver, HTTP)
    assert "s3cr3t" not in str(problem.value)


@given(st.integers(0, 2**32 - 1))
async def test_no_address_of_ipv4_hides_in_one_of_ipv6(number):
    inside = f"{number >> 16:x}:{number & 0xFFFF:x}"
    forms = (f"::ffff:{inside}", f"::{inside}", f"64:ff9b::{inside}", f"2002:{inside}::", f"2606:4700::5efe:{inside}")
    for form in forms:
        with pytest.raises(RefusedError):
            await check_host(str(ip_address(form)), 443, resolver, Allowance())


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
async def test_an_ipv4_address_is_called_only_if_it_is_public(ip):
    try:
        await check_host(str(ip), 443, resolver, Allowance())
    except RefusedError:
        return
    assert ip.is_global
    assert not ip.is_multicast


@given(st.text(st.sampled_from("0123456789abcdefx.:[]@/\\?#%①。 \t"), max_size=24))
async def test_whatever_is_written_after_the_scheme_only_checked_addresses_are_pinned(rest):
    try:
        target = await check(f"http://{rest}", resolver, HTTP)
    except NotSent:
        return
    assert all(ip_address(address).is_global for address in target.addresses)
    for read in (httpx.URL(target.url).host, urlsplit(target.url).hostname):
        assert read.strip("[]") == target.host
