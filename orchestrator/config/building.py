"""From checked files to the project as the rest of the product knows it; nothing here can fail."""

from dataclasses import replace

from orchestrator.config.campaign_shape import CampaignShape, ScheduleShape
from orchestrator.config.draft import Draft
from orchestrator.config.fields import RECIPIENT, Deliver, Devices, OnError
from orchestrator.config.policies import excluded, hold_if, policy_of
from orchestrator.config.results import (
    Catalogue,
    Coupons,
    DataType,
    Environment,
    Outline,
    Project,
    ProviderSettings,
    Sender,
    Settings,
    Sketch,
    Source,
    Topic,
)
from orchestrator.config.routing import by_platform, routes
from orchestrator.config.secret import Secret
from orchestrator.config.segments import goal_of, known_data
from orchestrator.config.settings import DEV, environment_of
from orchestrator.config.shapes import AttributeShape, DataShape, SettingsShape, SourceShape
from orchestrator.config.warehouse import foreign_of
from orchestrator.core import segments
from orchestrator.core.campaigns import (
    Campaign,
    CampaignState,
    Experiment,
    Kind,
    Misfire,
    Mode,
    Once,
    Repeat,
    Schedule,
    Trigger,
)
from orchestrator.core.lists import Seeds, people_in, seeds_in
from orchestrator.core.nouns import Channel
from orchestrator.core.times import HOUR, SECOND

INBOX = "in_app"
"""The adapter of in-app messages: our own table, there without being configured."""


def build(draft: Draft, trees: dict[str, segments.Segment], environment: Environment) -> Project | None:
    """The project, None if a file is too mistaken to be part of one."""
    if draft.settings is None or draft.data is None:
        return None
    campaigns = {}
    platforms = by_platform(draft.settings, draft.adapters)
    seeds = _seeds(draft, draft.settings) if environment.deliver is Deliver.SEEDS else None
    for name, campaign in draft.campaigns.items():
        if campaign is None or campaign.shape is None:
            return None
        built = _campaign(name, campaign.shape, draft.settings, environment, seeds)
        campaigns[name] = replace(built, by_platform=platforms if Channel.PUSH in built.channels else {})
    known = _catalogue(draft.data, frozenset(trees))
    foreign = foreign_of(draft.warehouse_sheet, draft.warehouse) if draft.warehouse is not None else None
    return Project(_settings(draft.settings), environment, known, trees, campaigns, foreign)


def sketch(draft: Draft) -> Sketch:
    """What templates can be held against although files have mistakes."""
    campaigns = {}
    for name, campaign in draft.campaigns.items():
        shape = campaign.shape if campaign is not None else None
        if shape is None:
            campaigns[name] = Outline(None, marketing=False)
        else:
            ended = shape.state is CampaignState.ENDED
            trigger = shape.trigger.event if shape.trigger else ""
            campaigns[name] = Outline(trigger, shape.kind is Kind.MARKETING, ended)
    return Sketch(
        _settings(draft.settings) if draft.settings else None,
        _catalogue(draft.data, frozenset(draft.segments)) if draft.data else None,
        campaigns,
    )


def _seeds(draft: Draft, settings: SettingsShape) -> Seeds:
    name = settings.seeds or ""
    return seeds_in(people_in(name, draft.files.get(name, b"")))


def _settings(shape: SettingsShape) -> Settings:
    environments = {name: environment_of(shape, name) for name in (DEV, *shape.environments)}
    return Settings(
        project=shape.project,
        time_zone=shape.time_zone,
        locales=tuple(shape.locales),
        public_url=(shape.public_url or "").rstrip("/"),
        environments={name: environment for name, environment in environments.items() if environment},
        seeds=shape.seeds or "",
        providers={
            name: ProviderSettings(
                name,
                provider.adapter or name,
                {key: Secret(value) for key, value in (provider.__pydantic_extra__ or {}).items()},
                provider.rate,
            )
            for name, provider in shape.providers.items()
        },
        route=_routes(shape),
        senders={
            name: Sender(name, sender.from_, sender.reply_to or "", sender.postal or "")
            for name, sender in shape.senders.items()
        },
        topics={name: Topic(name, topic.label, topic.consent) for name, topic in shape.topics.items()},
        coupons={name: Coupons(name, pool.codes or "", pool.valid) for name, pool in shape.coupons.items()},
        sources={name: _source(name, it) for name, it in shape.sources.items()},
        tracked_hosts=tuple(host.lower() for host in shape.tracking.hosts),
    )


def _source(name: str, it: SourceShape) -> Source:
    return Source(
        name,
        it.file or "",
        it.key or "",
        it.by or "",
        it.on_error is OnError.SKIP,
        it.url or "",
        {key: Secret(value) for key, value in it.headers.items()},
        it.timeout or 5 * SECOND,
        it.rate,
        it.network or "",
    )


def _routes(shape: SettingsShape) -> dict[Channel, tuple[str, ...]]:
    return {Channel.IN_APP: (INBOX,), **routes(shape)}


def _catalogue(data: DataShape, names: frozenset[str]) -> Catalogue:
    event, _, property_ = (data.revenue or "").partition(".")
    return Catalogue(
        {name: _type(it) for name, it in data.attributes.items()},
        {name: {key: _type(it) for key, it in its.items()} for name, its in data.events.items()},
        (event, property_) if event else None,
        data.session or "",
        known_data(data, names) or segments.Catalogue(),
    )


def _type(it: AttributeShape) -> DataType:
    return DataType(it.is_, tuple(it.values or ()))


def _campaign(
    name: str, shape: CampaignShape, settings: SettingsShape, environment: Environment, seeds: Seeds | None
) -> Campaign:
    routed = _routes(settings)
    trigger = shape.trigger
    return Campaign(
        name=name,
        channels=tuple(shape.channels.all),
        policy=policy_of(shape, settings, seeds),
        mode=Mode.FIRST_OF if shape.channels.first_of else Mode.ALL_OF,
        kind=shape.kind,
        state=shape.state,
        about=shape.about,
        owner=shape.owner or "",
        audience=tuple(shape.audience),
        exclude=excluded(shape, settings),
        devices=(shape.devices or Devices.LATEST).value,
        schedule=_schedule(shape.schedule, settings.time_zone) if shape.schedule else None,
        trigger=Trigger(trigger.event, trigger.not_older_than or HOUR, trigger.where) if trigger else None,
        repeat=shape.repeat or Repeat(after=None),
        goal=goal_of(shape),
        experiment=_experiment(name, shape),
        hold_if=hold_if(shape, settings, environment.approve_over),
        routes={channel: routed[channel] for channel in shape.channels.all},
    )


def _schedule(shape: ScheduleShape, project_zone: str) -> Schedule:
    when = shape.every or shape.cron or Once(shape.once or "")
    own = shape.time_zone if shape.time_zone != RECIPIENT else None
    return Schedule(
        when=when,
        zone=own or project_zone,
        recipient=shape.time_zone == RECIPIENT,
        start=shape.start or "",
        end=shape.end or "",
        misfire=shape.misfire or Misfire.RUN_ONCE,
        grace=shape.grace or 6 * HOUR,
    )


def _experiment(name: str, shape: CampaignShape) -> Experiment | None:
    found = shape.experiment
    if found is None:
        return None
    limits = {key: limit for key, limit in found.stop_if.model_dump().items() if limit is not None}
    return Experiment(
        variants=found.variants,
        holdout=found.holdout,
        salt=found.salt or name,
        ramp=tuple(found.ramp),
        stop_if=limits,
        then=found.then or "",
        undecided=found.undecided,
    )
