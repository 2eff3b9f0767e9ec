"""One clock for people: every screen reads moments on the project's clock and names it; programs get them in UTC."""

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.times import say_occurrence, wall, when
from orchestrator.core.times import instant
from tests.cli.conftest import inside, orchestrator

ZONE, AHEAD = "Asia/Kolkata", timedelta(hours=5, minutes=30)
"""No clock of Europe, America or UTC can be mistaken for it."""
AT = ("--at", "2026-03-02T10:00+01:00")
BETWEEN = ("--between", "2026-03-01T10:00+01:00", "2026-03-02T10:00+01:00")
THERE = "2026-03-02 14:30:00 Asia/Kolkata"
SCREENS = (
    ("report",),
    ("report", "new_in"),
    ("deliveries", "new_in", "--user", "u001"),
    ("why", "new_in", "u001"),
    ("why", "new_in", "u001", *AT),
    ("show", "new_in", "--user", "u001"),
    ("plan", "new_in", *AT),
    ("plan", "new_in", "--why", "quiet_hours"),
    ("segment", "show", "visitors", *AT),
    ("segment", "explain", "visitors", "u001", *AT),
    ("segment", "count", "--all", *AT),
    ("segment", "diff", "visitors", *BETWEEN),
    ("suppress", "a@x.test", "--show"),
    ("doctor",),
    ("status",),
    ("today",),
)


@pytest.fixture(scope="module")
def shop(_shop, tmp_path_factory):
    """The example far in the east, with a run, an address that was stopped, and a campaign that is paused."""
    root = shutil.copytree(_shop, tmp_path_factory.mktemp("east") / "shop")
    settings = root / "config" / "orchestrator.yaml"
    settings.write_text(settings.read_text().replace("time_zone: Europe/Vienna", f"time_zone: {ZONE}"))
    for words in (("send", "new_in", "--yes"), ("suppress", "a@x.test"), ("pause", "winback")):
        assert orchestrator(root, *words).code == 0
    return root


def there(microseconds):
    """A moment as the clock there shows it, by arithmetic."""
    at = datetime.fromtimestamp(microseconds // 1_000_000, UTC) + AHEAD
    return f"{at:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize("words", SCREENS, ids=" ".join)
def test_no_screen_reads_another_clock(shop, words):
    said = inside(shop, *words)
    assert said.code == (1 if words == ("doctor",) else 0), said.err
    assert "UTC" not in said.out
    assert not re.search(r"[0-9]:[0-9]{2}(\.[0-9]+)?Z", said.out)
    if re.search(r"[0-9]:[0-9]{2}:[0-9]{2}", said.out):
        assert ZONE in said.out
    if AT[1] in words:
        assert THERE in said.out


def test_people_read_the_moments_that_programs_get(shop):
    [row, *_] = inside(shop, "deliveries", "new_in", "--user", "u001", "--json").told
    assert there(row["settled_at"] or row["not_before"]) in inside(shop, "why", "new_in", "u001").out
    rows = inside(shop, "deliveries", "new_in", "--state", "skipped", "--limit", "1", "--json").told
    told = inside(shop, "deliveries", "new_in", "--state", "skipped", "--limit", "1").out
    assert f"settled ({ZONE})" in told
    assert there(rows[0]["settled_at"]) in told
    assert rows[0]["occurrence"].endswith("Z")


def test_a_moment_that_an_attribute_holds_is_read_on_the_same_clock(shop, tmp_path):
    root = shutil.copytree(shop, tmp_path / "shop")
    data = root / "config" / "data.yaml"
    data.write_text(data.read_text().replace("firstName: text\n", "firstName: text\n  createdAt: time\n"))
    (root / "config" / "segments" / "fresh.yaml").write_text(
        "about: Just came\nall:\n  - {attribute: createdAt, when: since 2026-01-01}\n"
    )
    (root / "people.csv").write_text("user,createdAt\nu001,2026-02-20T22:00:00Z\n")
    assert orchestrator(root, "import", "profiles", "people.csv").code == 0
    asked = ("segment", "explain", "fresh", "u001", *AT)
    assert "(2026-02-21 03:30:00)" in inside(root, *asked).out
    assert inside(root, *asked, "--json").told["tree"]["parts"][0]["value"] == "2026-02-20T22:00:00Z"


def test_a_run_by_hand_is_called_by_the_clock_on_the_wall(shop):
    [run] = inside(shop, "report", "new_in", "--json").told
    begun = datetime.fromisoformat(run["occurrence"].removeprefix("by hand "))
    assert f"by hand {there(instant(begun))} {ZONE}" in inside(shop, "report", "new_in").out


def test_who_waits_is_told_until_when_on_one_clock(shop, tmp_path):
    root = shutil.copytree(shop, tmp_path / "shop")
    settings = root / "config" / "campaigns" / "new_in.yaml"
    settings.write_text(settings.read_text().replace("repeat: after 6 days", "repeat: always"))
    waits = [line for line in inside(root, "send", "new_in", "--yes").out.splitlines() if "people of it wait" in line]
    [until] = [re.findall(r"until ([0-9-]+ [0-9:]+)", line) for line in waits]
    assert waits[0].endswith(f"{until[-1]} {ZONE}")
    rows = inside(root, "deliveries", "new_in", "--run", "2", "--state", "held", "--limit", "9999", "--json").told
    ends = [row["not_before"] for row in rows]
    assert until == [there(min(ends)), there(max(ends))]


def at(year, month, day, hour, minute):
    return instant(datetime(year, month, day, hour, minute, tzinfo=UTC))


def test_a_moment_has_the_name_of_its_clock_once():
    noon = at(2026, 3, 2, 11, 0)
    assert when(noon, "Europe/Vienna") == "2026-03-02 12:00:00 Europe/Vienna"
    assert wall(noon, "Europe/Vienna") == "2026-03-02 12:00:00"
    assert when(noon, "Etc/UTC") == when(noon, "UTC") == "2026-03-02 11:00:00 UTC"
    assert when(None, "UTC") == wall(None, "UTC") == ""


def test_the_hour_that_is_shown_twice_is_told_apart():
    first, second, after = (at(2026, 10, 25, hour, 30) for hour in (0, 1, 2))
    assert wall(first, "Europe/Vienna") == "2026-10-25 02:30:00 (+02:00)"
    assert wall(second, "Europe/Vienna") == "2026-10-25 02:30:00 (+01:00)"
    assert wall(after, "Europe/Vienna") == "2026-10-25 03:30:00"


def test_an_occurrence_that_is_no_moment_is_told_as_it_is():
    for key in ("once", "2026-03-29T09:00[Europe/Berlin]", "by hand order-4711", "m-17"):
        assert say_occurrence(key, "Europe/Vienna") == key
    assert say_occurrence("by hand 2026-03-02T09:00:00.123456Z", ZONE) == f"by hand {THERE}"
