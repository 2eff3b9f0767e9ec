"""A project without a mistake: what it comes to, that it is the same everywhere, and how fast."""

import time

import pytest

from orchestrator.config import Deliver, Type, load
from orchestrator.core.campaigns import (
    CampaignState,
    Cap,
    Consent,
    Cron,
    Every,
    Goal,
    HoldIf,
    Mode,
    Once,
    QuietHours,
    Repeat,
    Schedule,
    Trigger,
)
from orchestrator.core.errors import ConfigError
from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.times import DAY, HOUR, MINUTE
from tests.config.builders import SETTINGS, WELCOME, WINBACK, all_secrets, loaded, said, the_example, with_edit


@pytest.fixture
def project():
    return loaded(the_example()).sound()


@pytest.mark.parametrize("environment", ["dev", "staging", "live"])
def test_the_example_loads_without_a_mistake(environment):
    assert load(the_example(), environment, all_secrets()).mistakes == ()


def test_settings_are_as_the_file_says(project):
    settings = project.settings
    assert (settings.project, settings.time_zone, settings.locales) == ("shop", "Europe/Vienna", ("en",))
    assert settings.public_url == "https://go.shop.example"
    assert settings.route == {Channel.EMAIL: ("mail", "relay"), Channel.PUSH: ("gateway",), Channel.IN_APP: ("in_app",)}
    assert settings.providers["relay"].adapter == "smtp"
    assert settings.topics["offers"].consent is Consent.OPT_IN
    assert settings.senders["offers"].postal == "Shop GmbH, Ring 1, 1010 Wien"
    assert (settings.coupons["winback10"].codes, settings.coupons["winback10"].valid) == (
        "lists/winback10.csv",
        14 * DAY,
    )


def test_an_environment_says_whom_it_reaches(project):
    assert (project.environment.name, project.environment.deliver) == ("live", Deliver.EVERYONE)
    assert project.campaigns["winback"].hold_if.approve_over == 20000
    assert loaded(the_example(), "dev").sound().environment.deliver is Deliver.SINK
    assert loaded(the_example(), "staging").sound().campaigns["winback"].hold_if.approve_over is None


def test_dev_is_there_and_sends_nothing_even_if_nobody_wrote_it_down():
    files = with_edit(SETTINGS, "  dev: {deliver: sink} ", "  #")
    assert loaded(files, "dev").sound().environment.deliver is Deliver.SINK


def test_an_unknown_environment_is_named_with_those_there_are():
    assert "no environment 'liev'\n    Allowed: dev, live, staging. Did you mean 'live'?" in said(the_example(), "liev")


def test_an_environment_may_have_stores_of_its_own():
    files = the_example()
    assert loaded(files, "live").sound().environment.stores.ledger.written == "sqlite:data/live/ledger.db"
    assert loaded(files, "dev").sound().environment.stores.ledger.written == "sqlite:data/ledger.db"


def test_the_catalogue_knows_types_values_and_money(project):
    catalogue = project.catalogue
    assert catalogue.attributes["country"].values == ("AT", "AU", "CH", "DE", "FR", "JP", "NL", "US", "NO")
    assert catalogue.attributes["email"].type is Type.EMAIL
    assert catalogue.events["purchase"]["amount"].type is Type.NUMBER
    assert catalogue.revenue == ("purchase", "amount")
    assert catalogue.known.segments == frozenset(project.segments)


def test_a_campaign_is_as_its_file_says(project):
    winback = project.campaigns["winback"]
    assert (winback.mode, winback.channels) == (Mode.FIRST_OF, (Channel.PUSH, Channel.EMAIL))
    assert winback.audience == ("lapsed_vips", "one_time_buyers", "lapsed")
    assert winback.exclude == ("staff",)
    assert winback.state is CampaignState.LIVE
    assert winback.schedule == Schedule(
        Every(600), "Europe/Vienna", recipient=True, start="2026-03-02", end="2030-06-30"
    )
    assert winback.repeat == Repeat(after=90 * DAY)
    assert winback.goal == Goal("purchase", 7 * DAY, "amount")
    assert winback.hold_if == HoldIf((2000, 60000), {"purchase": 3 * HOUR}, 20000)
    assert winback.routes == {Channel.PUSH: ("gateway",), Channel.EMAIL: ("mail", "relay")}
    experiment = winback.experiment
    assert experiment is not None
    assert (experiment.variants, experiment.holdout, experiment.salt) == (
        {"reminder": 50, "discount": 50},
        10,
        "winback",
    )
    assert experiment.ramp == ((10, 3 * DAY), (25, 7 * DAY))
    assert (experiment.then, experiment.undecided) == ("winner", ("reminder", 30 * DAY))
    assert experiment.stop_if == {"complaints": 0.1, "unsubscribes": 0.5, "bounces": 2}


def test_a_trigger_is_as_its_file_says(project):
    assert project.campaigns["welcome_back"].trigger == Trigger("app_open", 5 * MINUTE)


def test_defaults_and_a_campaigns_own_rules_are_put_together(project):
    policy = project.campaigns["winback"].policy
    assert policy.quiet_hours == QuietHours(20 * 60, 10 * 60)
    assert set(policy.caps) == {Cap(1, DAY, Channel.PUSH), Cap(2, 7 * DAY, Channel.EMAIL), Cap(1, 7 * DAY)}
    assert (policy.expires, policy.on_ambiguous, policy.topic) == (DAY, OnAmbiguous.HOLD, "offers")
    assert project.campaigns["welcome_back"].policy.quiet_hours == QuietHours(21 * 60, 9 * 60)


def test_a_transactional_campaign_has_the_rules_of_its_own_file_alone():
    files = with_edit(WELCOME, "kind: marketing\ntopic: offers", "kind: transactional\nexpires: 3 days")
    receipt = loaded(files).sound().campaigns["welcome_back"]
    assert (receipt.policy.caps, receipt.policy.quiet_hours, receipt.exclude) == ((), None, ())
    assert (receipt.policy.consent, receipt.policy.on_ambiguous) == (Consent.NONE, OnAmbiguous.RESEND)
    assert receipt.policy.expires == 3 * DAY


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("cron: 0 9 * * 1-5", Cron("0 9 * * 1-5")),
        ("once: 2026-03-02 10:00", Once("2026-03-02T10:00")),
        ("every: monday at 08:00", Every(480, weekdays=(0,))),
    ],
)
def test_schedules_of_every_kind(written, read):
    files = with_edit(WELCOME, "trigger: {event: app_open, not_older_than: 5 minutes}", f"schedule: {{{written}}}")
    schedule = loaded(files).sound().campaigns["welcome_back"].schedule
    assert schedule is not None
    assert (schedule.when, schedule.zone, schedule.recipient) == (read, "Europe/Vienna", False)


def test_a_campaign_that_fires_once_needs_no_rule_for_repeating():
    files = with_edit(
        WELCOME, "trigger: {event: app_open, not_older_than: 5 minutes}", "schedule: {once: 2026-03-02 10:00}"
    )
    files = with_edit(WELCOME, "repeat: after 30 days", "", files)
    assert loaded(files).sound().campaigns["welcome_back"].repeat == Repeat(after=None)


@pytest.mark.parametrize("hours", ["20:00-10:00", "21:00-09:00", "12:00-11:59", "21:00-09:01"])
def test_quiet_hours_may_be_longer_than_the_defaults(hours):
    assert load(with_edit(WINBACK, "20:00-10:00", hours)).mistakes == ()


@pytest.mark.parametrize("hours", ["22:00-09:00", "21:00-08:59", "09:00-21:00", "00:00-06:00", "21:01-10:00"])
def test_quiet_hours_may_not_be_shorter_than_the_defaults(hours):
    assert f"quiet_hours: {hours} is looser than the 21:00-09:00" in said(with_edit(WINBACK, "20:00-10:00", hours))


def test_the_lowest_of_two_caps_over_the_same_time_counts():
    files = with_edit(WINBACK, "1 message per week", "9 messages per week")
    assert Cap(4, 7 * DAY) in loaded(files).sound().campaigns["winback"].policy.caps


def test_the_same_files_give_the_same_project():
    assert load(the_example(), "live") == load(dict(reversed(the_example().items())), "live")


def test_loading_leaves_the_files_as_they_were():
    files = the_example()
    load(files)
    assert files == the_example()


def test_a_project_with_a_mistake_is_not_taken():
    with pytest.raises(ConfigError, match="no topic 'ofers'"):
        load(with_edit(WINBACK, "topic: offers", "topic: ofers")).sound()


def test_fifty_files_load_fast_and_an_edit_of_one_faster():
    campaign, segment = the_example()[WINBACK], the_example()["config/segments/lapsed_vips.yaml"]
    files = the_example()
    for number in range(25):
        files[f"config/segments/s{number}.yaml"] = segment + f"# {number}\n".encode()
        files[f"config/campaigns/c{number}.yaml"] = campaign.replace(b"live ", b"ended", 1) + f"# {number}\n".encode()
    began = time.process_time()
    assert load(files).mistakes == ()
    assert time.process_time() - began < 1.5
    began = time.process_time()
    assert load({**files, WINBACK: campaign + b"# edited\n"}).mistakes == ()
    assert time.process_time() - began < 0.3
