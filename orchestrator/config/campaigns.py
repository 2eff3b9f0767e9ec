"""Does a campaign fit into its project: segments, topic, schedule, experiment, goal, channels, the law?"""

from orchestrator.config.campaign_shape import CampaignShape, ExperimentShape, ScheduleShape
from orchestrator.config.draft import CampaignDraft, Draft
from orchestrator.config.fields import RECIPIENT, Type
from orchestrator.config.findings import choice, quoted
from orchestrator.config.segments import check_where
from orchestrator.config.shapes import SettingsShape
from orchestrator.config.sheets import Path, Sheet
from orchestrator.config.templates import like_a_locale
from orchestrator.config.tracking import check_tracking
from orchestrator.core.campaigns import CampaignState, Interval, Kind
from orchestrator.core.nouns import Channel

MOST_VARIANTS = 15
"""And the holdout: more arms than that have too few people each to tell them apart."""
WINNER = "winner"


def check_campaign(draft: Draft, campaign: CampaignDraft) -> None:
    """Everything one campaign refers to, and what its keys ask of one another."""
    shape, sheet = campaign.shape, campaign.sheet
    if shape is None:
        return
    _check_people(draft, sheet, shape)
    _check_firing(draft, sheet, shape)
    for event in shape.hold_if.no_recent:
        draft.event(sheet, ("hold_if", "no_recent", event), event, is_key=True)
    if shape.goal is not None:
        _check_goal(draft, sheet, shape)
    if shape.experiment is not None:
        _check_experiment(draft, sheet, shape, shape.experiment)
    if draft.settings is not None:
        _check_topic(draft, sheet, shape, draft.settings)
        _check_channels(draft, sheet, shape, draft.settings)


def _check_people(draft: Draft, sheet: Sheet, shape: CampaignShape) -> None:
    findings = draft.findings
    for key, names in (("audience", shape.audience), ("exclude", shape.exclude)):
        for index, name in enumerate(names):
            draft.segment(sheet, (key, index), name)
            if name in names[:index]:
                findings.at(
                    sheet,
                    (key, index),
                    f"{quoted(name)} stands here twice",
                    "The first match wins; delete the later one.",
                )
    for index, name in enumerate(shape.exclude):
        if name in shape.audience:
            findings.at(
                sheet, ("exclude", index), f"{quoted(name)} is in the audience too", "Take it out of one of them."
            )
    if not shape.audience and shape.trigger is None:
        given = sheet.at(("audience",)) is not None
        wrong = "names no segment" if given else "the key 'audience' is missing"
        findings.at(sheet, ("audience",), wrong, "Name the segments, `audience: [lapsed]`.")


def _check_firing(draft: Draft, sheet: Sheet, shape: CampaignShape) -> None:
    findings, schedule = draft.findings, shape.schedule
    if schedule is not None and shape.trigger is not None:
        findings.at_key(sheet, ("trigger",), "a schedule and a trigger in one campaign", "Make two campaigns.")
    if schedule is not None:
        _check_schedule(draft, sheet, schedule)
    if shape.trigger is not None and draft.event(sheet, ("trigger", "event"), shape.trigger.event):
        check_where(draft, sheet, ("trigger",), shape.trigger.event, shape.trigger.where)
    if shape.repeat is None and (schedule is None or schedule.once is None):
        remedy = (
            "It can fire more than once: may the same person get it again? Write never, always, or `after 90 days`."
        )
        findings.at(sheet, (), "the key 'repeat' is missing", remedy)


def _check_schedule(draft: Draft, sheet: Sheet, schedule: ScheduleShape) -> None:
    findings, path = draft.findings, ("schedule",)
    given = [key for key in ("every", "cron", "once") if getattr(schedule, key) is not None]
    if len(given) != 1:
        what = f"has {' and '.join(given)}" if given else "says no time"
        findings.at(
            sheet, path, what, "Write one of every, cron and once. For a campaign sent by hand, leave `schedule` out."
        )
    if schedule.once is not None and (schedule.start or schedule.end):
        findings.at_key(
            sheet,
            (*path, "start" if schedule.start else "end"),
            "a start or an end has no meaning beside `once`",
            "Delete it.",
        )
    if schedule.start and schedule.end and schedule.end < schedule.start:
        findings.at(
            sheet, (*path, "end"), f"{quoted(schedule.end)} is before the start, {schedule.start}", "Swap them."
        )
    if isinstance(schedule.every, Interval) and schedule.time_zone == RECIPIENT:
        findings.at(
            sheet,
            (*path, "time_zone"),
            "a length of time has no zone of the recipient",
            "Write a time of day, like `day at 10:00`.",
        )


def _check_goal(draft: Draft, sheet: Sheet, shape: CampaignShape) -> None:
    goal = shape.goal
    if goal is None or draft.data is None or not draft.event(sheet, ("goal", "event"), goal.event):
        return
    properties = draft.data.events[goal.event]
    if goal.value is not None:
        path = ("goal", "value")
        if goal.value not in properties:
            text = f"the event '{goal.event}' has no property {quoted(goal.value)}"
            draft.findings.at(sheet, path, text, choice(goal.value, properties, "property of it"))
        elif properties[goal.value].is_ is not Type.NUMBER:
            text = f"{quoted(goal.value)} is a {properties[goal.value].is_}, not a number"
            draft.findings.at(sheet, path, text, "A goal's value is added up.")
    check_where(draft, sheet, ("goal",), goal.event, goal.where)


def _check_experiment(draft: Draft, sheet: Sheet, shape: CampaignShape, experiment: ExperimentShape) -> None:
    findings, path = draft.findings, ("experiment",)
    variants = experiment.variants
    total = sum(variants.values())
    if variants and abs(total - 100) > 1e-6:
        findings.at(
            sheet,
            (*path, "variants"),
            f"the weights add up to {total:g}%",
            "They must add up to 100%; the holdout is counted apart.",
        )
    if len(variants) == 1 or len(variants) > MOST_VARIANTS:
        findings.at(
            sheet,
            (*path, "variants"),
            f"{len(variants)} variants",
            f"Write 2 to {MOST_VARIANTS}, or leave `variants` out.",
        )
    for name, weight in variants.items():
        if like_a_locale(name):
            findings.at_key(
                sheet,
                (*path, "variants", name),
                f"the variant {quoted(name)} is called like a locale",
                "Files are found by both names; call it otherwise.",
            )
        if weight == 0:
            findings.at(
                sheet, (*path, "variants", name), "a variant nobody gets", "Give it a weight above 0%, or delete it."
            )
    if experiment.holdout >= 100:
        findings.at(sheet, (*path, "holdout"), "nobody would get a message", "Write less than 100%.")
    sizes = [size for size, _ in experiment.ramp]
    for index, size in enumerate(sizes):
        if size <= (sizes[index - 1] if index else 0):
            findings.at(
                sheet, (*path, "ramp", index), f"{size:g}% is no step up", "Each step is larger than the one before."
            )
    _check_afterwards(draft, sheet, shape, experiment, path)


def _check_afterwards(
    draft: Draft, sheet: Sheet, shape: CampaignShape, experiment: ExperimentShape, path: Path
) -> None:
    findings, variants = draft.findings, experiment.variants
    if experiment.then is None:
        if experiment.ramp and variants:
            findings.at(
                sheet,
                path,
                "the key 'then' is missing",
                "`ramp` is the size of the test: say what the others get, `winner` or a variant.",
            )
        if experiment.undecided is not None:
            findings.at_key(
                sheet, (*path, "undecided"), "'undecided' has no meaning without `then`", "Add it, or delete this line."
            )
        return
    if experiment.then != WINNER and experiment.then not in variants:
        findings.at(
            sheet,
            (*path, "then"),
            f"no variant {quoted(experiment.then)}",
            choice(experiment.then, [WINNER, *variants]),
        )
    if experiment.then == WINNER:
        if experiment.undecided is None:
            findings.at(
                sheet,
                path,
                "the key 'undecided' is missing",
                "Without a winner somebody must get something: `undecided: <variant> after 30 days`.",
            )
        if shape.goal is None:
            findings.at(
                sheet, (*path, "then"), "a winner needs a goal to be measured by", "Add `goal: {event: …, within: …}`."
            )
    if experiment.undecided is not None and experiment.undecided[0] not in variants:
        name = experiment.undecided[0]
        findings.at(sheet, (*path, "undecided"), f"no variant {quoted(name)}", choice(name, variants, "variant"))


def _check_topic(draft: Draft, sheet: Sheet, shape: CampaignShape, settings: SettingsShape) -> None:
    if shape.topic is not None:
        if shape.topic not in settings.topics and not draft.stood_in("topics"):
            draft.findings.at(
                sheet,
                ("topic",),
                f"no topic {quoted(shape.topic)}",
                choice(shape.topic, settings.topics, "topic in orchestrator.yaml"),
            )
    elif shape.kind is Kind.MARKETING:
        draft.findings.at(
            sheet,
            (),
            "the key 'topic' is missing",
            f"Marketing needs consent to a topic. {choice('', settings.topics, 'topic in orchestrator.yaml')}".strip(),
        )


def _check_channels(draft: Draft, sheet: Sheet, shape: CampaignShape, settings: SettingsShape) -> None:
    findings = draft.findings
    both = shape.channels.first_of is not None and shape.channels.all_of is not None
    channels = shape.channels.all
    if both or not channels:
        findings.at(
            sheet,
            ("channels",),
            "has both first_of and all_of" if both else "names no channel",
            "Write one of first_of and all_of.",
        )
    key = "first_of" if shape.channels.first_of else "all_of"
    for index, channel in enumerate(channels):
        if channel in channels[:index]:
            findings.at(sheet, ("channels", key, index), f"{quoted(channel)} stands here twice", "Delete one.")
        routed = channel in settings.route or (channel is Channel.PUSH and settings.push is not None)
        if channel is not Channel.IN_APP and not routed and not draft.stood_in("route"):
            findings.at(
                sheet,
                ("channels", key, index),
                f"no provider carries {channel}",
                f"Add it to `route:` in config/orchestrator.yaml, like `{channel}: […]`.",
            )
    guessed = draft.stood_in("channels", sheet.file)
    if shape.devices is not None and Channel.PUSH not in channels and not guessed:
        findings.at_key(sheet, ("devices",), "'devices' has no meaning without push", "Delete it.")
    if shape.tracking is not None:
        if Channel.EMAIL not in channels and not guessed:
            findings.at_key(sheet, ("tracking",), "'tracking' has no meaning without email", "Delete it.")
        check_tracking(draft, sheet, shape.tracking)
    live = shape.state is CampaignState.LIVE and shape.kind is Kind.MARKETING
    postal = any(sender.postal for sender in settings.senders.values()) or draft.stood_in("senders")
    if live and Channel.EMAIL in channels and not postal:
        findings.at(
            sheet,
            ("kind",),
            "marketing e-mail, but no sender has a postal address",
            "Add `postal:` to a sender in config/orchestrator.yaml: the law wants it.",
        )
