"""The project's defaults and a campaign's own rules put together: a campaign can only tighten."""

from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.draft import CampaignDraft, Draft
from orchestrator.config.fields import Capped
from orchestrator.config.shapes import DefaultsShape, SettingsShape
from orchestrator.config.tracking import tracked
from orchestrator.core.campaigns import Cap, Consent, HoldIf, Kind, Policy, QuietHours
from orchestrator.core.lists import Seeds
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.core.phrases import say_duration, say_quiet_hours
from orchestrator.core.times import DAY

MINUTES = 24 * 60


def check_policy(draft: Draft, campaign: CampaignDraft) -> None:
    """Where a marketing campaign's file would loosen what holds for every campaign."""
    shape, findings, sheet = campaign.shape, draft.findings, campaign.sheet
    if shape is None or draft.settings is None or shape.kind is Kind.TRANSACTIONAL:
        return
    defaults = draft.settings.defaults
    mine, theirs = shape.quiet_hours, defaults.quiet_hours
    if mine and theirs and not _minutes(theirs) <= _minutes(mine):
        text = f"{say_quiet_hours(mine)} is looser than the {say_quiet_hours(theirs)} of `defaults`"
        findings.at(sheet, ("quiet_hours",), text, "A campaign can only tighten; begin no later and end no earlier.")
    if shape.expires and defaults.expires and shape.expires > defaults.expires:
        text = f"{say_duration(shape.expires)} is longer than the {say_duration(defaults.expires)} of `defaults`"
        findings.at(sheet, ("expires",), text, "A campaign can only tighten.")
    if shape.throttle and defaults.throttle and shape.throttle > defaults.throttle:
        text = f"is faster than the {defaults.throttle} per minute of `defaults`"
        findings.at(sheet, ("throttle",), text, "A campaign can only tighten.")
    for index, name in enumerate(defaults.exclude):
        if name in shape.audience and name not in defaults.exclude[:index]:
            text = f"'{name}' is excluded by `defaults`, nobody of it would get anything"
            findings.at(sheet, ("audience", shape.audience.index(name)), text, "Take it out of one of them.")


def policy_of(shape: CampaignShape, settings: SettingsShape, seeds: Seeds | None) -> Policy:
    """Every rule between a member and a message; `seeds` are the only people the environment may reach, None for everyone.

    Defaults hold for marketing. A transactional campaign (a receipt, a password) has the rules of its own file alone, and
    the default for when a message is too late.
    """
    defaults = settings.defaults if shape.kind is Kind.MARKETING else DefaultsShape()
    topic = settings.topics[shape.topic] if shape.topic else None
    throttles = [rate for rate in (shape.throttle, defaults.throttle) if rate is not None]
    clicks, opens = tracked(shape, settings)
    resend = OnAmbiguous.HOLD if shape.kind is Kind.MARKETING else OnAmbiguous.RESEND
    return Policy(
        time_zone=settings.time_zone,
        topic=shape.topic or "",
        consent=topic.consent if topic else Consent.NONE,
        quiet_hours=shape.quiet_hours or defaults.quiet_hours,
        caps=_caps([*defaults.caps, *shape.caps]),
        caps_exempt=shape.exempt_from_caps,
        capped=(shape.capped or defaults.capped or Capped.SKIP).value,
        expires=shape.expires or settings.defaults.expires or DAY,
        throttle=min(throttles) if throttles else None,
        on_ambiguous=shape.on_ambiguous or resend,
        project_holdout=settings.holdout if shape.kind is Kind.MARKETING else 0.0,
        seeds=seeds,
        clicks=clicks,
        opens=opens,
    )


def excluded(shape: CampaignShape, settings: SettingsShape) -> tuple[str, ...]:
    """Segments that never get it: the project's first, then the campaign's."""
    defaults = settings.defaults.exclude if shape.kind is Kind.MARKETING else []
    return tuple(dict.fromkeys([*defaults, *shape.exclude]))


def hold_if(shape: CampaignShape, settings: SettingsShape, approve_over: int | None) -> HoldIf:
    """When the run waits for a person; of two limits for the same event the shorter one."""
    defaults = settings.defaults.hold_if
    limits = dict(defaults.no_recent)
    for event, length in shape.hold_if.no_recent.items():
        limits[event] = min(length, limits.get(event, length))
    return HoldIf(shape.hold_if.audience or defaults.audience, limits, approve_over)


def _caps(caps: list[Cap]) -> tuple[Cap, ...]:
    """Each once, and of several over the same channel and length of time the lowest."""
    lowest: dict[tuple[object, int], Cap] = {}
    for cap in caps:
        key = (cap.channel, cap.within)
        if key not in lowest or cap.limit < lowest[key].limit:
            lowest[key] = cap
    return tuple(lowest.values())


def _minutes(quiet: QuietHours) -> frozenset[int]:
    length = (quiet.end - quiet.start) % MINUTES
    return frozenset((quiet.start + minute) % MINUTES for minute in range(length))
