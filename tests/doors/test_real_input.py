"""Real purchases: ten segments at three past moments, counted by the engine and, independently, in plain Python; then mail to one."""

import json
import subprocess
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from orchestrator import app
from orchestrator.audience import compiling
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Moment
from orchestrator.core.times import instant
from tests.doors.test_first_hour import CLI, DEMO, mailbox, orchestrator  # noqa: F401 - mailbox is a fixture

PURCHASES = Path(__file__).parents[2].parent / "shared" / "data" / "cdnow_purchases.txt"
MOMENTS = (date(2021, 7, 1), date(2021, 12, 31), date(2022, 6, 30))

pytestmark = pytest.mark.skipif(
    not PURCHASES.exists(), reason="the purchases are not part of this project; they stand beside it or not"
)


def within(bought, at, days):
    return [one for one in bought if at - timedelta(days=days) <= one[0] < at]


def before(bought, at):
    return [one for one in bought if one[0] < at]


def total(bought):
    return sum(amount for _, _, amount in bought)


SEGMENTS = {
    "bought_lately": ("{event: purchase, when: last 90 days}", lambda b, t: bool(within(b, t, 90))),
    "frequent": ("{event: purchase, at_least: 4}", lambda b, t: len(before(b, t)) >= 4),
    "often_lately": ("{event: purchase, at_least: 3, when: last 180 days}", lambda b, t: len(within(b, t, 180)) >= 3),
    "spent_much": ("{event: purchase, sum: amount, over: 200}", lambda b, t: total(before(b, t)) > 200),
    "spent_lately": (
        "{event: purchase, sum: amount, at_least: 100, when: last 180 days}",
        lambda b, t: total(within(b, t, 180)) >= 100,
    ),
    "large_baskets": (
        "{event: purchase, average: amount, over: 30}",
        lambda b, t: bool(before(b, t)) and total(before(b, t)) > 30 * len(before(b, t)),
    ),
    "lapsed_120": (
        "{all: [{event: purchase}, {not: {event: purchase, when: last 120 days}}]}",
        lambda b, t: bool(before(b, t)) and not within(b, t, 120),
    ),
    "once_only": ("{event: purchase, exactly: 1}", lambda b, t: len(before(b, t)) == 1),
    "first_in_february": (
        "{event: purchase, first: time, between: [2021-02-01, 2021-02-28]}",
        lambda b, t: bool(before(b, t)) and date(2021, 2, 1) <= min(before(b, t))[0] <= date(2021, 2, 28),
    ),
    "bought_free": (
        "{event: purchase, where: {amount: 0}}",
        lambda b, t: any(amount == 0 for _, _, amount in before(b, t)),
    ),
    "many_at_once": (
        "{event: purchase, where: {quantity: {at_least: 5}}, when: last 365 days}",
        lambda b, t: any(quantity >= 5 for _, quantity, _ in within(b, t, 365)),
    ),
    "no_longer_large": (
        "{all: [{event: purchase, max: amount, over: 50}, {not: {event: purchase, sum: amount, over: 20, when: last 180 days}}]}",
        lambda b, t: any(a > 50 for _, _, a in before(b, t)) and not total(within(b, t, 180)) > 20,
    ),
}


@pytest.fixture(scope="module")
def bought():
    found = defaultdict(list)
    for line in PURCHASES.read_text().splitlines():
        customer, day, quantity, dollars = line.split()
        found[customer].append(
            (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date(), int(quantity), Decimal(dollars))
        )
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory, bought):
    import shutil

    root = tmp_path_factory.mktemp("cdnow")
    for folder in ("config", "templates"):
        shutil.copytree(DEMO / folder, root / folder)
    settings = root / "config" / "orchestrator.yaml"
    settings.write_text(settings.read_text().replace("Europe/Vienna", "UTC"))
    (root / "config" / "data.yaml").write_text(
        "attributes:\n  email: email\nevents:\n  purchase: {quantity: number, amount: number}\nrevenue: purchase.amount\n"
    )
    for old in (root / "config" / "segments").iterdir():
        old.unlink()
    for name, (words, _) in SEGMENTS.items():
        (root / "config" / "segments" / f"{name}.yaml").write_text(f"about: {name}\nall:\n  - {words}\n")
    shutil.rmtree(root / "templates" / "winback")
    home = root / "templates" / "winback" / "_default"
    home.mkdir(parents=True)
    (home / "email.mjml").write_text(
        '---\nfrom: offers\nlayout: shop\nsubject: "Customer {{ userAttribute.email }}"\npreheader: Thank you\n---\n'
        "<mj-section><mj-column><mj-text>{{ occurrencesOf['purchase'] }} orders, {{ lifetimeValue | currency('USD') }}</mj-text></mj-column></mj-section>\n"
    )
    (root / "config" / "campaigns" / "winback.yaml").write_text(
        "about: Thank large customers\nowner: crm@shop.example\nstate: live\nkind: marketing\ntopic: offers\n"
        "audience: [spent_much]\nchannels: {first_of: [email]}\nrepeat: after 90 days\n"
    )
    imports = root / "config" / "imports"
    imports.mkdir()
    (imports / "cdnow_purchases.yaml").write_text(
        "separator: whitespace\nheader: false\nevent: purchase\ncolumns: [user, time, quantity, amount]\n"
    )
    with (root / "people.jsonl").open("w") as people, (root / "words.jsonl").open("w") as words:
        for customer in bought:
            people.write(json.dumps({"user_id": customer, "email": f"c{customer}@mail.example"}) + "\n")
            words.write(
                json.dumps({"user_id": customer, "channel": "email", "topic": "offers", "granted": True}) + "\n"
            )
    assert orchestrator(root, "import", "profiles", str(root / "people.jsonl"))[0]["new"] == len(bought)
    [came] = orchestrator(root, "import", "events", str(PURCHASES))
    assert (came["rows"], came["new"], came["rejected"]) == (69_659, 69_659, 0)
    assert orchestrator(root, "import", "events", str(PURCHASES))[0]["new"] == 0
    assert orchestrator(root, "import", "consent", str(root / "words.jsonl"))[0]["consent"] == len(bought)
    orchestrator(root, "import", "suppressions", "--none")
    return root


@pytest.mark.parametrize("name", SEGMENTS)
def test_the_engine_and_plain_python_count_the_same_people(project, bought, name):
    opened = app.open_project(project, "live")
    known = opened.project.catalogue.known
    segment = opened.project.segments[name]
    _, counts = SEGMENTS[name]
    audience = app.own_audience(opened)
    for day in MOMENTS:
        at = Moment(instant(datetime(day.year, day.month, day.day, tzinfo=UTC)), "UTC", opened.project.segments)
        sql = compiling.members_sql(segment, at, DuckColumns(known.attributes))
        members = {row[0] for row in audience.rows(sql)}
        assert members == {customer for customer, purchases in bought.items() if counts(purchases, day)}, (name, day)
        assert members or name == "no_longer_large"


def test_every_large_customer_gets_one_right_mail(project, bought, mailbox):  # noqa: F811 - the fixture
    large = {customer: purchases for customer, purchases in bought.items() if total(purchases) > 200}
    done = subprocess.run(
        [*CLI, "-C", str(project), "-e", "live", "--json", "send", "winback", "--yes"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {"accepted": len(large)}
    got = {}
    for mail in mailbox.mails:
        message = message_from_bytes(mail.original_content, policy=policy.default)
        [recipient] = mail.rcpt_tos
        assert recipient not in got
        assert message["subject"] == f"Customer {recipient}"
        got[recipient] = message.get_body(("plain",)).get_content()
    assert set(got) == {f"c{customer}@mail.example" for customer in large}
    for customer, purchases in large.items():
        text = got[f"c{customer}@mail.example"].replace("\xa0", " ")
        assert f"{len(purchases)} orders" in text
        assert f"{total(purchases):,.2f}" in text, (text, total(purchases))
