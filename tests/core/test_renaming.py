"""What another name means: told from the campaign's own rules, and only what hangs on the name."""

from dataclasses import replace

import pytest

from orchestrator.core.campaigns import Campaign, Cap, Experiment, Policy, Repeat
from orchestrator.core.nouns import Channel
from orchestrator.core.renaming import Past, meaning
from orchestrator.core.segments.parsing import parse
from orchestrator.core.times import DAY

POLICY = Policy(time_zone="UTC")


def a_campaign(name, **over):
    return Campaign(name=name, channels=(Channel.PUSH,), policy=POLICY, **over)


OLD = a_campaign("old")


def told(after, before=OLD, past=None, segments=None):
    return dict(meaning(before, after, "old", past or Past(), segments or {}))


def test_a_campaign_that_always_repeats_and_has_no_draw_begins_only_its_figures_anew():
    assert list(told(a_campaign(name="new", repeat=Repeat(0)))) == ["figures"]


@pytest.mark.parametrize(
    ("had_it", "words"),
    [
        (None, "who had it from old can get it again"),
        (0, "nobody of the next run had it from old"),
        (1, "1 person of the next run had it from old and can get it again"),
        (4112, "4,112 people of the next run had it from old and can get it again"),
    ],
)
def test_who_had_it_can_get_it_again(had_it, words):
    after = a_campaign(name="new", repeat=Repeat(None))
    assert told(after, past=Past(had_it))["repeat"] == f"begins anew: {words} (repeat: never)"


def test_draws_hang_on_the_salt_and_only_without_one_on_the_name():
    drawn = Experiment(variants={"a": 50, "b": 50}, ramp=((10, DAY),))
    after = a_campaign(name="new", experiment=drawn)
    assert told(after, replace(OLD, experiment=drawn))["experiment"].startswith("begins anew: ")
    assert "ramp" in told(after)
    kept = replace(after, experiment=replace(drawn, salt="old"))
    assert told(kept, replace(OLD, experiment=drawn))["experiment"].startswith("stays: ")
    other = replace(after, experiment=replace(drawn, salt="x"))
    assert told(other, replace(OLD, experiment=replace(drawn, salt="x")))["experiment"].startswith("stays: ")


def test_caps_stay_and_runs_and_pauses_are_the_old_names():
    after = replace(a_campaign(name="new"), policy=replace(POLICY, caps=(Cap(1, DAY),)))
    said = told(after, past=Past(under_way=(7,), paused=True))
    assert said["caps"] == "stay: they count people's messages, those of old as well"
    assert said["under way"].startswith("run 7 of old goes on beside those of new")
    assert said["pause"].startswith("old is paused, new is not")
    assert told(after, past=Past(under_way=(7, 8)))["under way"].startswith("2 runs of old go on")


def test_segments_that_ask_for_the_new_name_know_nothing_of_the_old():
    asking = parse({"about": "x", "all": [{"message": "sent", "campaign": "new"}]})
    other = parse({"about": "x", "all": [{"message": "sent", "campaign": "old"}]})
    said = told(a_campaign(name="new"), segments={"had_new": asking, "had_old": other})
    assert said["segments"] == "had_new knows of no message that old sent"
