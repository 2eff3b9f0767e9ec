"""Segments that ask who converted, held against the campaigns' goals: mistakes at their places, and none made up."""

import pytest

from orchestrator import checking
from orchestrator.config import load
from orchestrator.core.segments import sentences
from tests.config.builders import DATA, WINBACK, with_edit, with_file

BUYERS = "config/segments/buyers.yaml"
GOAL = "goal: {event: purchase, within: 7 days, value: amount}"


def asked(condition, file=None, old="", new=""):
    """The example with a segment of one condition, and a slip of the pen somewhere else."""
    files = with_file(BUYERS, f"about: Buyers\nall:\n  - {condition}\n")
    return with_edit(file, old, new, files) if file else files


def mistakes(files):
    return [str(mistake) for mistake in checking.mistakes(load(files))]


@pytest.mark.parametrize(
    ("condition", "place", "text", "remedy"),
    [
        ("{message: converted, campaign: winbak}", "3:36", "all[0].campaign: no campaign 'winbak'", "`winback`"),
        ("{message: converted, campaign: new_in}", "3:36", "all[0].campaign: campaign 'new_in' has no goal", "winback"),
        ("{message: converted, last: time, after: 3 days ago}", "3:26", "all[0]: a conversion has no `last`", "at_least"),
        ("{message: sent, then: {message: converted}}", "3:37", "cannot be a step", "{event: purchase, within: 1 week}"),
    ],
)  # fmt: skip
def test_a_mistake_about_conversions_is_told_at_its_place(condition, place, text, remedy):
    (found,) = mistakes(asked(condition))
    assert found.startswith(f"{BUYERS}:{place}  ")
    assert text in found
    assert remedy in found


def test_a_conversion_is_the_goal_that_the_campaigns_file_says():
    say = "did message.sent where campaign is winback ever, then purchase{} within {}"
    for goal, where, within in (
        (GOAL, "", "1 week"),
        ("goal: {event: purchase, within: 36 hours, where: {currency: EUR}}", " where currency is EUR", "36 hours"),
    ):
        files = asked("{message: converted}", WINBACK, GOAL, goal)
        segment = load(files).sound().segments["buyers"]
        assert sentences(segment, "UTC") == (say.format(where, within),)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (WINBACK, "event: purchase", "event: purchas"),
        (WINBACK, "within: 7 days", "within: 7 dayz"),
        (WINBACK, "value: amount}", "where: {amont: 5}}"),
        (WINBACK, "goal:", "gaol:"),
        (WINBACK, GOAL, "goal: [a, b]"),
        (WINBACK, "owner:", "ownr:"),
        (DATA, "events:", "eventz:"),
    ],
)
def test_a_slip_in_the_goal_is_told_once_and_not_at_who_asks_for_it(file, old, new):
    alone = mistakes(with_edit(file, old, new))
    for condition in ("{message: converted}", "{message: converted, campaign: winback}"):
        assert mistakes(asked(condition, file, old, new)) == alone != []


def test_mistakes_of_a_segment_are_told_although_a_goal_cannot_be_read():
    files = asked("{message: converted}\n  - {event: purchas}", WINBACK, "within: 7 days", "within: 7 dayz")
    assert [one.split("  ")[0] for one in mistakes(files)] == [f"{WINBACK}:16:33", f"{BUYERS}:4:13"]


def test_without_any_goal_asking_who_converted_is_a_mistake():
    files = asked("{message: converted}", WINBACK, GOAL, "# no goal")
    assert any("no campaign has a goal" in one for one in mistakes(files))
