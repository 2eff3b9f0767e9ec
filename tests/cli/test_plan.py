"""The screen of a plan: the next run of the clock, why the others get nothing and who they are, and all campaigns of a day."""

import json
import re
from datetime import date, timedelta

import pytest

from tests.cli.conftest import inside

CLOCK = "schedule: {{every: {every}, time_zone: {zone}}}\n"


def scheduled(shop, every="day at 10:00", zone="recipient", more=""):
    """The campaign new_in by the clock, for everybody who agreed."""
    path = shop / "config" / "campaigns" / "new_in.yaml"
    head = path.read_text().partition("repeat:")[0]
    path.write_text(head + "repeat: always\n" + more + CLOCK.format(every=every, zone=zone))


def test_a_campaign_by_the_clock_is_shown_as_the_clock_would_send_it_next(shop):
    scheduled(shop)
    told = inside(shop, "plan", "new_in", "--json").told
    assert told["by_clock"]
    assert told["next_at"] == told["due_at"] <= told["first_at"] < told["last_at"]
    assert told["held"] == {}, "nobody has quiet hours at ten in the morning"
    said = inside(shop, "plan", "new_in").out
    assert said.splitlines()[0] == " new_in   dev · each at 10:00 in their own zone"
    assert re.search(r"^ would get a message +\d+ ", said, re.MULTILINE)
    assert re.search(r"from 10:00 [A-Z]\w+( \(\d\d:00 here\))? to 10:00 [A-Z]", said)
    assert "needs a person: no" in said
    assert "would get a message now" not in said


def test_with_now_it_is_shown_as_send_would_do_it(shop):
    scheduled(shop)
    told = inside(shop, "plan", "new_in", "--now", "--json").told
    sent = inside(shop, "send", "new_in", "--yes", "--json").told
    assert not told["by_clock"]
    assert (told["people"], told["reached"]) == (sent["people"]["people"], sent["people"]["reached"])
    assert sum(told["held"].values()) == sent["people"]["waiting"]


def test_a_clock_in_one_zone_says_when_in_its_own_words(shop):
    scheduled(shop, every="tuesday at 08:00", zone="Europe/Vienna")
    said = inside(shop, "plan", "new_in").out
    assert said.splitlines()[0].endswith("· every tuesday at 08:00 Vienna")
    assert re.search(r"^ Tue \d+ \w+ \d{4} at 08:00 Vienna", said, re.MULTILINE)


def test_who_gets_nothing_for_a_reason_is_named(shop):
    told = inside(shop, "plan", "new_in", "--json").told
    counts = {why["reason"]: why["people"] for why in told["nothing"]}
    for reason, people in counts.items():
        answer = inside(shop, "plan", "new_in", "--why", reason, "--json").told
        assert (answer["campaign"], answer["reason"], answer["people"]) == ("new_in", reason, people)
        assert len({one["user"] for one in answer["users"]}) == people
        said = inside(shop, "plan", "new_in", "--why", reason.replace("_", " "), "-n", "1")
        assert f"{people:,} people, {reason}" in said.out or people == 1
        assert ("more of them: --limit" in said.out) is (people > 1)
    [example] = [why["examples"][0] for why in told["nothing"] if why["reason"] == "no_consent"]
    assert example in inside(shop, "plan", "new_in", "--why", "no_consent").out
    assert "who they are: orchestrator plan new_in --why" in inside(shop, "plan", "new_in").out


def test_a_reason_nobody_has_and_one_there_is_not_are_told_apart(shop):
    said = inside(shop, "plan", "new_in", "--why", "capped")
    assert (said.code, "nobody gets nothing for capped; there are: " in said.out) == (0, True)
    said = inside(shop, "plan", "new_in", "--why", "no_consend")
    assert (said.code, "no reason no_consend. Did you mean no_consent?" in said.err) == (2, True)


def test_who_filled_a_cap_is_named(shop):
    scheduled(shop, more="caps: [1 message per week]\n")
    assert inside(shop, "send", "new_in", "--yes").code == 0
    winback = shop / "config" / "campaigns" / "winback.yaml"
    text = re.sub(r"  ramp:.*\n", "", winback.read_text()).replace("lapsed_vips, one_time_buyers, lapsed]", "lapsed_vips, visitors]")  # fmt: skip
    winback.write_text(text)
    told = inside(shop, "plan", "winback", "--now", "--json").told
    capped = [why for why in told["nothing"] if why["reason"] == "capped"]
    assert capped
    assert all(why["by"] == {"new_in": why["people"]} for why in capped)
    assert re.search(r"capped, 1 \w+ per \w+ +(\d+)   \1 by new_in", inside(shop, "plan", "winback", "--now").out)


def test_missing_data_names_the_file_and_the_line(shop):
    scheduled(shop)
    mail = shop / "templates" / "new_in" / "_default" / "email.mjml"
    mail.write_text(mail.read_text().replace("</mj-text>", " {{ latest.add_to_cart.product }}</mj-text>", 1))
    line = next(n for n, text in enumerate(mail.read_text().splitlines(), 1) if "add_to_cart" in text)
    told = inside(shop, "plan", "new_in", "--json").told
    (why,) = [why for why in told["nothing"] if why["reason"] == "missing_data"]
    where = f"templates/new_in/_default/email.mjml:{line}"
    assert why["detail"] == f"latest.add_to_cart.product ({where})"
    said = inside(shop, "plan", "new_in").out
    assert re.search(rf"missing latest.add_to_cart.product +{why['people']}   {where} ·", said)
    named = inside(shop, "plan", "new_in", "--why", "missing_data", "--json").told
    assert named["people"] == len(named["users"]) == why["people"]
    exact = inside(shop, "plan", "new_in", "--exact", "--json").told
    assert (exact["nothing"], exact["messages"]["taken"]) == (told["nothing"], 0)
    assert told["messages"]["taken"] > 0


def test_messages_to_an_address_that_two_people_share_are_told(shop):
    told = inside(shop, "plan", "new_in", "--json").told
    assert told["same_address"] == 0
    users = [json.loads(line)["user_id"] for line in (shop / "data/example/profiles.jsonl").read_text().splitlines()]
    shared = "".join(f'{{"user_id": "{user}", "email": "family@example.test", "devices": []}}\n' for user in users)
    (shop / "shared.jsonl").write_text(shared)
    assert inside(shop, "import", "profiles", str(shop / "shared.jsonl")).code == 0
    told = inside(shop, "plan", "new_in", "--json").told
    assert told["same_address"] == told["channels"]["email"] - 1 > 0
    assert "go to an address that another member's goes to as well" in inside(shop, "plan", "new_in").out


@pytest.mark.parametrize(("day", "fires"), [("2031-12-02", True), ("2031-12-03", False)])
def test_a_day_shows_which_campaigns_fire_and_what_each_would_do(shop, day, fires):
    scheduled(shop, every="tuesday at 08:00", zone="Europe/Vienna")
    winback = shop / "config" / "campaigns" / "winback.yaml"
    winback.write_text(winback.read_text().replace("end: 2030-06-30", "end: 2026-06-30"))
    told = inside(shop, "plan", "--campaigns", "all", "--at", day, "--json").told
    assert told["day"] == day
    assert [one["campaign"] for one in told["campaigns"]] == ["new_in"] * fires
    assert set(told["idle"]) == {"winback", "welcome_back", *([] if fires else ["new_in"])}
    assert told["idle"]["winback"] == "never: it has ended (end: 2026-06-30)"
    said = inside(shop, "plan", "--campaigns", "all", "--at", day).out
    assert said.startswith(f" {'Tuesday 2' if fires else 'Wednesday 3'} December 2031   dev · ")
    if fires:
        (one,) = told["campaigns"]
        alone = inside(shop, "plan", "new_in", "--at", day, "--json").told
        assert {name: one[name] for name in ("people", "reached", "nothing", "due_at")} == {
            name: alone[name] for name in ("people", "reached", "nothing", "due_at")
        }
        assert told["messages"] == one["channels"]
    else:
        refused = inside(shop, "plan", "new_in", "--at", day)
        assert (refused.code, f"the clock starts no run of new_in on {day}; next: " in refused.err) == (2, True)


def test_a_campaign_that_fires_often_is_shown_once_with_how_often(shop):
    scheduled(shop, every="6 hours", zone="Europe/Vienna")
    told = inside(shop, "plan", "--campaigns", "new_in", "--at", "2031-12-02", "--json").told
    (one,) = told["campaigns"]
    assert one["runs"] == 4
    assert one["last_due_at"] - one["due_at"] == 18 * 3600 * 1_000_000
    assert "4 runs, the first of them here" in inside(shop, "plan", "--campaigns", "new_in", "--at", "2031-12-02").out


def test_a_day_says_what_is_not_counted_among_its_campaigns(shop):
    scheduled(shop, every="6 hours", zone="Europe/Vienna")
    day = (date.today() + timedelta(days=2)).isoformat()  # noqa: DTZ011 - the example's people are of today, and any day near it will do
    winback = shop / "config" / "campaigns" / "winback.yaml"
    winback.write_text(winback.read_text().replace("end: 2030-06-30", "end: 2999-06-30"))
    told = inside(shop, "plan", "--campaigns", "all", "--at", day, "--json").told
    by_name = {one["campaign"]: one for one in told["campaigns"]}
    later = sum(many for reason, many in by_name["new_in"]["held"].items() if reason != "ramp")
    assert later > 10, "quiet hours"
    assert told["not_counted"] == [
        f"messages that leave later are not counted (new_in {later})",
        "further runs of that day are not counted (new_in 3)",
        "what would wait for a person is counted as if it were let go at once (winback)",
    ]
    said = inside(shop, "plan", "--campaigns", "all", "--at", day).out
    assert all(f"   {one}\n" in said for one in told["not_counted"])
    named = inside(shop, "plan", "--campaigns", "new_in", "--at", day, "--json").told
    assert "campaigns you did not name are not counted (winback)" in named["not_counted"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument 'CAMPAIGN'"),
        (("new_in", "--campaigns", "all"), "--campaigns shows a day"),
        (("--campaigns", "alll"), "no campaign alll"),
        (("--campaigns", "all", "--why", "capped"), "--why goes with one campaign"),
        (("--campaigns", "all", "--at", "2031-02-30"), "--at 2031-02-30: there is no such moment"),
        (("new_in", "--now", "--at", "2031-12-02"), "--at names another moment than --now"),
        (("new_in", "--report", "x.md"), "--report goes with --diff"),
        (("new_in", "--as", "u001"), "--as goes with --diff"),
        (("new_in", "--diff", "HEAD", "--now"), "--now goes with one campaign"),
        (("new_in", "--diff", "HEAD"), "--diff HEAD: nothing to compare with: not a git repository"),
    ],
)
def test_options_that_do_not_go_together_are_refused(shop, words, said):
    answer = inside(shop, "plan", *words, environ={"GIT_CEILING_DIRECTORIES": str(shop.parent)})
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
