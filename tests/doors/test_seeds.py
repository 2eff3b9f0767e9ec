"""`deliver: seeds`: only who stands in the seeds file is written to, for real, and everybody else's row says why not."""

import pytest
from typer.testing import CliRunner

from orchestrator import app, planner
from orchestrator.cli.main import app as command_line
from orchestrator.core.errors import ConfigError
from orchestrator.core.nouns import Channel
from orchestrator.core.times import HOUR, Instant
from orchestrator.ledger import ConsentChange
from tests.doors.shop import FILES, NOON, Shop, is_
from tests.mail import Mailbox, mail_server

SETTINGS, SPRING, SEEDS = "config/orchestrator.yaml", "config/campaigns/spring.yaml", "lists/seeds.csv"


def reached(box):
    return sorted(mail.rcpt_tos[0] for mail in box.mails)


def files(port, seeds, deliver="seeds"):
    settings = FILES[SETTINGS].replace("port: 1,", f"port: {port},")
    own = f"environments:\n  staging: {{deliver: {deliver}}}\nseeds: {SEEDS}\n"
    return {**FILES, SETTINGS: settings + own, SEEDS: seeds}


@pytest.fixture
def staging(tmp_path, ledger_url, monkeypatch):
    """Opens the shop in staging, with these seeds; four people want mail, and its server is real."""
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    opened = []
    box = Mailbox()
    with mail_server(box) as port:

        def open_shop(seeds, **over):
            opened.append(Shop(tmp_path, {**files(port, seeds), **over}, environment="staging"))
            opened[-1].box, opened[-1].port = box, port
            opened[-1].people(ada="Ada", bo="Bo", cy="Cy", dora="Dora")
            return opened[-1]

        yield open_shop
    for shop in opened:
        shop.ledger.close()


def run_it(shop, occurrence="today"):
    run = shop.fire(occurrence=occurrence)
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    return run


@pytest.mark.parametrize(
    "seeds",
    ["user_id\nada\ndora\nstranger\n", "name,E-Mail\nAda,ADA@mail.example\nDora,dora@mail.example\n"],
    ids=["users", "addresses"],
)
def test_only_seeds_get_it_over_the_real_server_and_the_others_say_why_not(staging, seeds):
    shop = staging(seeds)
    run_it(shop)
    assert reached(shop.box) == ["ada@mail.example", "dora@mail.example"]
    no = ("skipped", "not_a_seed")
    assert shop.rows() == {"ada": "accepted", "bo": no, "cy": no, "dora": "accepted"}
    assert not (shop.root / "data" / "sink").exists()


def test_seeds_by_phone_get_what_goes_over_any_channel(staging):
    shop = staging("phone\n+43 660 1234567\n")
    shop.load(is_("bo", Instant(NOON + 1), phone="+43 660 1234567"))
    run_it(shop)
    assert reached(shop.box) == ["bo@mail.example"]


def test_a_seed_is_asked_everything_else_too(staging):
    shop = staging("user_id\nada\nbo\n")
    shop.ledger.change_consent([ConsentChange("ada", Channel.EMAIL, "offers", False, NOON, "test")])
    shop.ledger.suppress([(Channel.EMAIL, "bo@mail.example")], "bounced", "test", NOON)
    run_it(shop)
    assert shop.box.mails == []
    assert (shop.rows()["ada"], shop.rows()["bo"]) == (("skipped", "no_consent"), ("skipped", "suppressed"))


def test_a_run_keeps_the_seeds_it_was_fired_with(staging):
    shop = staging("user_id\nada\n")
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    (shop.root / SEEDS).write_text("user_id\nada\nbo\n")
    shop.opened = app.open_project(shop.root, "staging")
    shop.drain()
    assert reached(shop.box) == ["ada@mail.example"]
    run_it(shop, "tomorrow")
    assert reached(shop.box) == ["ada@mail.example", "ada@mail.example", "bo@mail.example"]


def test_who_was_held_and_is_asked_about_again_is_still_a_seed_or_none(staging):
    shop = staging("user_id\nada\n", **{SPRING: FILES[SPRING] + "quiet_hours: 11:00-15:00\n"})
    run = run_it(shop)
    assert shop.rows()["ada"] == ("held", "quiet_hours")
    assert shop.rows()["bo"] == ("skipped", "not_a_seed")
    shop.clock.at = Instant(NOON + 3 * HOUR)
    planner.ask_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    assert reached(shop.box) == ["ada@mail.example"]


def test_what_was_planned_for_the_sink_reaches_nobody_once_the_environment_reaches_seeds(staging):
    shop = staging("user_id\nada\n")
    (shop.root / SETTINGS).write_text(files(shop.port, "", deliver="sink")[SETTINGS])
    shop.opened = app.open_project(shop.root, "staging")
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    (shop.root / SETTINGS).write_text(files(shop.port, "")[SETTINGS])
    shop.opened = app.open_project(shop.root, "staging")
    shop.drain()
    assert shop.box.mails == []
    assert set(shop.rows().values()) == {("skipped", "not_a_seed")}


def say(shop, *words, typed=""):
    return CliRunner().invoke(command_line, ["-C", str(shop.root), "-e", "staging", *words], input=typed)


def test_plan_send_deliveries_report_and_doctor_tell_how_many_really_get_it(staging):
    shop = staging("user_id\nada\ndora\nstranger\n")
    planned = say(shop, "plan", "spring").output
    assert "it reaches only lists/seeds.csv (3 users)" in planned
    assert "not a seed" in planned
    assert "would get a message                           2" in planned
    assert "it reaches only lists/seeds.csv (3 users)" in say(shop, "doctor").output

    wrong = say(shop, "send", "spring", typed="4\n")
    assert "the number of seeds in the audience, who alone may get it (2)" in wrong.output
    assert (wrong.exit_code, shop.box.mails) == (1, [])
    # Nobody has said which addresses are stopped; seeds are one's own, so it is not asked.
    sent = say(shop, "send", "spring", typed="2\n")
    assert sent.exit_code == 0, sent.output
    assert "nothing left this machine" not in sent.output
    assert reached(shop.box) == ["ada@mail.example", "dora@mail.example"]
    assert "not_a_seed" in say(shop, "report", "spring").output
    told = say(shop, "deliveries", "spring", "--reason", "not_a_seed").output
    assert [user in told for user in ("ada", "bo", "cy", "dora")] == [False, True, True, False]


def test_where_nobody_is_a_seed_nothing_is_sent_and_it_is_said(staging):
    shop = staging("user_id\n")
    refused = say(shop, "send", "spring", "--yes")
    assert refused.exit_code == 1
    assert "staging: it reaches only lists/seeds.csv (nobody), and nobody of lists/seeds.csv is in the audience" in refused.output  # fmt: skip
    assert "!!  seeds: lists/seeds.csv names nobody" in say(shop, "doctor").output
    assert shop.ledger.store.rows("SELECT count(*) FROM run") == [(0,)]


def test_a_test_message_goes_to_no_address_but_a_seeds(staging):
    shop = staging("email\nme@mail.example\n")
    ours = say(shop, "send", "spring", "--test", "ME@mail.example", "--as", "bo")
    assert ours.exit_code == 0, ours.output
    theirs = say(shop, "send", "spring", "--test", "bo@mail.example", "--as", "bo")
    assert (theirs.exit_code, "bo@mail.example does not stand in lists/seeds.csv" in theirs.output) == (2, True)
    assert reached(shop.box) == ["ME@mail.example"]


def test_a_seeds_file_that_cannot_be_read_is_a_mistake_of_the_files(staging, tmp_path):
    shop = staging("user_id\nada\n")
    (shop.root / SEEDS).write_text("name\nAda\n")
    with pytest.raises(ConfigError, match=r"lists/seeds.csv:1:1  the header says name; name one column user_id"):
        app.open_project(tmp_path, "staging")
