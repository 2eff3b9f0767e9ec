"""The numbers that an explanation shows are those that decided."""

from dataclasses import replace

from orchestrator.core.assignment import assign
from orchestrator.core.campaigns import Experiment, Kind
from orchestrator.core.draw import share
from orchestrator.core.draws import draws
from tests.core.test_eligibility import a_campaign

EXPERIMENT = Experiment({"a": 30, "b": 70}, holdout=20, ramp=((40.0, 1),))
USERS = [f"u{number}" for number in range(400)]


def drawn(campaign, user):
    return {one.what: one for one in draws(campaign, user, 40)}


def test_every_draw_of_a_campaign_is_told_with_what_came_of_it():
    campaign = a_campaign(experiment=EXPERIMENT, project_holdout=10)
    for user in USERS:
        found = drawn(campaign, user)
        assert list(found) == ["project_holdout", "ramp", "variant", "holdout"]
        assert (found["variant"].got, found["holdout"].got == "in") == assign(campaign, user)
        assert (found["variant"].place < 0.3) is (found["variant"].got == "a")
        assert (found["ramp"].got == "in") is (found["ramp"].place < 0.4) is share("winback:ramp", user, 40)
        assert (found["project_holdout"].got == "in") is (found["project_holdout"].place < 0.1)
    assert {one.got for user in USERS for one in drawn(campaign, user).values()} == {"a", "b", "in", "out"}


def test_only_what_decides_is_drawn():
    assert draws(a_campaign(), "u1") == ()
    transactional = replace(a_campaign(project_holdout=10), kind=Kind.TRANSACTIONAL)
    assert draws(transactional, "u1") == ()
