"""Sources of linked data: what is wrong with one is named, and no secret is repeated."""

import pytest

from orchestrator.config import load
from tests.config.builders import SETTINGS, all_secrets, the_example

HOW = "Write ${env:NAME} or ${file:path}."
URL = '    url: "https://api.example/{country}"\n'

# (the lines of a source, the text, a part of the remedy)
SLIPS = [
    ("    key: city\n", "sources: x: has neither a file nor a url", "Write one of the two."),
    ("    file: data/x.csv\n    by: user\n    key: id\n" + URL, "sources: x: has a file and a url", "Write one of the two."),
    ("    file: data/x.csv\n    by: user\n", "sources: x: the key 'key' is missing", "the column rows are found by"),
    ("    file: data/x.csv\n    key: id\n", "sources: x: the key 'by' is missing", "the attribute that is looked up"),
    ("    file: data/x.csv\n    key: id\n    by: contry\n", "sources.x.by: no attribute 'contry'", "country"),
    ("    file: data/x.csv\n    key: id\n    by: user\n    timeout: 2 seconds\n", "sources.x: 'timeout' goes with a url, and this is a file", "Delete it."),
    ('    url: "https://api.example/{contry}"\n', "sources.x.url: no attribute 'contry'", "country"),
    (URL + "    key: id\n", "sources.x: 'key' finds a row in a table, but this url has a blank and answers for one person", "Delete it, or the blank."),
    ("    url: https://api.example/all\n    key: id\n", "sources: x: the key 'by' is missing", "the attribute that is looked up"),
    ('    url: "https://{country}.example/"\n', "sources.x.url: a blank stands where the host is named", "write the host"),
    ("    url: http://api.example/all\n", "sources.x.url: http:// is not encrypted", "`network:`"),
    ("    url: ftp://api.example/all\n", "sources.x.url: is no address of a source", "https://api.example/weather"),
    ("    url: https://me:hunter2@api.example/all\n", "sources.x.url: holds a user or a password", "authorization"),
    ("    url: https://api.example/all?api_key=hunter2\n", "sources.x.url: 'api_key' is a secret and must not stand here", HOW),
    ("    url: https://api.example/all?k=${env:A-B}\n", "sources.x.url: ${env:A-B} is not the name of an environment variable", HOW),
    (URL + "    headers: {authorization: Bearer hunter2}\n", "sources.x.headers.authorization: is a secret and must not stand here", HOW),
    (URL + "    headers: {x-api-key: hunter2}\n", "sources.x.headers.x-api-key: is a secret and must not stand here", HOW),
    (URL + '    headers: {accept: "a\\nb"}\n', "sources.x.headers.accept: is no header's value", "one line"),
    (URL + "    network: all of them\n", "sources.x.network: 'all of them' is not a network", "10.0.0.0/8"),
    (URL + "    rate: soon\n", "sources.x.rate: 'soon' is not a rate", ""),
]  # fmt: skip

GOOD = [
    URL,
    '    url: "https://api.example/{user}?city={country}&key=${env:KEY}&monkey=banana"\n    timeout: 2 seconds\n',
    '    url: "${env:WEATHER_URL}/now/{user}"\n    headers: {authorization: "Bearer ${env:KEY}", accept: application/json}\n',
    "    url: https://api.example/all.csv\n    key: id\n    by: user\n    on_error: skip\n",
    "    url: https://api.example/top.json\n",
    "    url: http://10.1.2.3:8080/top.json\n    network: 10.0.0.0/8\n    rate: 50 per second\n",
]


def with_source(lines):
    files = the_example()
    files[SETTINGS] = files[SETTINGS] + b"\nsources:\n  x:\n" + lines.encode()
    return files


@pytest.mark.parametrize(("lines", "text", "remedy"), SLIPS)
def test_a_slip_is_named_with_its_remedy_and_without_the_secret(lines, text, remedy):
    [mistake] = load(with_source(lines)).mistakes
    assert (mistake.file, mistake.text) == (SETTINGS, text)
    assert remedy in mistake.remedy
    assert "hunter2" not in str(mistake)


@pytest.mark.parametrize("lines", GOOD)
def test_what_is_well_told_is_taken(lines):
    assert load(with_source(lines)).mistakes == ()


def test_who_sends_needs_the_secrets_of_sources():
    files = with_source(GOOD[1])
    [mistake] = load(files, "live", all_secrets()).mistakes
    assert mistake.text == "sources.x.url: ${env:KEY} is not set"
    assert load(files, "dev", all_secrets()).mistakes == ()
    assert load(files, "live").mistakes == ()


def test_a_source_shows_nothing_of_its_address():
    source = load(with_source(GOOD[2])).sound().settings.sources["x"]
    assert "WEATHER_URL" not in repr(source)
    assert "Bearer" not in repr(source)
