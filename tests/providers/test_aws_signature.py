"""Signatures of AWS: the vectors that Amazon publishes, and what a signature hangs on."""

from datetime import UTC, datetime

import pytest

from orchestrator.core.times import HOUR, instant, later
from orchestrator.providers.aws_signature import AwsKeys, Scope, sign

AT = instant(datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = AwsKeys("AKIDEXAMPLE", SECRET)
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7"
    "mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d"
    "+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = "application/x-www-form-urlencoded"
SUITE = "https://example.amazonaws.com/"
LIST_USERS = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"


def signed(method, url, headers, body=b"", keys=KEYS, service="service", now=AT):
    return sign(method, url, headers, body, keys, Scope("us-east-1", service), now)


def signature(found):
    return found["Authorization"].rpartition("Signature=")[2]


# The example of IAM's documentation, and the test suite of Signature Version 4: get-vanilla, post-vanilla,
# get-vanilla-query-order-key-case, post-x-www-form-urlencoded, post-sts-header-before.
@pytest.mark.parametrize(
    ("found", "published"),
    [
        (
            signed("GET", LIST_USERS, {"Content-Type": f"{FORM}; charset=utf-8"}, service="iam"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        (signed("GET", SUITE, {}), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (signed("POST", SUITE, {}), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            signed("GET", f"{SUITE}?Param2=value2&Param1=value1", {}),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            signed("POST", SUITE, {"Content-Type": FORM}, b"Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            signed("POST", SUITE, {}, keys=AwsKeys("AKIDEXAMPLE", SECRET, TOKEN)),
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ],
)
def test_it_signs_as_amazon_publishes(found, published):
    assert signature(found) == published


def test_the_header_names_the_key_the_scope_and_what_is_signed():
    found = signed("POST", SUITE, {"Content-Type": FORM}, keys=AwsKeys("AKIDEXAMPLE", SECRET, "token"))
    assert found["X-Amz-Date"] == "20150830T123600Z"
    assert found["X-Amz-Security-Token"] == "token"
    assert found["Authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
        " SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    )


@pytest.mark.parametrize(
    "other",
    [
        signed("PUT", SUITE, {}),
        signed("POST", f"{SUITE}a", {}),
        signed("POST", f"{SUITE}?a=", {}),
        signed("POST", "https://example.amazonaws.com:8443/", {}),
        signed("POST", SUITE, {"Content-Type": FORM}),
        signed("POST", SUITE, {}, b"x"),
        signed("POST", SUITE, {}, keys=AwsKeys("AKIDEXAMPLE", SECRET.lower())),
        signed("POST", SUITE, {}, keys=AwsKeys("AKIDEXAMPLE", SECRET, "token")),
        signed("POST", SUITE, {}, service="ses"),
        signed("POST", SUITE, {}, now=later(AT, HOUR)),
    ],
)
def test_it_hangs_on_everything_that_is_sent(other):
    assert signature(other) != signature(signed("POST", SUITE, {}))


@pytest.mark.parametrize("url", ["https://example.amazonaws.com:443/", "https://EXAMPLE.amazonaws.com/"])
def test_a_host_is_signed_as_it_is_written_on_the_wire(url):
    assert signature(signed("POST", url, {})) == signature(signed("POST", SUITE, {}))


def test_secrets_do_not_show():
    assert SECRET not in repr(KEYS)
    assert "token" not in repr(AwsKeys("a", "b", "token")).replace("session_token", "")
